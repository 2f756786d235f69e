//! Memory that a hypercall reads and writes: pages of `/dev/xen/hypercall`, which the
//! kernel neither moves nor swaps while they are mapped.

use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{Error, PAGE_SIZE};

/// An address that Xen reads from or writes to: a `XEN_GUEST_HANDLE_64`. Only a
/// [`Buffer`] gives one.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Handle(u64);

impl Handle {
    pub(crate) const NULL: Self = Self(0);

    pub(crate) const fn address(self) -> u64 {
        self.0
    }
}

/// What stands where Xen expects an array. For tests of its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoArray {
    /// A null handle.
    Null,
    /// An address at which nothing can be mapped.
    Unmapped,
}

impl NoArray {
    pub(crate) const fn handle(self) -> Handle {
        match self {
            Self::Null => Handle::NULL,
            // Not canonical with 48 bits, nor with 57.
            Self::Unmapped => Handle(1 << 62),
        }
    }
}

/// An array for hypercalls.
pub(crate) struct Buffer<T> {
    start: NonNull<T>,
    len: usize,
    mapped: usize,
    _elements: PhantomData<T>,
}

impl<T: FromBytes + IntoBytes + Immutable> Buffer<T> {
    /// An array of `len` elements, all bytes zero.
    pub(crate) fn zeroed(device: &File, len: usize) -> Result<Self, Error> {
        const {
            assert!(align_of::<T>() <= PAGE_SIZE);
        }
        let failed = |source| Error::Device { what: "/dev/xen/hypercall, mmap", source };
        let bytes =
            len.checked_mul(size_of::<T>()).and_then(|n| n.checked_next_multiple_of(PAGE_SIZE));
        let mapped = bytes.ok_or_else(|| failed(io::ErrorKind::OutOfMemory.into()))?.max(PAGE_SIZE);
        // SAFETY: no address is asked for, so no mapping of this process is replaced; the
        // result is checked before it is used.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                mapped,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                device.as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(failed(io::Error::last_os_error()));
        }
        match NonNull::new(start.cast::<T>()) {
            Some(start) => {
                let mut buffer = Self { start, len, mapped, _elements: PhantomData };
                buffer.as_mut_slice().as_mut_bytes().fill(0);
                Ok(buffer)
            }
            None => Err(failed(io::ErrorKind::OutOfMemory.into())),
        }
    }

    /// A copy of `elements`.
    pub(crate) fn copy_of(device: &File, elements: &[T]) -> Result<Self, Error>
    where
        T: Copy,
    {
        let mut buffer = Self::zeroed(device, elements.len())?;
        buffer.as_mut_slice().copy_from_slice(elements);
        Ok(buffer)
    }

    pub(crate) const fn as_slice(&self) -> &[T] {
        // SAFETY: the mapping has `len` elements from `start` on, page-aligned and so aligned
        // for T; any bytes are a T (FromBytes); Xen writes to them only inside a hypercall,
        // and none runs while a reference lives, as only methods of this crate make one and
        // none of them keeps a slice across a call.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    pub(crate) const fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as for `as_slice`; `&mut self` makes this the only reference.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    /// The address for Xen. An empty array has a valid address, too.
    pub(crate) fn handle(&mut self) -> Handle {
        // The target has 64-bit addresses: lib.rs says so and `device.rs` asserts it.
        Handle(u64::try_from(self.start.as_ptr().expose_provenance()).unwrap_or(0))
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping that `zeroed` made; no reference into it outlives the
        // buffer that it borrows from.
        let unmapped = unsafe { libc::munmap(self.start.as_ptr().cast(), self.mapped) };
        debug_assert_eq!(unmapped, 0);
    }
}
