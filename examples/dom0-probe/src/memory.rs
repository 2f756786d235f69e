//! Memory of dom0's that its kernel has no file for: firmware's.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Bytes of a page.
const PAGE: u64 = 4096;

/// A part of physical memory, under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// For the reader.
    pub(crate) name: String,
    start: u64,
    len: u64,
}

impl Part {
    /// `NAME@ADDRESS+LENGTH`, the numbers as [`crate::number`] has them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, range) = text.split_once('@')?;
        let (start, len) = range.split_once('+')?;
        Some(Self { name: name.into(), start: crate::number(start)?, len: crate::number(len)? })
    }

    /// Its bytes. A mapping, since reading /dev/mem ends at the last RAM; and without
    /// `O_SYNC`, which asks for another memory type than the kernel's own mapping has.
    pub(crate) fn read(&self) -> io::Result<Vec<u8>> {
        let too_far = || io::Error::from(io::ErrorKind::InvalidInput);
        let skipped = self.start % PAGE;
        let first = self.start.saturating_sub(skipped);
        let skipped = usize::try_from(skipped).map_err(|_| too_far())?;
        let len = usize::try_from(self.len).map_err(|_| too_far())?;
        let mapped = skipped.checked_add(len).filter(|_| len > 0).ok_or_else(too_far)?;
        let offset = libc::off_t::try_from(first).map_err(|_| too_far())?;
        let file = File::open("/dev/mem")?;
        // SAFETY: no address is asked for, so no mapping of this process is replaced.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                mapped,
                libc::PROT_READ,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                offset,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `skipped + len` bytes are mapped from `start` on; nobody writes to
        // firmware's tables.
        let bytes = unsafe { std::slice::from_raw_parts(start.cast::<u8>().add(skipped), len) };
        let bytes = bytes.to_vec();
        // SAFETY: exactly the mapping from above, to which no reference is left.
        let unmapped = unsafe { libc::munmap(start, mapped) };
        debug_assert_eq!(unmapped, 0);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_a_name_an_address_and_a_length() {
        let expected = Part { name: "XSDT".into(), start: 0x7FFD_EEFA, len: 60 };
        assert_eq!(Part::parse("XSDT@0x7ffdeefa+60"), Some(expected));
        for wrong in ["", "1", "@+", "XSDT", "XSDT@1", "XSDT@1+", "XSDT@+1", "XSDT+1@1"] {
            assert_eq!(Part::parse(wrong), None, "{wrong}");
        }
    }
}
