//! Files in an uncompressed cpio archive, format "newc", as `cpio -o -H newc`
//! writes it. Linux Documentation/driver-api/early-userspace/buffer-format.rst.

use crate::Error;

const MAGIC: &[u8] = b"070701";
/// The magic number and 13 fields of 8 hexadecimal digits.
const HEADER: usize = 6 + 13 * 8;
/// Fields, counted from 0.
const FILE_SIZE: usize = 6;
const NAME_SIZE: usize = 11;
/// The name of the entry behind the last file.
const TRAILER: &[u8] = b"TRAILER!!!";

/// An archive in memory.
#[derive(Clone, Copy, Debug)]
pub struct Archive<'a>(pub &'a [u8]);

impl<'a> Archive<'a> {
    /// The contents of the first file of that name, or `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Archive`] where something in front of the file is no archive entry.
    pub fn file(self, name: &str) -> Result<Option<&'a [u8]>, Error> {
        let mut offset = 0_usize;
        loop {
            let fail = |what| Error::Archive { offset, what };
            let header = self.part(offset, HEADER).ok_or(fail("an entry's header is not whole"))?;
            if !header.starts_with(MAGIC) {
                return Err(fail("not a cpio entry of format newc, which starts with 070701"));
            }
            let field = |index| field(header, index).ok_or(fail("a field is not hexadecimal"));
            let (name_size, size) = (field(NAME_SIZE)?, field(FILE_SIZE)?);
            let name_at = offset.saturating_add(HEADER);
            let name_end = name_at.saturating_add(name_size);
            let contents_at = name_end.checked_next_multiple_of(4).unwrap_or(usize::MAX);
            let here = self.part(name_at, name_size).ok_or(fail("an entry's name is not whole"))?;
            let here = here.split_last().map_or(here, |(_, without_zero)| without_zero);
            if here == TRAILER {
                return Ok(None);
            }
            let contents = self.part(contents_at, size).ok_or(fail("a file is not whole"))?;
            if here == name.as_bytes() {
                return Ok(Some(contents));
            }
            let end = contents_at.saturating_add(size);
            offset = end.checked_next_multiple_of(4).unwrap_or(usize::MAX);
        }
    }

    fn part(self, start: usize, len: usize) -> Option<&'a [u8]> {
        self.0.get(start..start.checked_add(len)?)
    }
}

fn field(header: &[u8], index: usize) -> Option<usize> {
    let digits = header.get(MAGIC.len()..)?.chunks_exact(8).nth(index)?;
    usize::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    /// An archive of two files, by cpio itself.
    fn archive() -> Vec<u8> {
        let folder = std::env::temp_dir().join(format!("pvh-boot-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("kernel"), b"12345").unwrap();
        std::fs::write(folder.join("topology.toml"), b"").unwrap();
        let mut cpio = Command::new("cpio")
            .args(["-o", "-H", "newc", "--quiet"])
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        cpio.stdin.take().unwrap().write_all(b"kernel\ntopology.toml\n").unwrap();
        let out = cpio.wait_with_output().unwrap().stdout;
        std::fs::remove_dir_all(folder).unwrap();
        out
    }

    #[test]
    fn finds_files_by_name_and_refuses_a_cut_archive() {
        let bytes = archive();
        let archive = Archive(&bytes);
        assert_eq!(archive.file("kernel"), Ok(Some(&b"12345"[..])));
        assert_eq!(archive.file("topology.toml"), Ok(Some(&b""[..])));
        assert_eq!(archive.file("initrd"), Ok(None));
        let whole = archive.file("initrd");
        for len in 0..bytes.len() {
            let cut = Archive(&bytes[..len]).file("initrd");
            assert!(cut.is_err() || cut == whole, "cut to {len} bytes");
        }
        assert!(Archive(&bytes[..200]).file("initrd").is_err());
        assert!(matches!(Archive(b"").file("x"), Err(Error::Archive { offset: 0, .. })));
        assert!(matches!(Archive(&[b'0'; 200]).file("x"), Err(Error::Archive { offset: 0, .. })));
    }
}
