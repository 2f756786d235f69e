//! Populate: every page once, from its node, with heaps of every kind.

use std::prelude::rust_2024::*;
use std::{panic, vec};

use crate::populate::*;
use crate::*;
use proptest::prelude::*;

use crate::tests::support::heap::{BuddyHeap, xens_ladder};
use crate::tests::support::{self, Host, Seen, block};

const PAGE: u64 = 4096;

/// A host whose node n has these frames.
fn host(blocks: &[(u64, u64, u32)]) -> Host {
    let blocks: Vec<_> =
        blocks.iter().map(|&(start, end, node)| block(start * PAGE, end * PAGE, node)).collect();
    let nodes = blocks.iter().map(|block| block.node.0).max().unwrap() + 1;
    Host {
        blocks,
        cpus: support::cpus(&[0]),
        node_to_pxm: support::identity(nodes),
        ..Host::default()
    }
}

type Outcome = Result<Vec<Allocation>, Error>;

fn populate(host: &Host, start: u64, pages: u64, heap: &mut impl Heap) -> Outcome {
    let Seen { layout, .. } = host.layout(1).unwrap();
    Populate::new(Some(&layout), Pfn(start), pages).on(heap).collect()
}

/// (frame, order, binding, node) of each allocation.
fn steps(outcome: &Outcome) -> Vec<(u64, u8, Binding, u32)> {
    let steps = outcome.as_ref().unwrap().iter();
    steps.map(|a| (a.request.gfn.0, a.request.order, a.request.binding, a.node.0)).collect()
}

/// What must hold of every complete population.
fn check(host: &Host, start: u64, pages: u64, allocations: &[Allocation], heap: &BuddyHeap) {
    // Every frame once, in order.
    let mut at = start;
    for Allocation { request, node } in allocations {
        assert_eq!(request.gfn.0, at);
        assert!(at.is_multiple_of(1 << request.order), "aligned to its order");
        let end = at + request.pages();
        let owner = |pfn: u64| {
            let block = host.blocks.iter().find(|block| {
                let frames = Frames::inside(block.range);
                frames.start <= Pfn(pfn) && Pfn(pfn) < frames.end
            });
            block.map(|block| (block.node, block.range))
        };
        assert_eq!(owner(at), owner(end - 1), "no allocation straddles blocks");
        assert_eq!(request.node, owner(at).map(|(node, _)| node));
        // From its own node, unless counted as a fallback to another.
        if let Some(own) = request.node
            && *node != own
        {
            assert!(request.is_fallback() && request.binding.leaves_node());
        }
        at = end;
    }
    assert_eq!(at, start + pages);
    // And every page of the host once.
    let mut taken = heap.taken.clone();
    taken.sort_by_key(|(frames, _)| frames.start);
    assert!(taken.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start));
    assert_eq!(taken.iter().map(|(frames, _)| frames.pages()).sum::<u64>(), pages);
}

#[test]
fn the_ladder_is_bounded_by_alignment_rest_range_and_order_20() {
    let host = host(&[(3, 1 << 22, 1)]);
    let mut heap = BuddyHeap::new(2);
    heap.free(1, false, 1 << 30, 1 << 22);
    // 3, 4, 8, … up to 2^21, where order 20 is the most.
    let outcome = populate(&host, 3, (1 << 21) + (1 << 20) - 3, &mut heap);
    let mut expected = vec![(3, 0, Binding::Node, 1)];
    expected.extend((2..=20).map(|order| (1 << order, order, Binding::Node, 1)));
    expected.push((1 << 21, 20, Binding::Node, 1));
    assert_eq!(steps(&outcome), expected);
}

#[test]
fn no_allocation_starts_on_one_node_and_ends_on_another() {
    let host = host(&[(0, 24, 0), (24, 64, 1)]);
    let mut heap = BuddyHeap::new(2);
    heap.free(0, false, 1024, 1024);
    heap.free(1, false, 4096, 1024);
    let outcome = populate(&host, 0, 64, &mut heap);
    let node = Binding::Node;
    assert_eq!(
        steps(&outcome),
        [(0, 4, node, 0), (16, 3, node, 0), (24, 3, node, 1), (32, 5, node, 1)]
    );
    check(&host, 0, 64, &outcome.unwrap(), &heap);
}

