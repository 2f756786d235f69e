//! A guest's layout, from what a toolstack asks for.

use acpi_gen::{Distance, Gpa, GpaRange, ProximityDomain};

use crate::host::lend;
use crate::units::PAGE_SIZE;
use crate::{Error, Layout, LayoutMemory, LayoutSize, NodeId, Vmemrange, VnodeId};

/// One vnode of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestNode {
    /// Its memory in bytes, a multiple of 4 KiB; 0 for a node of vCPUs alone.
    pub memory: u64,
    /// The host node that backs it.
    pub pnode: Option<NodeId>,
}

/// What a toolstack asks for.
#[derive(Clone, Copy, Debug)]
pub struct GuestRequest<'a> {
    /// The vnodes 0, 1, …; a vnode's number is its proximity domain.
    pub nodes: &'a [GuestNode],
    /// Each vCPU's vnode.
    pub vcpu_to_vnode: &'a [VnodeId],
    /// Distances between vnodes, row by row. Empty: 10 and 20.
    pub distances: &'a [Distance],
    /// Addresses without RAM, for devices and tables: RAM goes around it.
    pub hole: GpaRange,
}

impl GuestRequest<'_> {
    /// How long the slices of [`LayoutMemory`] must be for [`Layout::for_guest`].
    #[must_use]
    pub const fn layout_size(&self) -> LayoutSize {
        let vnodes = self.nodes.len();
        LayoutSize {
            vnodes,
            vcpus: self.vcpu_to_vnode.len(),
            // The hole cuts one node in two.
            ranges: vnodes.saturating_add(1),
            distances: vnodes.saturating_mul(vnodes),
        }
    }
}

impl<'a> Layout<'a> {
    /// A guest's layout: the nodes' memory one after another from address 0,
    /// around the hole.
    ///
    /// # Errors
    /// [`Error::NoVcpus`], [`Error::MemoryMisaligned`], [`Error::MemoryPastEnd`],
    /// [`Error::OutputTooSmall`], and those of [`Layout::new`].
    pub fn for_guest(request: &GuestRequest<'_>, memory: LayoutMemory<'a>) -> Result<Self, Error> {
        if request.vcpu_to_vnode.is_empty() {
            return Err(Error::NoVcpus);
        }
        let size = request.layout_size();
        let LayoutMemory { domains, pnodes, vcpu_to_vnode, ranges, distances } = memory;
        let domains = lend(domains, size.vnodes)?;
        let pnodes = lend(pnodes, size.vnodes)?;
        let vcpu_to_vnode = lend(vcpu_to_vnode, size.vcpus)?;
        let ranges = lend(ranges, size.ranges)?;
        let distances = lend(distances, size.distances)?;

        let slots = domains.iter_mut().zip(pnodes.iter_mut());
        for ((vnode, node), (domain, pnode)) in (0_u32..).zip(request.nodes).zip(slots) {
            *domain = Some(ProximityDomain(vnode));
            *pnode = node.pnode;
        }
        for (slot, &vnode) in vcpu_to_vnode.iter_mut().zip(request.vcpu_to_vnode) {
            *slot = vnode;
        }
        match request.distances {
            [] => {
                for (at, slot) in distances.iter_mut().enumerate() {
                    let diagonal = at.is_multiple_of(size.vnodes.saturating_add(1));
                    *slot = if diagonal { Distance::LOCAL } else { Distance::REMOTE };
                }
            }
            given if given.len() == distances.len() => {
                for (slot, &value) in distances.iter_mut().zip(given) {
                    *slot = value;
                }
            }
            given => {
                let (nodes, entries) = (size.vnodes, given.len());
                return Err(Error::DistancesNotSquare { nodes, entries });
            }
        }
        let filled = place(request, ranges)?;
        let (ranges, _) = ranges.split_at_checked(filled).unwrap_or_default();
        Self::new(domains, pnodes, vcpu_to_vnode, ranges, distances)
    }
}

/// Puts the nodes' memory around the hole; returns how many ranges that made.
fn place(request: &GuestRequest<'_>, ranges: &mut [Vmemrange]) -> Result<usize, Error> {
    let hole = request.hole;
    let mut slots = ranges.iter_mut();
    let mut filled = 0_usize;
    let mut at = if hole.contains(Gpa(0)) { hole.end() } else { Gpa(0) };
    for (vnode, node) in (0..).map(VnodeId).zip(request.nodes) {
        let bytes = node.memory;
        if !bytes.is_multiple_of(PAGE_SIZE) {
            return Err(Error::MemoryMisaligned { vnode, bytes });
        }
        let mut left = bytes;
        while left > 0 {
            let below = hole.start().0.checked_sub(at.0).filter(|below| *below > 0);
            let size = below.map_or(left, |below| below.min(left));
            let range =
                GpaRange::with_size(at, size).map_err(|_| Error::MemoryPastEnd { vnode, bytes })?;
            let slot = slots.next().ok_or(Error::OutputTooSmall {
                needed: request.layout_size().ranges,
                have: filled,
            })?;
            *slot = Vmemrange { range, vnode, hotplug: false };
            filled = filled.saturating_add(1);
            left = left.saturating_sub(size);
            at = if range.end() == hole.start() { hole.end() } else { range.end() };
        }
    }
    Ok(filled)
}
