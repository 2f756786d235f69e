//! Populating memory with a hostile allocator: whatever it refuses, every frame is
//! asked for once, in order, from the node that it belongs on, and never across
//! nodes; a refusal changes nothing but the next request.

use acpi_gen::{Distance, ProximityDomain};
use arbitrary::{Arbitrary, Unstructured};
use hv_glue::populate::{
    AllocationStats, Allocations, Binding, MAX_ORDER, NodeCounts, NodeHeap, Populate, Request,
    WholeHeap,
};
use hv_glue::{Error, Frames, Layout, NodeId, Pfn, Vmemrange, VnodeId};

use crate::host::{self, Block};
use crate::ranges::Size;
use crate::{Interest, encode};

/// A layout, a region, and what the allocator answers.
#[derive(Arbitrary, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// The region's first byte.
    pub start: Size,
    /// Its size.
    pub size: Size,
    /// The layout's ranges; the node is the vnode.
    pub ranges: Vec<Block>,
    /// Each vnode's host node.
    pub pnodes: Vec<Option<u8>>,
    /// One bit for each answer: 1 is a refusal. At the end it starts again.
    pub refusals: Vec<u8>,
    /// Free blocks of each node's heap: order, count and whether in the DMA reserve.
    pub heap: Vec<(u8, u8, bool)>,
}

impl encode::Encode for (u8, u8, bool) {
    fn encode(&self, to: &mut Vec<u8>) {
        self.0.encode(to);
        self.1.encode(to);
        self.2.encode(to);
    }
}
encode::encode_fields!(Input { start, size, ranges, pnodes, refusals, heap });

/// Steps after which a region is left as it is.
const MAX_STEPS: usize = 4096;

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else { return Interest::Reject };
    let vnodes = input.pnodes.len().min(64);
    let domains: Vec<_> = (0..).map(|n| Some(ProximityDomain(n))).take(vnodes).collect();
    let pnodes: Vec<_> =
        input.pnodes.iter().take(vnodes).map(|p| p.map(|p| NodeId((p % 8).into()))).collect();
    let ranges: Vec<_> = host::blocks(&input.ranges)
        .into_iter()
        .map(|block| Vmemrange { range: block.range, vnode: VnodeId(block.node.0), hotplug: false })
        .collect();
    let distances: Vec<_> = (0..vnodes * vnodes)
        .map(|at| if at % (vnodes + 1) == 0 { Distance::LOCAL } else { Distance::REMOTE })
        .collect();
    let Ok(layout) = Layout::new(&domains, &pnodes, &[], &ranges, &distances) else {
        return Interest::Reject;
    };
    let start = Pfn(input.start.bytes() >> 12);
    let pages = input.size.bytes() >> 12;
    hostile(&input, layout, start, pages);
    finite(&input, layout, start, pages.min(1 << 12));
    Interest::Keep
}

/// Who answers by the input's bits.
fn hostile(input: &Input, layout: Layout<'_>, start: Pfn, pages: u64) {
    let mut populate = Populate::new(layout, start, pages);
    let end = start.0.saturating_add(pages).min(1 << 52).max(start.0);
    let mut at = start.0;
    let mut nodes = vec![NodeCounts::default(); 9];
    let mut stats = AllocationStats::new(&mut nodes);
    let (mut granted, mut last): (u64, Option<Request>) = (0, None);
    for step in 0..MAX_STEPS {
        let Some(request) = populate.next() else {
            assert_eq!(at, end);
            break;
        };
        assert_eq!(populate.next(), Some(request), "asking changes nothing");
        assert_eq!(request.gfn.0, at);
        well_formed(&request, layout, end);
        if let Some(refused) = last {
            after_refusal(&refused, &request);
        }
        let refuse = input
            .refusals
            .get(step / 8 % input.refusals.len().max(1))
            .is_some_and(|byte| byte >> (step % 8) & 1 == 1);
        if !refuse {
            populate.granted();
            at += request.pages();
            granted += request.pages();
            let node = request.node.unwrap_or(NodeId(8));
            assert_eq!(stats.count(&request, node), Ok(()));
            last = None;
            continue;
        }
        match populate.refused() {
            Ok(()) => last = Some(request),
            Err(error) => {
                assert_eq!(error, Error::OutOfMemory { pfn: Pfn(at), left: end - at });
                assert_eq!((request.order, request.binding), (0, Binding::AnyPage));
                assert_eq!(populate.next(), Some(request), "it may be tried again");
                break;
            }
        }
    }
    let counted: u64 = stats.iter().map(|(_, order, _, count)| count << order).sum();
    assert_eq!(counted, granted);
}

