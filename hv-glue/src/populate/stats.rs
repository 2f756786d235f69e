//! Allocations counted by node, order and binding, as Xen's "memory allocation
//! stats" are by order.

use crate::populate::{Binding, MAX_ORDER, Request};
use crate::units::index;
use crate::{Error, NodeId};

/// One counter for each binding.
type ByBinding = [u64; Binding::ALL.len()];

/// The counters of one node: by order, 0 to [`MAX_ORDER`], then by [`Binding`].
pub type NodeCounts = [ByBinding; 21];

/// Counters in memory that the caller lends, one [`NodeCounts`] for each host node.
#[derive(Debug)]
pub struct AllocationStats<'a> {
    nodes: &'a mut [NodeCounts],
}

impl<'a> AllocationStats<'a> {
    /// All at 0. Host nodes are 0 to `nodes.len() - 1`.
    #[must_use]
    pub fn new(nodes: &'a mut [NodeCounts]) -> Self {
        nodes.fill([[0; 4]; 21]);
        Self { nodes }
    }

    /// Counts a granted request whose pages lie on `node`.
    ///
    /// # Errors
    /// [`Error::NodeWithoutCounters`] for a node that is not among those lent.
    pub fn count(&mut self, request: &Request, node: NodeId) -> Result<(), Error> {
        let nodes = self.nodes.len();
        let counts = self.nodes.get_mut(index(node.0));
        let counts = counts.and_then(|orders| orders.get_mut(usize::from(request.order)));
        match counts.and_then(|bindings| bindings.get_mut(slot(request.binding))) {
            Some(count) => {
                *count = count.saturating_add(1);
                Ok(())
            }
            None => Err(Error::NodeWithoutCounters { node, nodes }),
        }
    }

    /// Allocations on `node` of one order and binding.
    #[must_use]
    pub fn get(&self, node: NodeId, order: u8, binding: Binding) -> u64 {
        let orders = self.nodes.get(index(node.0));
        let bindings = orders.and_then(|orders| orders.get(usize::from(order)));
        bindings.and_then(|bindings| bindings.get(slot(binding))).copied().unwrap_or(0)
    }

    /// Every counter that is not 0: node, order, binding, allocations.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, u8, Binding, u64)> + '_ {
        (0_u32..).map(NodeId).zip(self.nodes.iter()).flat_map(|(node, orders)| {
            (0..=MAX_ORDER).rev().zip(orders.iter().rev()).flat_map(move |(order, counts)| {
                let counts = Binding::ALL.into_iter().zip(counts);
                counts
                    .filter(|(_, count)| **count > 0)
                    .map(move |(binding, count)| (node, order, binding, *count))
            })
        })
    }
}

const fn slot(binding: Binding) -> usize {
    match binding {
        Binding::Node => 0,
        Binding::NodeWithDma => 1,
        Binding::AnyNode => 2,
        Binding::AnyPage => 3,
    }
}