/// The four kinds in their order, and the next range back at the first with the
/// largest order.
#[test]
fn a_short_node_falls_back_for_its_range_only() {
    let host = host(&[(0, 16, 0), (16, 32, 1), (32, 48, 2)]);
    let mut heap = BuddyHeap::new(3);
    heap.free(0, false, 100 * 16, 16);
    heap.free(1, false, 200 * 16, 4);
    heap.free(1, true, 210 * 16, 4);
    heap.free(2, false, 300 * 16, 16 + 4);
    heap.free(2, true, 310 * 16, 64);
    let outcome = populate(&host, 0, 48, &mut heap);
    assert_eq!(
        steps(&outcome),
        [
            (0, 4, Binding::Node, 0),
            (16, 2, Binding::Node, 1),
            (20, 2, Binding::NodeWithDma, 1),
            // Node 2 has a block of 16: half of it goes here.
            (24, 3, Binding::AnyNode, 2),
            (32, 3, Binding::Node, 2),
            (40, 2, Binding::Node, 2),
            (44, 2, Binding::NodeWithDma, 2),
        ]
    );
    check(&host, 0, 48, &outcome.unwrap(), &heap);

    // With nothing left but another node's DMA reserve, no flags.
    let mut heap = BuddyHeap::new(3);
    heap.free(2, true, 0, 16);
    let outcome = populate(&host, 0, 16, &mut heap);
    assert_eq!(steps(&outcome), [(0, 4, Binding::AnyPage, 2)]);
}

/// A node in single pages says nothing about the next node's blocks.
#[test]
fn the_order_recovers_for_the_next_range() {
    let host = host(&[(0, 16, 0), (16, 32, 1)]);
    let mut heap = BuddyHeap::new(2);
    for page in 0..16 {
        heap.free(0, false, 1000 + 2 * page, 1);
    }
    heap.free(1, false, 2048, 16);
    let outcome = populate(&host, 0, 32, &mut heap);
    let mut expected: Vec<_> = (0..16).map(|pfn| (pfn, 0, Binding::Node, 0)).collect();
    expected.push((16, 4, Binding::Node, 1));
    assert_eq!(steps(&outcome), expected);
}

/// What the seed's emergency exit did not see: 96,330 pages fell back although
/// the node had 130,816 in its DMA reserve.
#[test]
fn the_nodes_own_dma_reserve_comes_before_another_node() {
    let host = host(&[(0, 200_000, 0), (200_000, 400_000, 1)]);
    let mut heap = BuddyHeap::new(2);
    heap.free(0, false, 1 << 20, 200_000 - 96_330);
    heap.free(0, true, 2 << 20, 130_816);
    heap.free(1, false, 3 << 20, 1 << 19);
    let outcome = populate(&host, 0, 400_000, &mut heap).unwrap();
    let pages = |binding| -> u64 {
        let of = outcome.iter().filter(|a| a.request.binding == binding);
        of.map(|a| a.request.pages()).sum()
    };
    assert_eq!(pages(Binding::NodeWithDma), 96_330);
    assert_eq!((pages(Binding::AnyNode), pages(Binding::AnyPage)), (0, 0));
    check(&host, 0, 400_000, &outcome, &heap);
}

#[test]
fn frames_outside_every_range_ask_for_any_node() {
    let host = host(&[(16, 32, 1)]);
    let mut heap = BuddyHeap::new(2);
    heap.free(0, false, 1024, 64);
    heap.free(1, false, 2048, 64);
    let outcome = populate(&host, 0, 48, &mut heap);
    assert_eq!(
        steps(&outcome),
        [(0, 4, Binding::AnyNode, 0), (16, 4, Binding::Node, 1), (32, 4, Binding::AnyNode, 0)]
    );
    assert!(outcome.unwrap().iter().all(|a| !a.request.is_fallback()), "nothing was refused");
}

#[test]
fn nothing_left_is_an_error_with_the_frame_and_ends_there() {
    let host = host(&[(0, 16, 0)]);
    let mut heap = BuddyHeap::new(1);
    heap.free(0, false, 1024, 5);
    let Seen { layout, .. } = host.layout(1).unwrap();
    let mut allocations = Populate::new(Some(&layout), Pfn(0), 16).on(&mut heap);
    assert!(matches!(allocations.next(), Some(Ok(_))));
    assert!(matches!(allocations.next(), Some(Ok(_))));
    assert_eq!(allocations.next(), Some(Err(Error::OutOfMemory { pfn: Pfn(5), left: 11 })));
    assert_eq!(allocations.next(), None);
}

