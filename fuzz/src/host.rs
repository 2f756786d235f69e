//! A host, its memory map and what is asked for its dom0, as fuzzers mutate them.

use acpi_gen::{GpaRange, ProximityDomain};
use arbitrary::Arbitrary;
use hv_glue::e820::{E820Entry, E820Type};
use hv_glue::{HostCpu, HostFacts, LayoutMemory, MemoryBlock, NodeId, PcpuId, VcpuId, VnodeId};

use crate::encode::encode_fields;
use crate::machine::Pxm;
use crate::ranges::{Cursor, Size};

/// An entry of the memory map.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// From the end of the one before.
    pub gap: Size,
    /// Its size.
    pub size: Size,
    /// E820 type; 0 stands for RAM.
    pub kind: u8,
}
encode_fields!(Entry { gap, size, kind });

/// A memory block.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// From the end of the one before.
    pub gap: Size,
    /// Its size.
    pub size: Size,
    /// Its node.
    pub node: u8,
    /// The SRAT's flag.
    pub hotplug: bool,
}
encode_fields!(Block { gap, size, node, hotplug });

/// The host.
#[derive(Arbitrary, Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// The memory map.
    pub map: Vec<Entry>,
    /// The memory blocks.
    pub blocks: Vec<Block>,
    /// Each pCPU's node.
    pub cpus: Vec<u8>,
    /// Each node's proximity domain.
    pub node_to_pxm: Vec<Option<Pxm>>,
    /// Distances by node, or none.
    pub distances: Vec<u8>,
}
encode_fields!(Host { map, blocks, cpus, node_to_pxm, distances });

/// A host's slices.
#[derive(Clone, Debug)]
pub struct HostParts {
    /// The memory map.
    pub map: Vec<E820Entry>,
    /// Memory blocks.
    pub blocks: Vec<MemoryBlock>,
    /// pCPUs in ascending order.
    pub cpus: Vec<HostCpu>,
    /// By node.
    pub node_to_pxm: Vec<Option<ProximityDomain>>,
    /// By node, row by row.
    pub distances: Vec<u8>,
}

impl Host {
    /// The slices of [`HostFacts`] and the memory map.
    pub fn parts(&self) -> HostParts {
        HostParts {
            map: map(&self.map),
            blocks: blocks(&self.blocks),
            cpus: (0..)
                .zip(&self.cpus)
                .map(|(pcpu, node)| HostCpu { pcpu: PcpuId(pcpu), node: NodeId((*node).into()) })
                .collect(),
            node_to_pxm: self.node_to_pxm.iter().map(|pxm| pxm.map(Pxm::get)).collect(),
            distances: self.distances.clone(),
        }
    }
}

impl HostParts {
    /// The facts over these slices.
    pub fn facts(&self) -> HostFacts<'_, [MemoryBlock]> {
        HostFacts {
            blocks: &self.blocks,
            cpus: &self.cpus,
            node_to_pxm: &self.node_to_pxm,
            distances: &self.distances,
        }
    }
}

/// A memory map of these entries.
pub fn map(entries: &[Entry]) -> Vec<E820Entry> {
    let mut cursor = Cursor::default();
    let entry = |entry: &Entry| {
        let kind = E820Type(if entry.kind == 0 { 1 } else { entry.kind.into() });
        Some(E820Entry { range: cursor.next(entry.gap, entry.size)?, kind })
    };
    entries.iter().filter_map(entry).collect()
}

/// Memory blocks of these.
pub fn blocks(blocks: &[Block]) -> Vec<MemoryBlock> {
    let mut cursor = Cursor::default();
    let block = |block: &Block| {
        let node = NodeId(block.node.into());
        Some(MemoryBlock {
            range: cursor.next(block.gap, block.size)?,
            node,
            hotplug: block.hotplug,
        })
    };
    blocks.iter().filter_map(block).collect()
}

/// Ranges of (gap, size) pairs.
pub fn ranges(pairs: &[(Size, Size)]) -> Vec<GpaRange> {
    let mut cursor = Cursor::default();
    pairs.iter().filter_map(|(gap, size)| cursor.next(*gap, *size)).collect()
}

/// Memory that a layout can be lent.
#[derive(Debug)]
pub struct LayoutBuffers {
    domains: Vec<Option<ProximityDomain>>,
    pnodes: Vec<Option<NodeId>>,
    vcpu_to_vnode: Vec<VnodeId>,
    ranges: Vec<hv_glue::Vmemrange>,
    distances: Vec<acpi_gen::Distance>,
}

impl LayoutBuffers {
    /// Of this size, full of what a layout would not have.
    pub fn new(size: hv_glue::LayoutSize) -> Self {
        Self {
            domains: vec![Some(ProximityDomain(0xA5A5)); size.vnodes],
            pnodes: vec![Some(NodeId(0xA5A5)); size.vnodes],
            vcpu_to_vnode: vec![VnodeId(0xA5A5); size.vcpus],
            ranges: vec![LayoutMemory::UNUSED_RANGE; size.ranges],
            distances: vec![acpi_gen::Distance::UNREACHABLE; size.distances],
        }
    }

    /// The loan.
    pub fn lend(&mut self) -> LayoutMemory<'_> {
        LayoutMemory {
            domains: &mut self.domains,
            pnodes: &mut self.pnodes,
            vcpu_to_vnode: &mut self.vcpu_to_vnode,
            ranges: &mut self.ranges,
            distances: &mut self.distances,
        }
    }
}

/// vCPU numbers from 0.
pub fn vcpus(count: usize) -> impl Iterator<Item = VcpuId> {
    (0..).map(VcpuId).take(count)
}
