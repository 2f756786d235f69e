//! Port 0xE9, Xen's console for guests.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;

/// Where Xen takes the characters of a line.
const PORT: u64 = 0xE9;
/// Xen cuts a guest's line at 199 characters.
const LONGEST: usize = 190;

/// The console.
pub(crate) struct Port {
    file: File,
}

impl Port {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self { file: OpenOptions::new().write(true).open("/dev/port")? })
    }

    /// One line, "@@ KEY VALUE"; the value's control characters become blanks. What is
    /// longer than Xen's line goes on in lines "@@ + VALUE".
    pub(crate) fn line(&mut self, key: &str, value: &str) -> io::Result<()> {
        let printable = |c: char| if c.is_ascii_graphic() { c } else { ' ' };
        let text: Vec<char> = value.trim_end().chars().map(printable).collect();
        let mut key = key;
        let mut rest = text.as_slice();
        loop {
            let room = LONGEST.saturating_sub(key.len());
            let (part, after) = rest.split_at(room.min(rest.len()));
            let part: String = part.iter().collect();
            self.put(&format!("@@ {key} {part}\n"))?;
            if after.is_empty() {
                return Ok(());
            }
            (key, rest) = ("+", after);
        }
    }

    fn put(&self, text: &str) -> io::Result<()> {
        // Each byte on its own: /dev/port takes the second byte for the next port.
        text.bytes().try_for_each(|byte| self.file.write_all_at(&[byte], PORT))
    }
}
