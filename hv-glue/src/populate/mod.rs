//! Backing a region of dom0's memory with pages of the right nodes.
//!
//! A state machine: [`Populate::next`] says what to allocate, the caller tries
//! and reports [`Populate::granted`] or [`Populate::refused`], and may stop
//! between any two steps. The ladder of orders is that of Xen's
//! `pvh_populate_memory_range()`: the largest order that the frame's alignment
//! and the pages left allow, falling by one with each refusal, for that stretch.
//! Here it is bounded by the vmemrange as well, so that no allocation straddles
//! nodes, and a refusal on one node says nothing about the next.

mod heap;
mod stats;

pub use heap::{Allocation, Allocations, Heap, NodeHeap, WholeHeap};
pub use stats::{AllocationStats, NodeCounts};

use crate::{Error, Layout, NodeId, Pfn};

/// The largest order that Xen's heap hands out on x86: 4 GiB.
pub const MAX_ORDER: u8 = 20;

/// Which pages will do, in the order of the attempts. In Xen's flags, with
/// `dom0_memflags` = `MEMF_no_dma | MEMF_exact_node`:
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Binding {
    /// The node's own, without its DMA reserve: `dom0_memflags | MEMF_node(n)`.
    Node = 0,
    /// The node's own, DMA reserve included: the same without `MEMF_no_dma`.
    NodeWithDma = 1,
    /// Any node that dom0 may use: `dom0_memflags`. All that there is to ask for
    /// where a frame is in no range, or its vnode on no host node.
    AnyNode = 2,
    /// Any page: no flags.
    AnyPage = 3,
}

impl Binding {
    /// All, in the order of the attempts.
    pub const ALL: [Self; 4] = [Self::Node, Self::NodeWithDma, Self::AnyNode, Self::AnyPage];

    /// What is tried first for frames that belong on `node`.
    const fn first(node: Option<NodeId>) -> Self {
        if node.is_some() { Self::Node } else { Self::AnyNode }
    }

    /// What to try when order 0 is refused.
    const fn fallback(self) -> Option<Self> {
        match self {
            Self::Node => Some(Self::NodeWithDma),
            Self::NodeWithDma => Some(Self::AnyNode),
            Self::AnyNode => Some(Self::AnyPage),
            Self::AnyPage => None,
        }
    }

    /// Whether pages may come from another node than the frame's.
    #[must_use]
    pub const fn leaves_node(self) -> bool {
        matches!(self, Self::AnyNode | Self::AnyPage)
    }
}

/// Something to allocate: `2^order` pages for the frames from `gfn` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The first guest frame, a multiple of `2^order`.
    pub gfn: Pfn,
    /// The order, 0 to [`MAX_ORDER`].
    pub order: u8,
    /// The host node that the frames belong on; `None` where there is none.
    pub node: Option<NodeId>,
    /// Which pages will do.
    pub binding: Binding,
}

impl Request {
    /// Number of pages.
    #[must_use]
    pub const fn pages(&self) -> u64 {
        pages_of(self.order)
    }

    /// Whether the first choice for these frames was refused before.
    #[must_use]
    pub fn is_fallback(&self) -> bool {
        self.binding > Binding::first(self.node)
    }
}

pub(crate) const fn pages_of(order: u8) -> u64 {
    1 << (order & 63)
}

/// The state of one region's population.
#[derive(Clone, Copy, Debug)]
pub struct Populate<'a> {
    layout: Layout<'a>,
    at: Pfn,
    left: u64,
    run: Run,
}

/// Frames with one answer to "which node?", that much of them as is not done.
#[derive(Clone, Copy, Debug)]
struct Run {
    left: u64,
    node: Option<NodeId>,
    binding: Binding,
    /// The highest order that has not been refused.
    max_order: u8,
}

impl<'a> Populate<'a> {
    /// A region of `pages` frames from `start`: an entry of RAM of dom0's map.
    #[must_use]
    pub fn new(layout: Layout<'a>, start: Pfn, pages: u64) -> Self {
        // Frames end at 2^52: above that, addresses pass 64 bits.
        let left = pages.min(Pfn(1 << 52).pages_from(start));
        Self { layout, at: start, left, run: Run::at(&layout, start, left) }
    }

    /// What to allocate now; the same until the caller reports. `None`: done.
    #[must_use]
    pub fn next(&self) -> Option<Request> {
        (self.left > 0).then(|| Request {
            gfn: self.at,
            order: largest_order(self.at, self.run.left).min(self.run.max_order),
            node: self.run.node,
            binding: self.run.binding,
        })
    }

    /// The request was granted and the pages are mapped.
    pub fn granted(&mut self) {
        let Some(request) = self.next() else { return };
        self.at = self.at.up(request.pages());
        self.left = self.left.saturating_sub(request.pages());
        self.run.left = self.run.left.saturating_sub(request.pages());
        if self.run.left == 0 {
            self.run = Run::at(&self.layout, self.at, self.left);
        }
    }

    /// The request was refused: the order falls by one, or at order 0 the
    /// binding does, with the order back at the top.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] where nothing is left to try. The state is then as
    /// before: the caller may free something and try again.
    pub fn refused(&mut self) -> Result<(), Error> {
        let Some(request) = self.next() else { return Ok(()) };
        if let Some(lower) = request.order.checked_sub(1) {
            self.run.max_order = lower;
            return Ok(());
        }
        match self.run.binding.fallback() {
            Some(binding) => {
                self.run.binding = binding;
                self.run.max_order = MAX_ORDER;
                Ok(())
            }
            None => Err(Error::OutOfMemory { pfn: self.at, left: self.left }),
        }
    }

    /// What a heap would make of it, allocation by allocation.
    pub fn on<H: Heap>(self, heap: H) -> Allocations<'a, H> {
        Allocations::new(self, heap)
    }
}

impl Run {
    fn at(layout: &Layout<'_>, start: Pfn, left: u64) -> Self {
        let stretch = layout.stretch(start);
        let node = stretch.vnode.and_then(|vnode| layout.pnode(vnode));
        Self {
            left: left.min(stretch.pages),
            node,
            binding: Binding::first(node),
            max_order: MAX_ORDER,
        }
    }
}

/// The largest order that starts at `at` by its alignment and fits `pages`, not 0.
fn largest_order(at: Pfn, pages: u64) -> u8 {
    let by_size = 63_u32.saturating_sub(pages.max(1).leading_zeros());
    // Frame 0 has 64 trailing zeros: aligned to everything.
    let order = by_size.min(at.0.trailing_zeros());
    u8::try_from(order).unwrap_or(MAX_ORDER).min(MAX_ORDER)
}
