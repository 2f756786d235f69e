//! What a heap would make of a plan, for inspection and tests.

use crate::populate::{Binding, MAX_ORDER, Populate, Request, pages_of};
use crate::units::index;
use crate::{Error, Frames, MemoryBlock, NodeId};

/// A source of pages.
pub trait Heap {
    /// The node of the pages, or `None`: refused.
    fn allocate(&mut self, request: &Request) -> Option<NodeId>;
}

impl<H: Heap> Heap for &mut H {
    fn allocate(&mut self, request: &Request) -> Option<NodeId> {
        (**self).allocate(request)
    }
}

/// A request that was granted, and where its pages lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// The request.
    pub request: Request,
    /// The node of the pages.
    pub node: NodeId,
}

/// The allocations of a region on a heap; ends after an error.
#[derive(Debug)]
pub struct Allocations<'a, H> {
    populate: Populate<'a>,
    heap: H,
    failed: bool,
}

impl<'a, H: Heap> Allocations<'a, H> {
    pub(super) const fn new(populate: Populate<'a>, heap: H) -> Self {
        Self { populate, heap, failed: false }
    }
}

impl<H: Heap> Iterator for Allocations<'_, H> {
    type Item = Result<Allocation, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        loop {
            let request = self.populate.next()?;
            if let Some(node) = self.heap.allocate(&request) {
                self.populate.granted();
                return Some(Ok(Allocation { request, node }));
            }
            if let Err(error) = self.populate.refused() {
                self.failed = true;
                return Some(Err(error));
            }
        }
    }
}

/// Free blocks of a node by order: a buddy heap that never frees needs no
/// addresses, as which block of an order is taken makes no difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeHeap {
    /// The DMA reserve, by order 0 to [`MAX_ORDER`].
    pub dma: [u64; 21],
    /// The rest.
    pub other: [u64; 21],
}

impl NodeHeap {
    /// No page.
    pub const EMPTY: Self = Self { dma: [0; 21], other: [0; 21] };

    /// Adds the largest aligned blocks that make up `frames` to the free ones
    /// outside the DMA reserve.
    pub fn free(&mut self, frames: Frames) {
        let mut at = frames.start;
        while at < frames.end {
            let left = frames.end.pages_from(at);
            let order = super::largest_order(at, left);
            // The largest follow one another: all at once, however long the range is.
            let count =
                if order == MAX_ORDER { left.wrapping_shr(u32::from(MAX_ORDER)) } else { 1 };
            if let Some(blocks) = self.other.get_mut(usize::from(order)) {
                *blocks = blocks.saturating_add(count);
            }
            at = at.up(pages_of(order).saturating_mul(count));
        }
    }
}

/// A model of a host's heap: pages by node, in the caller's slice.
#[derive(Debug)]
pub struct WholeHeap<'a> {
    nodes: &'a mut [NodeHeap],
}

impl<'a> WholeHeap<'a> {
    /// A heap of these free blocks; the slice's index is the host node.
    #[must_use]
    pub const fn new(nodes: &'a mut [NodeHeap]) -> Self {
        Self { nodes }
    }

    /// A heap in which every memory block is wholly free, with no DMA reserve.
    #[must_use]
    pub fn of_blocks(blocks: &[MemoryBlock], nodes: &'a mut [NodeHeap]) -> Self {
        nodes.fill(NodeHeap::EMPTY);
        for block in blocks {
            if let Some(node) = nodes.get_mut(index(block.node.0)) {
                node.free(Frames::inside(block.range));
            }
        }
        Self { nodes }
    }
}

impl Heap for WholeHeap<'_> {
    fn allocate(&mut self, request: &Request) -> Option<NodeId> {
        let with_dma = matches!(request.binding, Binding::NodeWithDma | Binding::AnyPage);
        let allowed = |node: NodeId| request.binding.leaves_node() || Some(node) == request.node;
        for (node, heap) in (0_u32..).map(NodeId).zip(self.nodes.iter_mut()) {
            // The DMA reserve is the last to be taken, as in Xen.
            let taken = allowed(node)
                && (take(&mut heap.other, request.order)
                    || with_dma && take(&mut heap.dma, request.order));
            if taken {
                return Some(node);
            }
        }
        None
    }
}

/// Takes a block, and splits the smallest one that is large enough.
fn take(free: &mut [u64; 21], order: u8) -> bool {
    let mut found = order;
    loop {
        match free.get_mut(usize::from(found)) {
            Some(blocks) if *blocks > 0 => {
                *blocks = blocks.saturating_sub(1);
                break;
            }
            _ if found >= MAX_ORDER => return false,
            _ => found = found.saturating_add(1),
        }
    }
    // Each halving leaves one buddy free.
    for half in order..found {
        if let Some(blocks) = free.get_mut(usize::from(half)) {
            *blocks = blocks.saturating_add(1);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pfn;

    #[test]
    fn a_range_is_the_largest_blocks_that_its_borders_allow() {
        let mut heap = NodeHeap::EMPTY;
        // 3, 4 to 7, 8 to 15 and so on up to 2^20, three of 2^20, and 4 pages and 1 behind them.
        heap.free(Frames { start: Pfn(3), end: Pfn((4 << 20) + 5) });
        let mut expected = [1; 21];
        (expected[0], expected[1], expected[2], expected[20]) = (2, 0, 2, 3);
        assert_eq!(heap, NodeHeap { other: expected, dma: [0; 21] });
    }

    #[test]
    fn all_that_64_bits_address_is_counted_at_once() {
        let mut heap = NodeHeap::EMPTY;
        heap.free(Frames { start: Pfn(0), end: Pfn(1 << 52) });
        assert_eq!(heap.other[20], 1 << 32);
    }
}
