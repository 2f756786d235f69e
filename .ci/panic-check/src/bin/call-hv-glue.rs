//! Calls every public function of hv-glue, each by its path, so that a check can
//! find it here by name.
#![cfg_attr(target_os = "none", no_std, no_main)]

use core::{fmt::Write, hint::black_box};

use acpi_gen::{
    ApicId, Description, Distance, Distances, Gpa, GpaRange, MemoryRange, Processor, ProcessorUid,
    ProximityDomain, Violation,
};
use hv_glue::{
    ApicIds, Arena, ArenaSize, ConditionName, Dom0Plan, Dom0Request, Error, Frames, Gate,
    GuestPlan, GuestRequest, HostCpu, HostFacts, Layout, MemoryBlock, MemoryRequest, NodeId,
    Numbering, PackageShape, PcpuId, Pfn, Placement, Scheme, Stride, VcpuId, VnodeId,
    cpuid::{self, CpuidField, Leaf, PolicyLeaves, Vendor},
    e820::{self, E820Entry, E820Type, Piece},
    hypercall::{self, MfnPxms, PxmRange},
    legacy_id,
    populate::{Binding, Heap, NodeHeap, Populate, Request, WholeHeap},
};

use panic_check::{Sink, see};

panic_check::program!(run);

fn run() {
    for part in [units, ids, leaves, host, guest, calls] {
        if let Err(error) = part() {
            see(write!(Sink, "{error}"));
            see((Violation::from(error), Error::text(black_box(0x208))));
        }
    }
}

fn units() -> Result<(), Error> {
    let frames = black_box(Frames { start: Pfn(1), end: Pfn(9) });
    see((Frames::inside(range(0, 4096)), Frames::pages(frames), Frames::range(frames)));
    see(Frames::intersection(frames, black_box(frames)));
    see(legacy_id(black_box(VcpuId(1))));
    Ok(())
}

fn range(start: u64, end: u64) -> GpaRange {
    // What the map keeps at least, where the two are no range.
    const FALLBACK: GpaRange = match GpaRange::new(Gpa(0), Gpa(1)) {
        Ok(range) => range,
        Err(_) => unreachable!(),
    };
    GpaRange::new(Gpa(black_box(start)), Gpa(black_box(end))).unwrap_or(FALLBACK)
}

const DOMAINS: [Option<ProximityDomain>; 2] = [Some(ProximityDomain(0)), Some(ProximityDomain(1))];

fn ids() -> Result<(), Error> {
    let vcpu_to_vnode = black_box([VnodeId(0), VnodeId(1), VnodeId(0)]);
    let placement =
        black_box(Placement { vcpu_to_vnode: &vcpu_to_vnode, domains: black_box(&DOMAINS) });
    let schemes =
        [Scheme::Legacy, Scheme::Package(Numbering::Dense, Stride::One), Scheme::FirstThatFits];
    for scheme in schemes {
        let (mut scratch, mut out) = ([0; 2], [ApicId(0); 3]);
        let (scheme, limit) = (black_box(scheme), black_box(ApicId(254)));
        let ids = black_box(ApicIds::assign(placement, scheme, limit, &mut scratch, &mut out)?);
        see(ApicIds::as_slice(&ids));
        see((ApicIds::shape(&ids), ApicIds::highest(&ids)));
    }
    let mut out = [ApicId(0); 3];
    see(ApicIds::of_guest(&vcpu_to_vnode, black_box(2), &mut out)?.highest());
    Ok(())
}

