//! A host, its memory map and what is asked for its dom0, as fuzzers mutate them.

use acpi_gen::{GpaRange, ProximityDomain};
use arbitrary::Arbitrary;
use hv_glue::e820::{E820Entry, E820Type};
use hv_glue::{ArenaSize, HostCpu, HostFacts, MemoryBlock, NodeId, OwnedArena, PcpuId};

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
    /// The slices of [`HostFacts`].
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
    pub fn facts(&self) -> HostFacts<'_> {
        HostFacts {
            blocks: &self.blocks,
            cpus: &self.cpus,
            node_to_pxm: &self.node_to_pxm,
            distances: &self.distances,
            map: &self.map,
        }
    }

    /// Memory for the plan of a dom0 of so many vCPUs.
    pub fn arena(&self, vcpus: u32) -> OwnedArena {
        OwnedArena::new(ArenaSize::for_dom0(vcpus as usize, self.map.len(), self.blocks.len()))
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
