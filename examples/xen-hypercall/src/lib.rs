//! Hypercalls of a Xen toolstack as typed functions, through `/dev/xen/privcmd` and
//! `/dev/xen/hypercall`, with neither libxenctrl nor a daemon.
//!
//! Only what this repository's programs need is here. Every structure is a mirror of
//! one in Xen's public headers: its size and the offset of each field are asserted at
//! compile time, and `xen-header-check` prints the same as a C program, so that a
//! compiler can say whether the headers agree.
//!
//! All calls block. A call that Xen refuses is an [`Error`] with the call's name and
//! Xen's error number.
//!
//! # Not supported
//! Other architectures than x86-64, and toolstack interfaces other than
//! [`DOMCTL_VERSION`] and [`SYSCTL_VERSION`] (Xen 4.20 and 4.21): structures change
//! with these numbers, and Xen refuses another one than its own.

mod apic_ids;
mod buffer;
mod console;
mod cpu_policy;
mod device;
mod domain;
mod domctl;
mod error;
mod foreign;
mod host;
mod hvm;
mod memory;
mod mirror;
mod save;
mod sysctl;
mod vnuma;

pub use apic_ids::ApicIdQuery;
pub use buffer::NoArray;
pub use cpu_policy::{CpuPolicy, CpuidLeaf, MsrEntry, SystemPolicy};
pub use device::Xen;
pub use domain::{
    CreateDomain, DOMID_FIRST_RESERVED, DomainFlags, DomainId, DomainInfo, EmulationFlags,
    Shutdown, TscMode,
};
pub use domctl::DOMCTL_VERSION;
pub use error::{Errno, Error};
pub use foreign::ForeignPages;
pub use host::{HostNode, HostNuma};
pub use hvm::HvmParam;
pub use memory::{Populate, PopulateNode};
pub use mirror::{Constant, Mirror, constants, mirrors};
pub use save::{HvmCpu, HvmMtrr, Record, RecordWriter, SaveError, records};
pub use sysctl::SYSCTL_VERSION;
pub use vnuma::{Vmemrange, Vnuma, VnumaInfo};

/// The page size: 4 KiB.
pub const PAGE_SIZE: usize = 4096;
