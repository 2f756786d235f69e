//! Fault injection: everything that a caller's memory or allocator can refuse is
//! refused once at every place, and the error says which.

use std::fs;
use std::path::Path;

use acpi_gen::{
    ApicId, Description, Distance, Error, Gpa, GpaRange, Processor, ProcessorState, ProcessorUid,
    ProximityDomain, TableSet, Topology,
};
use arbitrary::{Arbitrary, Unstructured};
use fuzz::targets::placement::{Input, carry_out, with_plan};
use fuzz::targets::start_info::written;
use hv_glue::hypercall::{Errno, Fault, GuestOutput, get_vcpu_apicids};
use hv_glue::populate::{Populate, Request};
use hv_glue::{Error as LayoutError, Layout, NodeId, Pfn, Vmemrange, VnodeId};
use pvh_loader::{Item, Piece};

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
            // The same plan again after each failure; whole at last, which `carry_out` and
            // `written` check.
            let failed: Vec<_> =
                (1..).map_while(|fail_at| carry_out(plan, guest, fail_at)).collect();
            written(plan, guest);
            let assert_failed = |piece| assert!(failed.contains(&piece), "{piece} never failed");
            for signature in
                [b"RSDP", b"XSDT", b"FACP", b"APIC", b"SRAT", b"SLIT", b"DSDT", b"FACS"]
            {
                assert_failed(Piece::Table { signature: *signature });
            }
            for segment in guest.kernel.segments() {
                assert_failed(Piece::Segment { header: segment.header });
            }
            for (index, module) in guest.modules.iter().enumerate() {
                assert_failed(Piece::Module { index });
                assert_failed(Piece::ModuleEntry { index });
                if !module.command_line.is_empty() {
                    assert_failed(Piece::CommandLine { module: Some(index) });
                }
            }
            if !guest.command_line.is_empty() {
                assert_failed(Piece::CommandLine { module: None });
            }
            (0..plan.map().len()).for_each(|index| assert_failed(Piece::MapEntry { index }));
            for item in [Item::Tables, Item::StartInfo] {
                assert_failed(Piece::Pages(item));
            }
            assert_failed(Piece::StartInfo);
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

/// Two nodes with a hole between them, and a last range on no node.
const PAGES: u64 = 1000;

fn with_layout<R>(with: impl FnOnce(Layout<'_>) -> R) -> R {
    let range = |from: u64, to: u64, vnode: u32| Vmemrange {
        range: GpaRange::new(Gpa(from << 12), Gpa(to << 12)).expect("a range"),
        vnode: VnodeId(vnode),
        hotplug: false,
    };
    let ranges = [range(3, 300, 0), range(320, 611, 1), range(700, 900, 2)];
    let domains = [0, 1, 2].map(|domain| Some(ProximityDomain(domain)));
    let pnodes = [Some(NodeId(4)), Some(NodeId(9)), None];
    let distances: Vec<_> =
        (0..9).map(|at| if at % 4 == 0 { Distance::LOCAL } else { Distance::REMOTE }).collect();
    with(Layout::new(&domains, &pnodes, &[], &ranges, &distances).expect("a layout"))
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
    with_layout(|layout| {
        let all = Populate::new(layout, Pfn(0), PAGES);
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
    with_layout(|layout| {
        let all = Populate::new(layout, Pfn(0), PAGES);
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

#[test]
fn a_guests_handle_faults_at_every_element() {
    struct Handle(u32, u32);
    impl GuestOutput<u32> for Handle {
        fn is_null(&self) -> bool {
            false
        }
        fn write(&mut self, index: u32, _: u32) -> Result<(), Fault> {
            if index == self.0 {
                return Err(Fault);
            }
            self.1 += 1;
            Ok(())
        }
    }
    for fault_at in 0..9 {
        let mut handle = Handle(fault_at, 0);
        let answer = get_vcpu_apicids(&[], 8, 8, &mut handle);
        let expected = if fault_at < 8 { (Err(Errno::EFAULT), fault_at) } else { (Ok(()), 8) };
        assert_eq!((answer.result, answer.nr_filled), expected);
        assert_eq!(handle.1, expected.1);
    }
}
