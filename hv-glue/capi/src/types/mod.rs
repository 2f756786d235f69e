//! The structures that cross the C border. Those that are not part of another begin with
//! their size and version, so that each side can tell an older other side;
//! elements of arrays have a fixed layout. Addresses are in bytes and ranges
//! exclude their end.

mod dom0;
mod guest;
mod ids;
mod tables;

pub use dom0::*;
pub use guest::*;
pub use ids::*;
pub use tables::*;

/// The version that every versioned structure carries.
pub const HVG_VERSION: u32 = 1;
/// No proximity domain, node or vnode.
pub const HVG_NONE: u32 = 0xFFFF_FFFF;
/// The most vnodes of a guest.
pub const HVG_MAX_VNODES: usize = 32;

/// Where a call failed; hvg_strerror() has the words. Optional everywhere: a null pointer
/// takes no report.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgError {
    /// sizeof(struct hvg_error).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// The rule that was broken, one of HVG_WHAT_*.
    pub what: u32,
    /// 0.
    pub reserved: u32,
    /// An element, or a bound.
    pub index: u64,
    /// The number that is wrong.
    pub value: u64,
}

/// The memory may be added or removed at run time.
pub const HVG_MEMORY_HOTPLUG: u32 = 1;
/// The memory keeps its contents without power.
pub const HVG_MEMORY_NONVOLATILE: u32 = 2;

/// A structure that begins with its size and version.
pub(crate) trait Versioned {}

macro_rules! versioned {
    ($($name:ty),* $(,)?) => { $(
        impl Versioned for $name {}
    )* };
}

versioned!(
    HvgError, HvgHost, HvgRequest, HvgGate, HvgMap, HvgLayout, HvgShape, HvgCpuid, HvgStep,
    HvgGuest, HvgTables, HvgPlaced,
);
