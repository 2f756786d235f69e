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
//! Other architectures than x86-64, and toolstack interfaces other than those in
//! [`DOMCTL_VERSIONS`] and [`SYSCTL_VERSIONS`] (Xen 4.17 to 4.22). Domctls other than
//! `get_vcpu_apicids` need version 0x17 (Xen 4.19 to 4.21).

mod apic_ids;
mod buffer;
mod console;
mod cpu_policy;
mod device;
mod domain;
mod domain_info;
mod domctl;
mod error;
mod foreign;
mod host;
mod hvm;
mod memory;
mod mirror;
mod save;
mod sysctl;
mod versions;
mod vnuma;

pub use apic_ids::{ApicIdQuery, MfnPxmsReserved};
pub use buffer::NoArray;
pub use cpu_policy::{CpuPolicy, CpuidLeaf, MsrEntry, SystemPolicy};
pub use device::Xen;
pub use domain::{
    CreateDomain, DOMID_FIRST_RESERVED, DomainFlags, DomainId, EmulationFlags, TscMode,
};
pub use domain_info::{DomainInfo, Shutdown};
pub use error::{Errno, Error};
pub use foreign::ForeignPages;
pub use host::{HostNode, HostNuma};
pub use hvm::HvmParam;
pub use memory::{Populate, PopulateNode};
pub use mirror::{Constant, Group, Mirror, Scope, groups};
pub use save::{HvmCpu, HvmMtrr, Record, RecordWriter, SaveError, records};
pub use versions::{DOMCTL_VERSIONS, Evidence, SYSCTL_VERSIONS, Version};
pub use vnuma::{Vmemrange, Vnuma, VnumaInfo};

/// The page size: 4 KiB.
pub const PAGE_SIZE: usize = 4096;
