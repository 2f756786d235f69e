//! The host's memory blocks, as the hypervisor read them from the SRAT or device tree.

use acpi_gen::GpaRange;

use crate::NodeId;

/// One block: a range of addresses on one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryBlock {
    /// Its addresses; both borders on 4 KiB pages.
    pub range: GpaRange,
    /// The node that it is on.
    pub node: NodeId,
    /// Whether the firmware flagged it hot-pluggable.
    pub hotplug: bool,
}

/// Access to the host's blocks: the role of the seed's `numa_get_nr_memblks()`
/// and `numa_get_memblk()`. A slice of blocks is one implementation.
pub trait MemoryBlocks {
    /// Number of blocks.
    fn count(&self) -> usize;

    /// The block at `index`, in any order; `None` from [`MemoryBlocks::count`] on.
    fn get(&self, index: usize) -> Option<MemoryBlock>;
}

impl MemoryBlocks for [MemoryBlock] {
    fn count(&self) -> usize {
        self.len()
    }

    fn get(&self, index: usize) -> Option<MemoryBlock> {
        <[MemoryBlock]>::get(self, index).copied()
    }
}

/// The blocks one after another.
pub(crate) fn iter<B: MemoryBlocks + ?Sized>(blocks: &B) -> impl Iterator<Item = MemoryBlock> + '_ {
    (0..blocks.count()).map_while(|index| blocks.get(index))
}
