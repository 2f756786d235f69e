//! Fault injection: everything that a caller's memory or allocator can refuse is
//! refused once at every place, and the error says which.

use std::fs;
use std::path::Path;

use acpi_gen::{
    ApicId, Description, Error, Gpa, GpaRange, Processor, ProcessorState, ProcessorUid,
    ProximityDomain, TableSet, Topology,
};
use arbitrary::{Arbitrary, Unstructured};
use fuzz::targets::placement::{Input, with_plan, write_guest};
use fuzz::targets::start_info::written;
use hv_glue::populate::{Populate, Request};
use hv_glue::{
    ArenaSize, Dom0Plan, Dom0Request, Error as LayoutError, HostCpu, HostFacts, MemoryBlock,
    NodeId, OwnedArena, PcpuId, Pfn,
};
use pvh_loader::{Content, Item};

/// Guests of the committed corpus, as many as can be placed.
fn guests() -> Vec<Input> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/placement");
    let files = fs::read_dir(folder).expect("a corpus").map(|file| file.expect("a file").path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let inputs = files.iter().filter_map(|file| {
        let bytes = fs::read(file).expect("a readable input");
        Input::arbitrary(&mut Unstructured::new(&bytes)).ok()
    });
    inputs.filter(|input| matches!(with_plan(input, |_, _| ()), Some(Ok(())))).collect()
}

#[test]
fn copies_into_the_guest_fail_at_every_call() {
    let guests = guests();
    assert!(guests.len() > 3, "{} guests", guests.len());
    for input in &guests {
        let planned = with_plan(input, |plan, guest| {
            // The same plan again after each failure; whole at last, which `write_guest` and
            // `written` check.
            let failed: Vec<_> =
                (1..).map_while(|fail_at| write_guest(plan, guest, fail_at)).collect();
            written(plan, guest);
            let assert_failed =
                |content| assert!(failed.contains(&content), "{content} never failed");
            for signature in
                [b"RSDP", b"XSDT", b"FACP", b"APIC", b"SRAT", b"SLIT", b"DSDT", b"FACS"]
            {
                assert_failed(Content::Table { signature: *signature });
            }
            for segment in guest.kernel.segments() {
                assert_failed(Content::Segment { header: segment.header });
            }
            for (index, module) in guest.modules.iter().enumerate() {
                assert_failed(Content::Module { index });
                assert_failed(Content::ModuleEntry { index });
                if !module.command_line.is_empty() {
                    assert_failed(Content::CommandLine { module: Some(index) });
                }
            }
            if !guest.command_line.is_empty() {
                assert_failed(Content::CommandLine { module: None });
            }
            (0..plan.map().len()).for_each(|index| assert_failed(Content::MapEntry { index }));
            for item in [Item::Tables, Item::StartInfo] {
                assert_failed(Content::Pages(item));
            }
            assert_failed(Content::StartInfo);
        });
        assert_eq!(planned, Some(Ok(())));
    }
}

#[test]
fn an_arena_of_every_size_below_the_right_one() {
    let processors: Vec<_> = (0..7)
        .map(|n| Processor {
            uid: ProcessorUid(n),
            apic_id: ApicId(n),
            domain: Some(ProximityDomain(n % 3)),
            state: ProcessorState::Enabled,
        })
        .collect();
    let description = Description { processors: &processors, ..Description::EMPTY };
    let mut scratch = [0; 7];
    let topology = Topology::new(description, &mut scratch).expect("a machine");
    let set = TableSet::complete(&topology).expect("a set");
    let needed = set.len().expect("a length");
    for have in 0..needed {
        let mut arena = vec![0xA5; have];
        assert_eq!(set.emit(&mut arena, Gpa(0)), Err(Error::BufferTooSmall { needed, have }));
        assert!(arena.iter().all(|byte| *byte == 0xA5));
    }
}

/// Two nodes with a hole between them.
const PAGES: u64 = 1000;

