#![no_std]
#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

#[cfg(test)]
extern crate std;

mod apic;
pub mod cpuid;
mod describe;
pub mod e820;
mod error;
mod error_text;
mod gate;
mod guest;
mod host;
pub mod hypercall;
mod layout;
mod memblk;
pub mod opt_in;
pub mod populate;
mod units;

pub use apic::{
    ApicIds, Numbering, PackageShape, Placement, Scheme, Stride, legacy_id, legacy_vcpus_per_node,
};
pub use describe::DescriptionMemory;
pub use error::Error;
pub use gate::{Condition, ConditionName, Coverage, Gate, GateInput};
pub use guest::{GuestNode, GuestRequest};
pub use host::{HostCpu, HostFacts};
pub use layout::{Layout, LayoutMemory, LayoutSize, Limits, Stretch, Vmemrange};
pub use memblk::{MemoryBlock, MemoryBlocks};
pub use units::{Frames, NodeId, PAGE_SIZE, PcpuId, Pfn, VcpuId, VnodeId};