fn leaves() -> Result<(), Error> {
    let stride = black_box(Stride::Two);
    see(Stride::get(stride));
    let shape = PackageShape::new(black_box(Numbering::Domain), stride, black_box(24))?;
    let shape = black_box(shape);
    see((PackageShape::numbering(shape), PackageShape::stride(shape)));
    see((PackageShape::pkg_shift(shape), PackageShape::max_per_node(shape)));
    for vendor in [Vendor::Intel, Vendor::Amd, Vendor::Hygon] {
        let mut leaves = black_box([Leaf::default(); 8]);
        let [leaf_1, leaf_80000008, leaf_4 @ .., b0, b1] = &mut leaves;
        let mut leaf_b = [*b0, *b1];
        let policy = PolicyLeaves {
            leaf_1,
            leaf_4,
            leaf_b: black_box(&mut leaf_b),
            leaf_80000008: black_box(Some(leaf_80000008)),
        };
        cpuid::patch_policy(black_box(vendor), shape, policy)?;
        see(leaf_b);
        cpuid::patch_vcpu(black_box(1), black_box(ApicId(3)), &mut leaves[0]);
        see(leaves);
    }
    see(cpuid::leaf_1f(shape, black_box(1), black_box(ApicId(3)))?);
    see(cpuid::leaf_80000026(shape, black_box(1), black_box(ApicId(3)))?);
    see(CpuidField::as_str(black_box(CpuidField::LevelShift)));
    Ok(())
}

fn blocks() -> [MemoryBlock; 2] {
    let block = |start, end, node| MemoryBlock {
        range: range(start, end),
        node: NodeId(black_box(node)),
        hotplug: black_box(false),
    };
    black_box([block(0, 1 << 21, 0), block(1 << 21, 1 << 22, 1)])
}

fn host() -> Result<(), Error> {
    let blocks = blocks();
    let cpus = black_box([0, 1].map(|n| HostCpu { pcpu: PcpuId(n), node: NodeId(n) }));
    let entry = |start, end, kind| E820Entry { range: range(start, end), kind: black_box(kind) };
    let map =
        black_box([entry(0, 0x9_F000, E820Type::RAM), entry(0x10_0000, 1 << 22, E820Type::RAM)]);
    let facts = black_box(HostFacts {
        blocks: &blocks,
        cpus: &cpus,
        node_to_pxm: black_box(&DOMAINS),
        distances: black_box(&[10, 20, 20, 10]),
        map: &map,
    });
    let request =
        black_box(Dom0Request { pvh: true, pinned: true, vcpus: 2, pcpus: 2, partial: false });
    see(ArenaSize::for_dom0(black_box(2), black_box(2), black_box(2)));
    let (mut processors, mut pieces) = ([Arena::PROCESSOR; 2], [Piece::UNUSED; 8]);
    let mut scratch = [0; 32];
    let arena = Arena { processors: &mut processors, pieces: &mut pieces, scratch: &mut scratch };
    let mut plan = black_box(Dom0Plan::new());
    Dom0Plan::build(&mut plan, facts, request, arena)?;
    gate(Dom0Plan::gate(&plan));
    see((Dom0Plan::refusal(&plan), Dom0Plan::shape(&plan)));
    Dom0Plan::unmet(&plan).for_each(see);
    see(Dom0Plan::processors(&plan));
    if let Some(layout) = Dom0Plan::layout(&plan) {
        use_layout(layout);
    }
    let keep = black_box([range(0, 4096)]);
    for keep in [None, Some(&keep[..])] {
        Dom0Plan::trim(&mut plan, black_box(MemoryRequest { nr_pages: 300, modules: 9, keep }))?;
        Dom0Plan::memory_map(&plan).for_each(see);
    }
    see((Dom0Plan::is_by_node(&plan), Dom0Plan::first_fit(&plan), Dom0Plan::merged(&plan)));
    see((Dom0Plan::kept_up_to(&plan), Dom0Plan::low_pages(&plan), Dom0Plan::low_floor(&plan)));
    see((e820::ram_pages(&map), e820::percent_of_ram(&map, black_box(35))));
    pages(&plan, &blocks)?;
    see(Dom0Plan::tables(&mut plan, black_box(Description::EMPTY)).is_ok());
    Ok(())
}

