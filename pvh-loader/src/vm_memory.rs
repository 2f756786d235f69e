//! Guest memory of rust-vmm's `vm-memory` crate.

use acpi_gen::{Gpa, GpaRange};
use vm_memory::{Bytes, GuestAddress, GuestMemoryBackend};

use crate::bytes::len64;
use crate::{GuestMemory, NotWritten};

/// A guest's memory as `vm-memory` keeps it, such as its `GuestMemoryMmap`.
#[derive(Debug)]
pub struct VmMemory<'m, M: ?Sized>(pub &'m M);

impl<M: GuestMemoryBackend + ?Sized> GuestMemory for VmMemory<'_, M> {
    fn has(&self, range: GpaRange) -> bool {
        usize::try_from(range.size())
            .is_ok_and(|size| self.0.check_range(GuestAddress(range.start().0), size))
    }

    fn write(&mut self, at: Gpa, bytes: &[u8]) -> Result<(), NotWritten> {
        self.0.write_slice(bytes, GuestAddress(at.0)).map_err(|_| NotWritten)
    }

    fn zero(&mut self, range: GpaRange) -> Result<(), NotWritten> {
        const ZEROS: [u8; 4096] = [0; 4096];
        let mut at = range.start();
        while at < range.end() {
            let left = range.end().0.saturating_sub(at.0);
            let len = usize::try_from(left).unwrap_or(usize::MAX);
            let chunk = ZEROS.get(..len).unwrap_or(&ZEROS);
            self.write(at, chunk)?;
            at = Gpa(at.0.saturating_add(len64(chunk.len())));
        }
        Ok(())
    }
}
