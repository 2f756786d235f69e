//! The kernel's log, which `earlyprintk=xen,keep` sends to Xen's console line by line.
//! `printk.devkmsg=on` lets any number of lines through.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};

/// Xen cuts a guest's line at 199 characters; the kernel's time takes up to 20 of them.
const LONGEST: usize = 150;

/// The log.
pub(crate) struct Log {
    file: File,
}

impl Log {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self { file: OpenOptions::new().write(true).open("/dev/kmsg")? })
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
            // One write is one record.
            self.file.write_all(format!("@@ {key} {part}\n").as_bytes())?;
            if after.is_empty() {
                return Ok(());
            }
            (key, rest) = ("+", after);
        }
    }
}
