//! Giving a domain its memory.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::Error;
use crate::buffer::Handle;
use crate::device::{Number, Xen};
use crate::domain::DomainId;
use crate::mirror::{Group, Scope, constants, mirror};

/// `struct xen_memory_reservation`.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct ReservationCall {
    extent_start: Handle,
    nr_extents: u64,
    extent_order: u32,
    mem_flags: u32,
    domid: u16,
    tail: [u16; 3],
}

mirror!(ReservationCall = "struct xen_memory_reservation": 32 {
    extent_start @ 0, nr_extents @ 8, extent_order @ 16, mem_flags @ 20, domid @ 24 | tail @ 26
});

const XENMEM_POPULATE_PHYSMAP: u64 = 6;
const EXACT_NODE: u32 = 1 << 17;

/// `XENMEMF_node(n)`.
const fn node_flag(node: u8) -> u32 {
    // Two steps of at most 255 and 8 bits: nothing is lost.
    u32::from_le_bytes([0, node.wrapping_add(1), 0, 0])
}

pub(crate) const GROUPS: &[Group] = &[Group {
    scope: Scope::Every,
    mirrors: &[ReservationCall::MIRROR],
    constants: constants! {
        XENMEM_populate_physmap = XENMEM_POPULATE_PHYSMAP,
        XENMEMF_exact_node_request = 1 << 17,
    },
}];

/// Where memory comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PopulateNode {
    /// Anywhere.
    Any,
    /// This host node and no other.
    Exact(u8),
}

/// Memory to be given to a domain.
#[derive(Clone, Copy, Debug)]
pub struct Populate<'a> {
    /// First guest frame of each extent.
    pub frames: &'a [u64],
    /// Each extent has 2^order pages.
    pub order: u32,
    /// Where it comes from.
    pub node: PopulateNode,
}

impl Xen {
    /// Gives a domain memory, and returns how many extents it got.
    /// `XENMEM_populate_physmap`.
    ///
    /// # Errors
    /// Xen's.
    pub fn populate(&self, domain: DomainId, populate: &Populate<'_>) -> Result<usize, Error> {
        let mut frames = self.copy_of(populate.frames)?;
        let call = ReservationCall {
            extent_start: frames.handle(),
            nr_extents: u64::try_from(populate.frames.len()).unwrap_or(0),
            extent_order: populate.order,
            mem_flags: match populate.node {
                PopulateNode::Any => 0,
                PopulateNode::Exact(node) => node_flag(node) | EXACT_NODE,
            },
            domid: domain.0,
            tail: [0; 3],
        };
        let mut buffer = self.copy_of(&[call])?;
        let arguments = [XENMEM_POPULATE_PHYSMAP, buffer.handle().address(), 0, 0, 0];
        // SAFETY: the array has nr_extents elements.
        let done =
            unsafe { self.hypercall("XENMEM_populate_physmap", Number::MEMORY_OP, arguments) }?;
        Ok(usize::try_from(done).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_stands_one_higher_in_the_second_byte() {
        // XENMEMF_node(x) is ((x) + 1) << 8.
        assert_eq!(node_flag(0), 0x100);
        assert_eq!(node_flag(2), 0x300);
        assert_eq!(node_flag(62), 0x3F00);
    }
}
