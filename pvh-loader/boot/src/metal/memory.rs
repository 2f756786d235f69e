//! Physical memory that is mapped at its own addresses.

use core::{ptr, slice};

use acpi_gen::{Gpa, GpaRange, Physical};
use pvh_loader::{GuestMemory, NotWritten};

/// The machine's memory, up to an end.
#[derive(Clone, Copy, Debug)]
pub struct IdentityMapped {
    end: u64,
}

impl IdentityMapped {
    /// Memory up to and without `end`.
    ///
    /// # Safety
    /// - Every address below `end` that anything asks this value for is mapped at itself
    ///   for as long as the program runs, and writable where it is RAM.
    /// - What is read through this value (start info, modules, firmware's tables) is
    ///   written by nobody while the program runs.
    /// - What is written through it, the ranges of a [`Plan`](pvh_loader::Plan), is RAM
    ///   that belongs to nobody else: the plan's reserved ranges hold the program itself,
    ///   its heap, its stack and what it reads.
    #[must_use]
    pub const unsafe fn new(end: u64) -> Self {
        Self { end }
    }

    /// The `len` bytes from `at` on, or `None` past the end and at address 0.
    #[must_use]
    pub fn get(self, at: u64, len: u64) -> Option<&'static [u8]> {
        at.checked_add(len).filter(|end| at > 0 && *end <= self.end)?;
        let start = ptr::with_exposed_provenance(usize::try_from(at).ok()?);
        // SAFETY: the range lies below the end, which `new`'s caller vouches is mapped and
        // not written to where it is read. Bytes need no alignment.
        Some(unsafe { slice::from_raw_parts(start, usize::try_from(len).ok()?) })
    }

    /// Where to write `len` bytes.
    fn place(self, at: Gpa, len: u64) -> Result<(*mut u8, usize), NotWritten> {
        let inside = at.0.checked_add(len).is_some_and(|end| at.0 > 0 && end <= self.end);
        match (usize::try_from(at.0), usize::try_from(len)) {
            (Ok(start), Ok(len)) if inside => Ok((ptr::with_exposed_provenance_mut(start), len)),
            _ => Err(NotWritten),
        }
    }
}

impl Physical for IdentityMapped {
    fn bytes(&self, at: Gpa, len: usize) -> Option<&[u8]> {
        self.get(at.0, u64::try_from(len).ok()?)
    }
}

impl GuestMemory for IdentityMapped {
    fn has(&self, range: GpaRange) -> bool {
        range.start().0 > 0 && range.end().0 <= self.end
    }

    fn write(&mut self, at: Gpa, bytes: &[u8]) -> Result<(), NotWritten> {
        let (to, len) = self.place(at, u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
        // SAFETY: `new`'s caller vouches that a plan's ranges are mapped RAM that is nobody
        // else's, so they do not overlap `bytes` either.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, len) };
        Ok(())
    }

    fn zero(&mut self, range: GpaRange) -> Result<(), NotWritten> {
        let (to, len) = self.place(range.start(), range.size())?;
        // SAFETY: as in `write`.
        unsafe { ptr::write_bytes(to, 0, len) };
        Ok(())
    }
}