#[test]
fn the_caller_may_stop_anywhere_and_ask_again() {
    let host = host(&[(0, 100, 0), (100, 200, 1)]);
    let Seen { layout, .. } = host.layout(1).unwrap();
    let mut heap = BuddyHeap::new(2);
    heap.free(0, false, 1024, 40);
    heap.free(1, false, 4096, 300);
    let expected: Vec<_> = Populate::new(Some(&layout), Pfn(0), 200).on(heap.clone()).collect();

    let mut state = Populate::new(Some(&layout), Pfn(0), 200);
    let mut seen = vec![];
    while let Some(request) = state.next() {
        assert_eq!(state.next(), Some(request), "asking changes nothing");
        // The state is a value: each step goes on from one that was put aside.
        let mut next = state;
        match heap.allocate(&request) {
            Some(node) => {
                next.granted();
                seen.push(Ok(Allocation { request, node }));
            }
            None => next.refused().unwrap(),
        }
        state = next;
    }
    assert_eq!(seen, expected);
    // Reports after the end change nothing.
    state.granted();
    assert_eq!(state.refused(), Ok(()));
    assert_eq!(state.next(), None);
    // Nor does a region without pages, or one at the end of all frames.
    assert_eq!(Populate::new(Some(&layout), Pfn(0), 0).next(), None);
    let last = Populate::new(Some(&layout), Pfn((1 << 52) - 1), u64::MAX).next().unwrap();
    assert_eq!((last.gfn, last.order, last.node), (Pfn((1 << 52) - 1), 0, None));
}

#[test]
fn after_out_of_memory_the_caller_may_try_again() {
    let host = host(&[(0, 1, 0)]);
    let Seen { layout, .. } = host.layout(1).unwrap();
    let mut state = Populate::new(Some(&layout), Pfn(0), 1);
    for _ in 0..3 {
        assert_eq!(state.refused(), Ok(()));
    }
    let out = Err(Error::OutOfMemory { pfn: Pfn(0), left: 1 });
    assert_eq!((state.refused(), state.refused()), (out, out));
    assert_eq!(state.next().map(|request| request.binding), Some(Binding::AnyPage));
    state.granted();
    assert_eq!(state.next(), None);
}

/// A heap that refuses call 0, then one that refuses call 1, and so on, alone
/// and in runs that reach every fallback.
#[test]
fn each_call_refused_in_turn() {
    let host = host(&[(3, 600, 0), (600, 1100, 1)]);
    let fresh = || {
        let mut heap = BuddyHeap::new(2);
        for node in 0..2 {
            heap.free(node, false, (1 << 16) << node, 1024);
            heap.free(node, true, (1 << 18) << node, 512);
        }
        heap
    };
    let mut heap = fresh();
    populate(&host, 3, 1097, &mut heap).unwrap();
    for first in 0..heap.calls {
        for run in [1, 2, 5, 12, 25, 40] {
            let mut heap = fresh();
            heap.refuse = (first..first + run).collect();
            let outcome = populate(&host, 3, 1097, &mut heap);
            match outcome {
                Ok(allocations) => check(&host, 3, 1097, &allocations, &heap),
                Err(error) => {
                    assert!(matches!(error, Error::OutOfMemory { .. }));
                    assert!(run > 3, "four refusals of order 0 at least");
                }
            }
        }
    }
}

// ---- any heap ----

#[derive(Clone, Debug)]
struct Machine {
    host: Host,
    heap: BuddyHeap,
    start: u64,
    pages: u64,
}