fn with_plan_of_two<R>(with: impl FnOnce(&Dom0Plan<'_>) -> R) -> R {
    let block = |from: u64, to: u64, node: u32| MemoryBlock {
        range: GpaRange::new(Gpa(from << 12), Gpa(to << 12)).expect("a range"),
        node: NodeId(node),
        hotplug: false,
    };
    let mut node_to_pxm = [None; 10];
    (node_to_pxm[4], node_to_pxm[9]) = (Some(ProximityDomain(0)), Some(ProximityDomain(1)));
    let facts = HostFacts {
        blocks: &[block(3, 300, 4), block(320, 611, 9)],
        cpus: &[HostCpu { pcpu: PcpuId(0), node: NodeId(4) }],
        node_to_pxm: &node_to_pxm,
        distances: &[],
        map: &[],
    };
    let request = Dom0Request { pvh: true, pinned: true, vcpus: 1, pcpus: 1, partial: false };
    let mut arena = OwnedArena::new(ArenaSize::for_dom0(1, 0, 2));
    let mut plan = Dom0Plan::new();
    plan.build(facts, request, arena.slices()).expect("a plan");
    assert!(plan.gate().enabled(), "{}", plan.gate());
    with(&plan)
}

/// The requests of a walk whose allocator refuses what `refuse` says of (number, request).
fn walk(
    mut walk: Populate<'_>,
    refuse: impl Fn(usize, &Request) -> bool,
) -> (Vec<Request>, Result<(), LayoutError>) {
    let (mut granted, mut calls) = (Vec::new(), 0);
    while let Some(request) = walk.next() {
        calls += 1;
        if !refuse(calls, &request) {
            walk.granted();
            granted.push(request);
        } else if let Err(error) = walk.refused() {
            return (granted, Err(error));
        }
    }
    (granted, Ok(()))
}

fn pages(requests: &[Request]) -> u64 {
    requests.iter().map(Request::pages).sum()
}

#[test]
fn the_allocator_fails_at_every_call() {
    with_plan_of_two(|plan| {
        let all = plan.populate(Pfn(0), PAGES);
        let (whole, done) = walk(all, |_, _| false);
        assert_eq!((pages(&whole), done), (PAGES, Ok(())));
        for fails in 1..=whole.len() {
            // One refusal: smaller or less bound requests for that stretch, and all is there.
            let (granted, done) = walk(all, |call, _| call == fails);
            assert_eq!((pages(&granted), done), (PAGES, Ok(())));
            assert!(granted.len() >= whole.len());
            // From then on nothing: the first frame that is missing, and how many are.
            let (granted, done) = walk(all, |call, _| call >= fails);
            let had = pages(&granted);
            assert_eq!(done, Err(LayoutError::OutOfMemory { pfn: Pfn(had), left: PAGES - had }));
            assert_eq!(granted, whole[..fails - 1]);
        }
        // One node has nothing: its frames come from elsewhere, the others from their own.
        let (granted, done) = walk(all, |_, request| {
            request.node == Some(NodeId(4)) && !request.binding.leaves_node()
        });
        assert_eq!((pages(&granted), done), (PAGES, Ok(())));
        let fallbacks = granted.iter().filter(|request| request.is_fallback());
        assert!(fallbacks.clone().count() > 0);
        assert!(fallbacks.clone().all(|request| request.node == Some(NodeId(4))));
    });
}

#[test]
fn a_walk_interrupted_at_every_step_goes_on_or_is_thrown_away() {
    with_plan_of_two(|plan| {
        let all = plan.populate(Pfn(0), PAGES);
        let refuse = |call: usize, request: &Request| request.order > 0 && call.is_multiple_of(3);
        let (whole, _) = walk(all, refuse);
        let mut state = all;
        let (mut granted, mut calls) = (Vec::new(), 0);
        while let Some(request) = state.next() {
            // The state is a value: what goes on from a copy is the same, and the
            // copy that is dropped leaves nothing behind.
            let (rest, done) = walk(state, |call, request| refuse(calls + call, request));
            assert_eq!(done, Ok(()));
            assert_eq!([granted.as_slice(), &rest].concat(), whole);
            calls += 1;
            if refuse(calls, &request) {
                assert_eq!(state.refused(), Ok(()));
            } else {
                state.granted();
                granted.push(request);
            }
        }
        assert_eq!(walk(all, refuse).0, whole);
    });
}
