//! A set on the heap, for programs with an allocator.

use alloc::vec;
use alloc::vec::Vec;

use crate::{Error, Gpa, TableSet};

impl TableSet<'_> {
    /// The whole set, which the guest will see at `base`.
    ///
    /// # Errors
    /// Those of [`TableSet::emit`], but for a buffer that is too small.
    pub fn to_vec(&self, base: Gpa) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; self.len()?];
        self.emit(&mut bytes, base)?;
        Ok(bytes)
    }
}
