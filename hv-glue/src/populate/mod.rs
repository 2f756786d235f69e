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

pub use heap::{Allocation, Allocations, Heap, NodeHeap, WholeHeap};

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

/// The steps that populate one region.
#[derive(Clone, Copy, Debug)]
pub struct Populate<'a> {
    /// `None` where dom0 has no layout: any node will do.
    layout: Option<&'a Layout>,
    walk: Walk,
}

/// How far a region is populated, for a caller that pauses between two steps.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    at: Pfn,
    left: u64,
    run: Run,
}

/// Frames with one answer to "which node?", as far as they are not done.
#[derive(Clone, Copy, Debug)]
struct Run {
    left: u64,
    node: Option<NodeId>,
    binding: Binding,
    /// The highest order that has not been refused.
    max_order: u8,
}

impl<'a> Populate<'a> {
    pub(crate) fn new(layout: Option<&'a Layout>, start: Pfn, pages: u64) -> Self {
        // Frames end at 2^52: above that, addresses have more than 64 bits.
        let left = pages.min(Pfn(1 << 52).pages_from(start));
        Self { layout, walk: Walk { at: start, left, run: Run::at(layout, start, left) } }
    }

    pub(crate) const fn resume(layout: Option<&'a Layout>, walk: Walk) -> Self {
        Self { layout, walk }
    }

    /// The state, to go on from later.
    #[must_use]
    pub const fn pause(self) -> Walk {
        self.walk
    }

    /// What to allocate now; the same until the caller reports. `None`: done.
    #[must_use]
    pub fn next(&self) -> Option<Request> {
        let Walk { at, left, run } = self.walk;
        (left > 0).then(|| Request {
            gfn: at,
            order: largest_order(at, run.left).min(run.max_order),
            node: run.node,
            binding: run.binding,
        })
    }

    /// The request was granted and the pages are mapped.
    pub fn granted(&mut self) {
        let Some(request) = self.next() else { return };
        let walk = &mut self.walk;
        walk.at = walk.at.up(request.pages());
        walk.left = walk.left.saturating_sub(request.pages());
        walk.run.left = walk.run.left.saturating_sub(request.pages());
        if walk.run.left == 0 {
            walk.run = Run::at(self.layout, walk.at, walk.left);
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
        let walk = &mut self.walk;
        if let Some(lower) = request.order.checked_sub(1) {
            walk.run.max_order = lower;
            return Ok(());
        }
        match walk.run.binding.fallback() {
            Some(binding) => {
                walk.run.binding = binding;
                walk.run.max_order = MAX_ORDER;
                Ok(())
            }
            None => Err(Error::OutOfMemory { pfn: walk.at, left: walk.left }),
        }
    }

    /// The allocations that a heap makes for it.
    pub fn on<H: Heap>(self, heap: H) -> Allocations<'a, H> {
        Allocations::new(self, heap)
    }
}

impl Run {
    fn at(layout: Option<&Layout>, start: Pfn, left: u64) -> Self {
        let node_of = |layout: &Layout| {
            let stretch = layout.stretch(start);
            (stretch.domain.and_then(|domain| layout.pnode(domain)), stretch.pages)
        };
        let (node, pages) = layout.map_or((None, u64::MAX), node_of);
        Self { left: left.min(pages), node, binding: Binding::first(node), max_order: MAX_ORDER }
    }
}

/// The largest order that starts at `at` by its alignment and fits `pages`, not 0.
fn largest_order(at: Pfn, pages: u64) -> u8 {
    let by_size = 63_u32.saturating_sub(pages.max(1).leading_zeros());
    // Frame 0 has 64 trailing zeros: aligned to everything.
    let order = by_size.min(at.0.trailing_zeros());
    u8::try_from(order).unwrap_or(MAX_ORDER).min(MAX_ORDER)
}