/// Aligned, inside the region, and all of it in one range or in none.
fn well_formed(request: &Request, layout: Layout<'_>, end: u64) {
    assert!(request.order <= MAX_ORDER);
    assert_eq!(request.gfn.0 % request.pages(), 0);
    let last = request.gfn.0 + request.pages();
    assert!(last <= end);
    let asked = Frames { start: request.gfn, end: Pfn(last) };
    let mut holders = layout.ranges().iter().filter_map(|range| {
        let shared = Frames::inside(range.range).intersection(asked).pages();
        (shared > 0).then_some((shared, range.vnode))
    });
    match (holders.next(), holders.next()) {
        (None, None) => assert_eq!(request.node, None),
        (Some((pages, vnode)), None) => {
            assert_eq!(pages, request.pages(), "straddles a border");
            assert_eq!(request.node, layout.pnode(vnode));
        }
        other => panic!("straddles nodes: {other:?}"),
    }
    assert_eq!(
        request.is_fallback(),
        match request.node {
            Some(_) => request.binding > Binding::Node,
            None => request.binding > Binding::AnyNode,
        }
    );
}

fn after_refusal(refused: &Request, next: &Request) {
    assert_eq!((refused.gfn, refused.node), (next.gfn, next.node));
    if refused.order > 0 {
        assert_eq!((next.order, next.binding), (refused.order - 1, refused.binding));
    } else {
        let order = Binding::ALL.iter().position(|binding| *binding == refused.binding);
        assert_eq!(Some(&next.binding), order.and_then(|at| Binding::ALL.get(at + 1)));
    }
}

/// A heap of the library's own model, with as much as the input says.
fn finite(input: &Input, layout: Layout<'_>, start: Pfn, pages: u64) {
    let mut nodes = vec![NodeHeap::EMPTY; 8];
    for (heap, (order, count, dma)) in input.heap.iter().enumerate() {
        let node = &mut nodes[heap % 8];
        let blocks = if *dma { &mut node.dma } else { &mut node.other };
        blocks[usize::from(*order) % 21] += u64::from(*count);
    }
    let sum = |nodes: &[NodeHeap]| -> u128 {
        let blocks = nodes.iter().flat_map(|node| [node.dma, node.other]);
        blocks
            .flat_map(|by_order| (0..).zip(by_order))
            .map(|(order, count): (u32, u64)| u128::from(count) << order)
            .sum()
    };
    let before = sum(&nodes);
    let (mut given, mut failed) = (0_u128, false);
    let allocations: Allocations<'_, _> =
        Populate::new(layout, start, pages).on(WholeHeap::new(&mut nodes));
    for allocation in allocations {
        assert!(!failed, "something after an error");
        match allocation {
            Ok(allocation) => {
                given += u128::from(allocation.request.pages());
                if !allocation.request.binding.leaves_node() {
                    assert_eq!(Some(allocation.node), allocation.request.node);
                }
            }
            Err(error) => {
                failed = true;
                assert!(matches!(error, Error::OutOfMemory { .. }));
            }
        }
    }
    assert_eq!(before - given, sum(&nodes), "pages came from nowhere");
    let whole = u128::from(pages.min((1_u64 << 52).saturating_sub(start.0)));
    assert_eq!(given == whole, !failed);
    assert!(!failed || sum(&nodes) == 0, "a page was free");
}
