//! The host as its hypervisor knows it.

use acpi_gen::{Distance, GpaRange, ProximityDomain};

use crate::e820::E820Entry;
use crate::layout::MAX_RANGES;
use crate::units::{count, index};
use crate::{Error, NodeId, PcpuId};

/// A memory block of the host: a range of addresses on one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryBlock {
    /// Its addresses; both borders on 4 KiB pages.
    pub range: GpaRange,
    /// Its node.
    pub node: NodeId,
    /// Whether the firmware flagged it hot-pluggable.
    pub hotplug: bool,
}

/// A valid pCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostCpu {
    /// Its number.
    pub pcpu: PcpuId,
    /// Its node (`cpu_to_node()`).
    pub node: NodeId,
}

/// The host as its hypervisor knows it.
#[derive(Clone, Copy, Debug)]
pub struct HostFacts<'a> {
    /// Memory blocks in any order, as the SRAT has them; none with `numa=fake`. Blocks of one
    /// node that overlap or repeat, as Xen and Linux accept them, are one.
    pub blocks: &'a [MemoryBlock],
    /// The valid pCPUs of dom0's pool in ascending order: vCPU n runs on the n-th.
    pub cpus: &'a [HostCpu],
    /// Each node's proximity domain, by node number; `None` for no such node.
    pub node_to_pxm: &'a [Option<ProximityDomain>],
    /// `__node_distance()` by node, row by row over `node_to_pxm`; 255 becomes
    /// 254. Empty: 10 on the diagonal and 20 elsewhere.
    pub distances: &'a [u8],
    /// The memory map, ascending. The plan refers to it.
    pub map: &'a [E820Entry],
}

impl HostFacts<'_> {
    pub(super) fn domain(&self, node: NodeId) -> Result<ProximityDomain, Error> {
        let domain = self.node_to_pxm.get(index(node.0)).copied().flatten();
        domain.ok_or(Error::NodeWithoutDomain { node })
    }

    /// Nodes that blocks or pCPUs are on.
    pub(super) fn nodes(&self) -> u32 {
        let used = (0..).map(NodeId).zip(self.node_to_pxm).filter(|(node, _)| {
            self.blocks.iter().any(|block| block.node == *node)
                || self.cpus.iter().any(|cpu| cpu.node == *node)
        });
        count(used.count())
    }

    pub(super) fn distance(&self, from: Option<NodeId>, to: Option<NodeId>) -> Distance {
        let at = from.zip(to).map(|(from, to)| {
            index(from.0).saturating_mul(self.node_to_pxm.len()).saturating_add(index(to.0))
        });
        match at.and_then(|at| self.distances.get(at)) {
            Some(&value) => Distance::clamped(u32::from(value)),
            None if from == to => Distance::LOCAL,
            None => Distance::REMOTE,
        }
    }

    /// Checks what a layout has bounds for.
    pub(super) fn check_counts(&self, vcpus: u32) -> Result<(), Error> {
        if vcpus == 0 {
            return Err(Error::NoVcpus);
        }
        if index(vcpus) > self.cpus.len() {
            return Err(Error::TooManyVcpus { vcpus, pcpus: count(self.cpus.len()) });
        }
        let ranges = self.blocks.len();
        if ranges == 0 {
            return Err(Error::NoBlocks);
        }
        if ranges > MAX_RANGES {
            return Err(Error::TooManyRanges { ranges: count(ranges), max: count(MAX_RANGES) });
        }
        let (nodes, entries) = (self.node_to_pxm.len(), self.distances.len());
        if entries > 0 && nodes.checked_mul(nodes) != Some(entries) {
            return Err(Error::DistancesNotSquare { nodes, entries });
        }
        Ok(())
    }
}