/// Up to 4 nodes of up to 3,000 frames, each with a heap that is empty, whole, or
/// in pieces, some of them in a DMA reserve.
fn any_machine() -> impl Strategy<Value = Machine> {
    let pieces = prop::collection::vec((1_u64..300, any::<bool>()), 0..40);
    let whole = (500_u64..4000).prop_map(|pages| vec![(pages, false)]);
    let free = prop_oneof![1 => Just(vec![]), 2 => whole, 4 => pieces];
    let nodes = prop::collection::vec((0_u64..100, 1_u64..3000, free), 1..5);
    (nodes, 0_u64..500, 1_u64..8000).prop_map(|(nodes, start, pages)| {
        let mut heap = BuddyHeap::new(nodes.len());
        let mut blocks = vec![];
        let (mut end, mut free_at) = (0, 1 << 24);
        for (node, (gap, size, free)) in nodes.into_iter().enumerate() {
            blocks.push((end + gap, end + gap + size, node as u32));
            end += gap + size;
            for (pages, dma) in free {
                heap.free(node, dma, free_at, pages);
                // An odd step, so that pieces have every alignment.
                free_at += pages + 7;
            }
        }
        Machine { host: host(&blocks), heap, start, pages }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn any_heap_gives_every_page_once_or_runs_out(machine in any_machine()) {
        let Machine { host, heap, start, pages } = machine;
        let mut used = heap.clone();
        let outcome = populate(&host, start, pages, &mut used);
        let free: u64 = (0..host.node_to_pxm.len()).flat_map(|n| heap.free_pages(n)).sum();
        match outcome {
            Ok(allocations) => check(&host, start, pages, &allocations, &used),
            Err(Error::OutOfMemory { left, .. }) => {
                prop_assert!(free < pages, "gave up with {free} pages free for {pages}");
                prop_assert_eq!(pages - left, free, "and used all there were");
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Pages come from another node only once their own has none.
    #[test]
    fn a_page_leaves_its_node_only_when_the_node_is_empty(machine in any_machine()) {
        let Machine { host, mut heap, start, pages } = machine;
            let Seen { layout, .. } = host.layout(1).unwrap();
        let mut state = Populate::new(Some(&layout), Pfn(start), pages);
        while let Some(request) = state.next() {
            match heap.allocate(&request) {
                Some(node) => {
                    if let Some(own) = request.node.filter(|own| *own != node) {
                        prop_assert_eq!(heap.free_pages(own.0 as usize), [0, 0]);
                    }
                    if request.binding == Binding::NodeWithDma {
                        let own = request.node.unwrap().0 as usize;
                        prop_assert_eq!(heap.free_pages(own)[0], 0);
                    }
                    state.granted();
                }
                None if state.refused().is_err() => break,
                None => {}
            }
        }
    }

    /// For each run inside one range, on what its node has free when its turn
    /// comes: never more allocations than Xen's ladder makes of the same.
    #[test]
    fn never_more_allocations_than_xens_ladder(machine in any_machine()) {
        let Machine { host, mut heap, start, pages } = machine;
        for block in &host.blocks {
            let region = Frames { start: Pfn(start), end: Pfn(start + pages) };
            let run = Frames::inside(block.range).intersection(region);
            if run.pages() == 0 {
                continue;
            }
            let own = heap.only(block.node);
            let ours = populate(&host, run.start.0, run.pages(), &mut own.clone());
            let xens = xens_ladder(&mut own.clone(), run.start.0, run.pages(), block.node);
            match (&ours, xens) {
                (Ok(ours), Some(xens)) => prop_assert!(ours.len() <= xens.len()),
                (Err(Error::OutOfMemory { .. }), None) => {}
                (ours, xens) => panic!("one of them gave up: {ours:?} {xens:?}"),
            }
            if populate(&host, run.start.0, run.pages(), &mut heap).is_err() {
                break;
            }
        }
    }

    /// The library's heap model refuses and grants as one with real frames.
    #[test]
    fn the_heap_model_agrees_with_real_frames(
        machine in any_machine(),
    ) {
        let Machine { host, start, pages, .. } = machine;
        let mut real = BuddyHeap::new(host.node_to_pxm.len());
        for block in &host.blocks {
            let frames = Frames::inside(block.range);
            real.free(block.node.0 as usize, false, frames.start.0, frames.pages());
        }
        let mut nodes = vec![NodeHeap::EMPTY; host.node_to_pxm.len()];
        let mut model = WholeHeap::of_blocks(&host.blocks, &mut nodes);
        prop_assert_eq!(
            populate(&host, start, pages, &mut model),
            populate(&host, start, pages, &mut real)
        );
    }
}

#[test]
fn the_heap_model_has_a_dma_reserve() {
    let host = host(&[(0, 16, 0), (16, 32, 1)]);
    let mut nodes = [NodeHeap::EMPTY; 2];
    nodes[0].dma[3] = 1;
    nodes[1].other[4] = 1;
    nodes[1].dma[3] = 1;
    let outcome = populate(&host, 0, 32, &mut WholeHeap::new(&mut nodes));
    assert_eq!(
        steps(&outcome),
        [
            (0, 3, Binding::NodeWithDma, 0),
            (8, 3, Binding::AnyNode, 1),
            (16, 3, Binding::Node, 1),
            (24, 3, Binding::NodeWithDma, 1),
        ]
    );
}
