//! Populating memory with a hostile allocator: whatever it refuses, every frame is
//! asked for once, in order, from the node that it belongs on, and never across
//! nodes; a refusal changes nothing but the next request.

use acpi_gen::ProximityDomain;
use arbitrary::{Arbitrary, Unstructured};
use hv_glue::populate::{Binding, MAX_ORDER, NodeHeap, Request, WholeHeap};
use hv_glue::{Dom0Plan, Dom0Request, Error, Frames, HostCpu, NodeId, PcpuId, Pfn};

use crate::host::{self, Block, HostParts};
use crate::ranges::Size;
use crate::{Interest, encode};

/// A host, a region, and what the allocator answers.
#[derive(Arbitrary, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// The region's first byte.
    pub start: Size,
    /// Its size.
    pub size: Size,
    /// The memory blocks.
    pub ranges: Vec<Block>,
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
encode::encode_fields!(Input { start, size, ranges, refusals, heap });

/// Steps after which a region is left as it is.
const MAX_STEPS: usize = 4096;

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else { return Interest::Reject };
    // What the target host_plan refuses is not for here.
    let mut blocks = host::blocks(&input.ranges);
    blocks.retain(|block| Frames::inside(block.range).range() == Some(block.range));
    blocks.sort_by_key(|block| block.range.start());
    blocks.dedup_by(|second, first| first.range.overlaps(second.range));
    let mut node = 0;
    for block in &mut blocks {
        node = node.max(block.node.0 % 8);
        block.node = NodeId(node);
    }
    let host = HostParts {
        map: Vec::new(),
        blocks,
        // One on each node, so that the gate does not close for want of nodes.
        cpus: (0..8).map(|n| HostCpu { pcpu: PcpuId(n), node: NodeId(n) }).collect(),
        node_to_pxm: (0..8).map(|node| Some(ProximityDomain(node))).collect(),
        distances: Vec::new(),
    };
    let vcpus = host.cpus.len() as u32;
    let request = Dom0Request { pvh: true, pinned: true, vcpus, pcpus: vcpus, partial: true };
    let mut arena = host.arena(vcpus);
    let mut plan = Dom0Plan::new();
    plan.build(host.facts(), request, arena.slices()).expect("a plan");
    let start = Pfn(input.start.bytes() >> 12);
    let pages = input.size.bytes() >> 12;
    hostile(&input, &plan, start, pages);
    finite(&input, &plan, start, pages.min(1 << 12));
    Interest::Keep
}

/// An allocator that answers by the input's bits.
fn hostile(input: &Input, plan: &Dom0Plan<'_>, start: Pfn, pages: u64) {
    let mut populate = plan.populate(start, pages);
    let end = start.0.saturating_add(pages).min(1 << 52).max(start.0);
    let mut at = start.0;
    let mut last: Option<Request> = None;
    for step in 0..MAX_STEPS {
        let Some(request) = populate.next() else {
            assert_eq!(at, end);
            break;
        };
        assert_eq!(populate.next(), Some(request), "asking changes nothing");
        populate = plan.resume(populate.pause());
        assert_eq!(populate.next(), Some(request), "nor does a pause");
        assert_eq!(request.gfn.0, at);
        well_formed(&request, plan, end);
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
}

/// Aligned, inside the region, and all of it in one range or in none.
fn well_formed(request: &Request, plan: &Dom0Plan<'_>, end: u64) {
    assert!(request.order <= MAX_ORDER);
    assert_eq!(request.gfn.0 % request.pages(), 0);
    let last = request.gfn.0 + request.pages();
    assert!(last <= end);
    let asked = Frames { start: request.gfn, end: Pfn(last) };
    let ranges = plan.layout().map_or(&[][..], |layout| layout.memory());
    let mut holders = ranges.iter().filter_map(|range| {
        let shared = Frames::inside(range.range).intersection(asked).pages();
        (shared > 0).then_some((shared, range.domain))
    });
    match (holders.next(), holders.next()) {
        (None, None) => assert_eq!(request.node, None),
        (Some((pages, domain)), None) => {
            assert_eq!(pages, request.pages(), "straddles a border");
            // Each node has the proximity domain of its number.
            assert_eq!(request.node, Some(NodeId(domain.0)));
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
        let fallback = match refused.binding {
            Binding::Node => Binding::NodeWithDma,
            Binding::NodeWithDma => Binding::AnyNode,
            Binding::AnyNode | Binding::AnyPage => Binding::AnyPage,
        };
        assert_eq!(next.binding, fallback);
    }
}

/// A heap of the library's own model, with as much as the input says.
fn finite(input: &Input, plan: &Dom0Plan<'_>, start: Pfn, pages: u64) {
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
    for allocation in plan.populate(start, pages).on(WholeHeap::new(&mut nodes)) {
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
