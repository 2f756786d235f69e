//! Heaps to populate from: one with real frames, and Xen's own ladder on it.

use std::prelude::rust_2024::*;
use std::vec;

use std::collections::BTreeSet;

use crate::populate::{Binding, Heap, MAX_ORDER, Request};
use crate::{Frames, NodeId, Pfn};

/// A buddy heap that hands out real frames and remembers which.
#[derive(Clone, Debug, Default)]
pub(crate) struct BuddyHeap {
    /// By node, then DMA reserve or not, then order: first frames.
    nodes: Vec<[Vec<BTreeSet<u64>>; 2]>,
    /// Frames handed out, with their node.
    pub(crate) taken: Vec<(Frames, NodeId)>,
    /// Calls, and those to refuse whatever is free.
    pub(crate) calls: usize,
    pub(crate) refuse: Vec<usize>,
}

impl BuddyHeap {
    pub(crate) fn new(nodes: usize) -> Self {
        let zone = || vec![BTreeSet::new(); usize::from(MAX_ORDER) + 1];
        Self { nodes: (0..nodes).map(|_| [zone(), zone()]).collect(), ..Self::default() }
    }

    /// Frees `pages` from `start` on as the largest aligned blocks.
    pub(crate) fn free(&mut self, node: usize, dma: bool, start: u64, pages: u64) {
        let (mut at, end) = (start, start + pages);
        while at < end {
            let mut order = MAX_ORDER;
            while at % (1 << order) != 0 || at + (1 << order) > end {
                order -= 1;
            }
            self.nodes[node][usize::from(dma)][usize::from(order)].insert(at);
            at += 1 << order;
        }
    }

    /// The heap with this node's pages alone.
    pub(crate) fn only(&self, node: NodeId) -> Self {
        let mut heap = Self::new(self.nodes.len());
        heap.nodes[node.0 as usize] = self.nodes[node.0 as usize].clone();
        heap
    }

    /// Free pages of a node, outside its DMA reserve and inside.
    pub(crate) fn free_pages(&self, node: usize) -> [u64; 2] {
        [0, 1].map(|zone: usize| {
            let orders = self.nodes[node][zone].iter().enumerate();
            orders.map(|(order, blocks)| (blocks.len() as u64) << order).sum()
        })
    }

    fn take(&mut self, node: usize, zone: usize, order: u8) -> Option<u64> {
        let orders = &mut self.nodes[node][zone];
        let found = (usize::from(order)..orders.len()).find(|&at| !orders[at].is_empty())?;
        let start = orders[found].pop_first().unwrap();
        for half in (usize::from(order)..found).rev() {
            orders[half].insert(start + (1 << half));
        }
        Some(start)
    }
}

impl Heap for BuddyHeap {
    fn allocate(&mut self, request: &Request) -> Option<NodeId> {
        self.calls += 1;
        if self.refuse.contains(&(self.calls - 1)) {
            return None;
        }
        let zones: &[usize] = match request.binding {
            Binding::Node | Binding::AnyNode => &[0],
            Binding::NodeWithDma | Binding::AnyPage => &[0, 1],
        };
        let own = match request.binding {
            Binding::Node | Binding::NodeWithDma => request.node,
            Binding::AnyNode | Binding::AnyPage => None,
        };
        for node in 0..self.nodes.len() {
            if own.is_some_and(|own| own.0 as usize != node) {
                continue;
            }
            for &zone in zones {
                if let Some(start) = self.take(node, zone, request.order) {
                    let end = start + (1 << request.order);
                    let node = NodeId(node as u32);
                    self.taken.push((Frames { start: Pfn(start), end: Pfn(end) }, node));
                    return Some(node);
                }
            }
        }
        None
    }
}

/// Xen 4.20's `pvh_populate_memory_range()` for frames of one node, by its rules:
/// of 1 GiB, 2 MiB and 4 KiB the largest that fits alignment and rest; up to the
/// next border of the one above; the largest power of two in that; clamped to
/// the alignment of the start and to an order that falls with each refusal;
/// without flags once order 0 is refused. Returns the orders allocated.
pub(crate) fn xens_ladder(
    heap: &mut BuddyHeap,
    mut start: u64,
    mut pages: u64,
    node: NodeId,
) -> Option<Vec<u8>> {
    const STEPS: [u32; 3] = [18, 9, 0];
    let (mut max_order, mut binding) = (u32::from(MAX_ORDER), Binding::Node);
    let mut orders = vec![];
    while pages > 0 {
        let step =
            STEPS.iter().position(|&step| start.is_multiple_of(1 << step) && pages >= 1 << step)?;
        let end = match step {
            0 => (start + pages) & !((1 << STEPS[0]) - 1),
            _ => (start + 1).next_multiple_of(1 << STEPS[step - 1]).min(start + pages),
        };
        let aligned = if start == 0 { u32::from(MAX_ORDER) } else { start.trailing_zeros() };
        let order = (end - start).ilog2().min(max_order).min(aligned);
        let request = Request { gfn: Pfn(start), order: order as u8, node: Some(node), binding };
        if heap.allocate(&request).is_some() {
            orders.push(order as u8);
            start += 1 << order;
            pages -= 1 << order;
        } else if order > 0 {
            max_order = order - 1;
        } else if binding == Binding::Node {
            (binding, max_order) = (Binding::AnyPage, u32::from(MAX_ORDER));
        } else {
            return None;
        }
    }
    Some(orders)
}
