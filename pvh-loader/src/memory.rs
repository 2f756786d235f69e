//! The guest memory that a plan is carried out in.

use acpi_gen::{Gpa, GpaRange};

use crate::bytes::len64;

/// The guest memory did not take all that was to be written; [`Error::WriteFailed`]
/// then says what that was.
///
/// [`Error::WriteFailed`]: crate::Error::WriteFailed
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotWritten;

/// Memory that holds a guest. A loader first asks for every range with
/// [`has`](Self::has), and only then writes.
pub trait GuestMemory {
    /// Whether all of `range` is there to be written.
    fn has(&self, range: GpaRange) -> bool;

    /// Writes `bytes` from `at` on.
    ///
    /// # Errors
    /// [`NotWritten`] where not all of it could be written.
    fn write(&mut self, at: Gpa, bytes: &[u8]) -> Result<(), NotWritten>;

    /// Fills `range` with zeros.
    ///
    /// # Errors
    /// [`NotWritten`] where not all of it could be written.
    fn zero(&mut self, range: GpaRange) -> Result<(), NotWritten>;
}

/// Guest memory in a slice.
#[derive(Debug)]
pub struct SliceMemory<'m> {
    base: Gpa,
    bytes: &'m mut [u8],
}

impl<'m> SliceMemory<'m> {
    /// Guest memory whose first byte has the guest address `base`.
    #[must_use]
    pub const fn new(base: Gpa, bytes: &'m mut [u8]) -> Self {
        Self { base, bytes }
    }

    fn part(&mut self, at: Gpa, len: u64) -> Result<&mut [u8], NotWritten> {
        let range = offsets(self.base, at, len);
        range.and_then(|range| self.bytes.get_mut(range)).ok_or(NotWritten)
    }
}

fn offsets(base: Gpa, at: Gpa, len: u64) -> Option<core::ops::Range<usize>> {
    let start = usize::try_from(at.0.checked_sub(base.0)?).ok()?;
    Some(start..start.checked_add(usize::try_from(len).ok()?)?)
}

impl GuestMemory for SliceMemory<'_> {
    fn has(&self, range: GpaRange) -> bool {
        offsets(self.base, range.start(), range.size())
            .is_some_and(|range| self.bytes.get(range).is_some())
    }

    fn write(&mut self, at: Gpa, bytes: &[u8]) -> Result<(), NotWritten> {
        let part = self.part(at, len64(bytes.len()))?;
        // Not `copy_from_slice`, whose check of the lengths would stay as a panic path.
        for (to, from) in part.iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(())
    }

    fn zero(&mut self, range: GpaRange) -> Result<(), NotWritten> {
        self.part(range.start(), range.size())?.fill(0);
        Ok(())
    }
}
