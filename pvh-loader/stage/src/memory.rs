//! Physical memory below 4 GiB, which the stage's page tables map where it is.

use core::{ptr, slice};

use acpi_gen::{Gpa, GpaRange};
use pvh_boot::Physical;
use pvh_loader::{Error, GuestMemory};

/// The end of what is mapped.
const END: u64 = 1 << 32;

/// The machine's memory.
///
/// Reads hand out slices without an owner. That is sound as the stage is used: it reads
/// what QEMU wrote before it started (start info, module, firmware's tables) and never
/// writes there, because those ranges are reserved in its plan or are not RAM.
pub(crate) struct Machine;

impl Machine {
    /// The bytes of `len` from `at` on, for as long as the stage runs.
    pub(crate) fn get(&self, at: u64, len: u64) -> Option<&'static [u8]> {
        let end = at.checked_add(len).filter(|end| at > 0 && *end <= END)?;
        debug_assert!(end <= END);
        let start = ptr::with_exposed_provenance(usize::try_from(at).ok()?);
        // SAFETY: the range is below 4 GiB, which is mapped whole, and nothing writes to it.
        Some(unsafe { slice::from_raw_parts(start, usize::try_from(len).ok()?) })
    }
}

impl Physical for Machine {
    fn bytes(&self, at: Gpa, len: usize) -> Option<&[u8]> {
        self.get(at.0, u64::try_from(len).ok()?)
    }
}

impl GuestMemory for Machine {
    fn has(&self, range: GpaRange) -> bool {
        range.start().0 > 0 && range.end().0 <= END
    }

    fn write(&mut self, at: Gpa, bytes: &[u8]) -> Result<(), Error> {
        let to = place(at)?;
        // SAFETY: the loader writes only to the ranges of its plan, which are RAM below
        // 4 GiB that the plan's reserved ranges leave: no part of this program, its heap or
        // what it reads from.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        Ok(())
    }

    fn zero(&mut self, range: GpaRange) -> Result<(), Error> {
        let failed = Error::WriteFailed { at: range.start(), len: range.size() };
        let len = usize::try_from(range.size()).map_err(|_| failed)?;
        // SAFETY: as in `write`.
        unsafe { ptr::write_bytes(place(range.start())?, 0, len) };
        Ok(())
    }
}

fn place(at: Gpa) -> Result<*mut u8, Error> {
    let address = usize::try_from(at.0).map_err(|_| Error::WriteFailed { at, len: 0 })?;
    Ok(ptr::with_exposed_provenance_mut(address))
}
