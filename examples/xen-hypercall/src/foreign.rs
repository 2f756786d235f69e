//! Writing into another domain's memory.

use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;

use crate::device::{Xen, privcmd_ioctl};
use crate::domain::DomainId;
use crate::{Errno, Error, PAGE_SIZE};

/// `struct privcmd_mmapbatch_v2` of Linux' uapi/xen/privcmd.h.
#[repr(C)]
struct MapBatch {
    num: u32,
    dom: u16,
    addr: u64,
    arr: *const u64,
    err: *mut i32,
}

const _: () = assert!(size_of::<MapBatch>() == 32);
const IOCTL_MAP_BATCH: libc::c_ulong = privcmd_ioctl(4, 32);

/// Frames of another domain, mapped here one behind the other.
#[derive(Debug)]
pub struct ForeignPages {
    start: NonNull<u8>,
    len: usize,
}

impl Xen {
    /// Maps frames of another domain for writing.
    ///
    /// # Errors
    /// [`Error::Device`], and [`Error::NotMapped`] with the first frame that cannot be.
    pub fn map_foreign(&self, domain: DomainId, frames: &[u64]) -> Result<ForeignPages, Error> {
        const WHAT: &str = "/dev/xen/privcmd, mmap";
        let failed = |source| Error::Device { what: WHAT, source };
        let too_many = || failed(io::ErrorKind::InvalidInput.into());
        let len = frames.len().checked_mul(PAGE_SIZE).ok_or_else(too_many)?;
        let num = u32::try_from(frames.len()).map_err(|_| too_many())?;
        // SAFETY: no address is asked for, so no mapping of this process is replaced; the
        // result is checked before it is used.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                self.privcmd().as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(failed(io::Error::last_os_error()));
        }
        let start = NonNull::new(start.cast::<u8>()).ok_or_else(too_many)?;
        // From here on dropping unmaps.
        let pages = ForeignPages { start, len };
        let mut errors = vec![0_i32; frames.len()];
        let mut batch = MapBatch {
            num,
            dom: domain.0,
            addr: u64::try_from(start.as_ptr().expose_provenance()).unwrap_or(0),
            arr: frames.as_ptr(),
            err: errors.as_mut_ptr(),
        };
        // SAFETY: `arr` and `err` have `num` elements each, `addr` is a mapping of this very
        // device with as many pages, and all live until the call returns.
        let result =
            unsafe { libc::ioctl(self.privcmd().as_raw_fd(), IOCTL_MAP_BATCH, &raw mut batch) };
        if let Some((&frame, &error)) = frames.iter().zip(&errors).find(|(_, error)| **error != 0) {
            return Err(Error::NotMapped { frame, errno: Errno(error.saturating_neg()) });
        }
        if result != 0 {
            return Err(failed(io::Error::last_os_error()));
        }
        Ok(pages)
    }
}

impl ForeignPages {
    /// Writes `bytes` at `offset`; false where they do not fit, and then nothing is written.
    #[must_use]
    pub fn write(&mut self, offset: usize, bytes: &[u8]) -> bool {
        let fits = offset.checked_add(bytes.len()).is_some_and(|end| end <= self.len);
        if fits {
            // SAFETY: the destination lies inside the mapping, which nothing else in this
            // process refers to. The other domain may look at its memory at any time, but no
            // reference to these bytes exists on this side.
            unsafe {
                let to = self.start.as_ptr().add(offset);
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
            }
        }
        fits
    }
}

impl Drop for ForeignPages {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping that `map_foreign` made.
        let unmapped = unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
        debug_assert_eq!(unmapped, 0);
    }
}