fn guest() -> Result<(), Error> {
    let vcpu = |n| Processor {
        uid: ProcessorUid(n),
        domain: Some(ProximityDomain(n)),
        ..Arena::PROCESSOR
    };
    let processors = black_box([vcpu(0), vcpu(1)]);
    let memory = black_box([MemoryRange {
        range: range(0, 1 << 21),
        domain: ProximityDomain(0),
        hot_pluggable: false,
        non_volatile: false,
    }]);
    let domains = [ProximityDomain(0), ProximityDomain(1)];
    let matrix = [Distance::LOCAL, Distance::REMOTE, Distance::REMOTE, Distance::LOCAL];
    let request = black_box(GuestRequest {
        processors: &processors,
        memory: &memory,
        distances: Distances { domains: &domains, matrix: &matrix },
        pnodes: &[NodeId(0), NodeId(1)],
    });
    see(ArenaSize::for_guest(black_box(2)));
    let (mut own, mut scratch) = ([Arena::PROCESSOR; 2], [0; 32]);
    let arena = Arena { processors: &mut own, pieces: &mut [], scratch: &mut scratch };
    let mut plan = black_box(GuestPlan::new());
    GuestPlan::build(&mut plan, request, arena)?;
    GuestPlan::derive_ids(&mut plan)?;
    GuestPlan::set_ids(&mut plan, black_box(&[ApicId(0), ApicId(2)]))?;
    see((GuestPlan::processors(&plan), GuestPlan::shape(&plan)));
    use_layout(GuestPlan::layout(&plan));
    see(GuestPlan::tables(&mut plan, black_box(Description::EMPTY)).is_ok());
    Ok(())
}

fn use_layout(layout: &Layout) {
    let (vnode, domain) = black_box((VnodeId(1), ProximityDomain(1)));
    see((Layout::domains(layout), Layout::matrix(layout), Layout::memory(layout)));
    see((Layout::vnodes(layout), Layout::vnode(layout, domain), Layout::domain(layout, vnode)));
    see((Layout::pnode(layout, domain), Layout::distance(layout, vnode, vnode)));
}

fn pages(plan: &Dom0Plan<'_>, blocks: &[MemoryBlock]) -> Result<(), Error> {
    let mut state = black_box(Dom0Plan::populate(plan, black_box(Pfn(0)), black_box(1024)));
    if let Some(request) = Populate::next(&state) {
        see((Request::pages(&request), Request::is_fallback(&request)));
        see(Binding::leaves_node(black_box(request.binding)));
    }
    Populate::granted(&mut state);
    Populate::refused(&mut state)?;
    let state = Dom0Plan::resume(plan, black_box(Populate::pause(state)));
    let mut nodes = black_box([NodeHeap::EMPTY; 2]);
    NodeHeap::free(&mut nodes[0], black_box(Frames { start: Pfn(0), end: Pfn(77) }));
    see(Heap::allocate(&mut WholeHeap::new(&mut nodes), &black_box(REQUEST)));
    let heap = WholeHeap::of_blocks(blocks, &mut nodes);
    Populate::on(state, heap).for_each(see);
    Ok(())
}

const REQUEST: Request =
    Request { gfn: Pfn(0), order: 0, node: Some(NodeId(0)), binding: Binding::Node };

fn gate(gate: &Gate) {
    see((Gate::enabled(gate), Gate::conditions(gate), Gate::uncovered_pages(gate)));
    see(ConditionName::as_str(black_box(ConditionName::Nodes)));
    see(write!(Sink, "{gate}"));
}

fn calls() -> Result<(), Error> {
    let frames =
        |start, end| PxmRange { start: Pfn(start), end: Pfn(end), domain: ProximityDomain(0) };
    let mut ranges = black_box([frames(0, 4), frames(4, 9)]);
    see(hypercall::merge_pxm_ranges(&mut ranges));
    let arguments = black_box(MfnPxms { hardware_domain: true, nr: 2, pad: 0 });
    let mut pxms = [0; 2];
    hypercall::get_mfn_pxms(&ranges, arguments, black_box(&[1, 2]), &mut pxms)?;
    see(pxms);
    Ok(())
}
