//! The bodies of the new hypercalls, over whatever copies to and from the guest.

mod apic_ids;
mod mfn_pxms;
mod vnuma;

pub use apic_ids::{VcpuApicIds, get_vcpu_apicids};
pub use mfn_pxms::{INVALID_NUMA_ID, MAX_MFNS, MfnPxms, PxmMap, PxmRange, get_mfn_pxms};
pub use vnuma::{VnumaInfo, check_vnumainfo};

use crate::Error;

/// A Xen error number, positive, as in Xen public/errno.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Errno(pub i32);

impl Errno {
    /// Not the hardware domain.
    pub const EPERM: Self = Self(1);
    /// More than one call takes.
    pub const E2BIG: Self = Self(7);
    /// No memory lent for it.
    pub const ENOMEM: Self = Self(12);
    /// A guest handle that cannot be copied to or from.
    pub const EFAULT: Self = Self(14);
    /// An argument that says nothing sensible.
    pub const EINVAL: Self = Self(22);
    /// A number that does not fit.
    pub const ERANGE: Self = Self(34);
    /// The guest's buffer is too short.
    pub const ENOBUFS: Self = Self(105);
}

impl Error {
    /// What a hypercall answers for it: `ERANGE` for an id or field that does not
    /// fit, `ENOMEM` for memory that the hypervisor lent too little of, else `EINVAL`.
    #[must_use]
    pub const fn errno(&self) -> Errno {
        match self {
            Self::ApicIdAboveLimit { .. }
            | Self::NoEncodingFits { .. }
            | Self::CpuidFieldOverflow { .. } => Errno::ERANGE,
            Self::ScratchTooSmall { .. } | Self::OutputTooSmall { .. } => Errno::ENOMEM,
            _ => Errno::EINVAL,
        }
    }
}

/// A copy to or from the guest failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault;

/// A guest's array to read from: a `XEN_GUEST_HANDLE` with `copy_from_guest_offset()`.
pub trait GuestInput<T> {
    /// The element at `index`.
    ///
    /// # Errors
    /// [`Fault`] where the guest's memory cannot be read.
    fn read(&mut self, index: u32) -> Result<T, Fault>;
}

/// A guest's array to write to: a `XEN_GUEST_HANDLE` with `copy_to_guest_offset()`.
pub trait GuestOutput<T> {
    /// `guest_handle_is_null()`.
    fn is_null(&self) -> bool;

    /// Stores the element at `index`.
    ///
    /// # Errors
    /// [`Fault`] where the guest's memory cannot be written.
    fn write(&mut self, index: u32, value: T) -> Result<(), Fault>;
}
