#![no_std]
#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod apic;
pub mod cpuid;
pub mod e820;
mod error;
mod gate;
pub mod hypercall;
mod layout;
mod plan;
pub mod populate;
mod units;

pub use apic::{ApicIds, Numbering, PackageShape, Placement, Scheme, Stride, legacy_id};
pub use error::Error;
pub use gate::{Condition, ConditionName, Gate};
pub use layout::Layout;
#[cfg(any(feature = "alloc", test))]
pub use plan::OwnedArena;
pub use plan::{
    Arena, ArenaSize, Dom0Plan, Dom0Request, GuestPlan, GuestRequest, HostCpu, HostFacts,
    MemoryBlock, MemoryRequest,
};
pub use units::{Frames, NodeId, PAGE_SIZE, PcpuId, Pfn, VcpuId, VnodeId};

/// The highest APIC id of a guest: no guest of Xen has interrupt remapping or the extended
/// destination id, so device interrupts do not reach higher ones, and Linux refuses them.
pub(crate) const APIC_ID_LIMIT: acpi_gen::ApicId = acpi_gen::ApicId::MAX_XAPIC;

#[cfg(test)]
mod tests;
