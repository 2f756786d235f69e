//! The two devices, and the one place where a hypercall is issued.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::buffer::Buffer;
use crate::mirror::{Group, Scope, constants};
use crate::{Errno, Error};

const _: () = assert!(cfg!(all(target_os = "linux", target_arch = "x86_64")));

const PRIVCMD: &str = "/dev/xen/privcmd";
const BUFFERS: &str = "/dev/xen/hypercall";

/// A hypercall's number. Xen public/xen.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Number(u64);

impl Number {
    pub(crate) const MEMORY_OP: Self = Self(12);
    pub(crate) const HVM_OP: Self = Self(34);
    pub(crate) const SYSCTL: Self = Self(35);
    pub(crate) const DOMCTL: Self = Self(36);
}

pub(crate) const GROUPS: &[Group] = &[Group {
    scope: Scope::Every,
    mirrors: &[],
    constants: constants! {
    __HYPERVISOR_memory_op = Number::MEMORY_OP.0,
    __HYPERVISOR_hvm_op = Number::HVM_OP.0,
    __HYPERVISOR_sysctl = Number::SYSCTL.0,
    __HYPERVISOR_domctl = Number::DOMCTL.0,
    },
}];

/// `struct privcmd_hypercall` of Linux' uapi/xen/privcmd.h.
#[repr(C)]
struct PrivcmdHypercall {
    op: u64,
    arguments: [u64; 5],
}

/// `_IOC(_IOC_NONE, 'P', number, size)`.
pub(crate) const fn privcmd_ioctl(number: u8, size: u16) -> libc::c_ulong {
    let [low, high] = size.to_le_bytes();
    u64::from_le_bytes([number, b'P', low, high, 0, 0, 0, 0])
}

const _: () = assert!(size_of::<PrivcmdHypercall>() == 48);
const IOCTL_HYPERCALL: libc::c_ulong = privcmd_ioctl(0, 48);

/// The hypervisor, as a control domain reaches it.
#[derive(Debug)]
pub struct Xen {
    privcmd: File,
    buffers: File,
}

impl Xen {
    /// Opens the kernel's devices; the modules `xen-privcmd` and, for the hypercall of
    /// an unprivileged domain, nothing else need to be loaded.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn open() -> Result<Self, Error> {
        let open = |path| {
            OpenOptions::new()
                .read(true)
                .write(true)
                .open(path)
                .map_err(|source| Error::Device { what: path, source })
        };
        Ok(Self { privcmd: open(PRIVCMD)?, buffers: open(BUFFERS)? })
    }

    pub(crate) const fn privcmd(&self) -> &File {
        &self.privcmd
    }

    pub(crate) fn zeroed<T>(&self, len: usize) -> Result<Buffer<T>, Error>
    where
        T: FromBytes + IntoBytes + Immutable,
    {
        Buffer::zeroed(&self.buffers, len)
    }

    pub(crate) fn copy_of<T>(&self, elements: &[T]) -> Result<Buffer<T>, Error>
    where
        T: FromBytes + IntoBytes + Immutable + Copy,
    {
        Buffer::copy_of(&self.buffers, elements)
    }

    /// Issues a hypercall. `call` is its name for errors.
    ///
    /// # Safety
    /// Every address in `arguments`, and every address in what they point to, is null or
    /// that of a [`Buffer`] as long as the call takes it to be, to which no reference exists.
    pub(crate) unsafe fn hypercall(
        &self,
        call: &'static str,
        number: Number,
        arguments: [u64; 5],
    ) -> Result<u64, Error> {
        let mut request = PrivcmdHypercall { op: number.0, arguments };
        // SAFETY: the ioctl reads the structure that it is declared with, which lives until
        // it returns; what Xen does with the addresses in it is the caller's promise.
        let result =
            unsafe { libc::ioctl(self.privcmd.as_raw_fd(), IOCTL_HYPERCALL, &raw mut request) };
        // The kernel gives Xen's negative answer as errno.
        u64::try_from(result).map_err(|_| {
            let errno = io::Error::last_os_error().raw_os_error().unwrap_or(0);
            Error::Refused { call, errno: Errno(errno) }
        })
    }
}
