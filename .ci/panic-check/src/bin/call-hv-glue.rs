//! Calls every public function of hv-glue, each by its path, so that a check can
//! find it here by name.
#![cfg_attr(target_os = "none", no_std, no_main)]

use core::{fmt::Write, hint::black_box};

use acpi_gen::{
    ApicId, Description, Distance, Gpa, GpaRange, MemoryRange, Processor, ProcessorState,
    ProcessorUid, ProximityDomain,
};
use hv_glue::{
    ApicIds, ConditionName, Coverage, DescriptionMemory, Error, Frames, Gate, GateInput, GuestNode,
    GuestRequest, HostCpu, HostFacts, Layout, LayoutMemory, Limits, MemoryBlock, MemoryBlocks,
    NodeId, Numbering, PackageShape, PcpuId, Pfn, Placement, Scheme, Stride, VcpuId, Vmemrange,
    VnodeId,
    cpuid::{self, CpuidField, Leaf, PolicyLeaves, Vendor},
    e820::{self, E820Entry, E820Type, Piece, Trim},
    hypercall::{self, Fault, GuestInput, GuestOutput, MfnPxms, PxmMap, PxmRange, VnumaInfo},
    legacy_id, legacy_vcpus_per_node,
    opt_in::{self, GuestKind},
    populate::{AllocationStats, Binding, Heap, NodeHeap, Populate, Request, WholeHeap},
};

use panic_check::{Sink, see};

panic_check::program!(run);

fn run() {
    for part in [units, ids, leaves, host, guest, map, calls] {
        if let Err(error) = part() {
            see(write!(Sink, "{error}"));
            see(Error::errno(&error));
        }
    }
}

fn units() -> Result<(), Error> {
    let one = black_box(Pfn(1));
    let address = black_box(Gpa(0x1234));
    see((Pfn::containing(address), Pfn::at_or_above(address), Pfn::address(one)));
    see((Pfn::up(one, black_box(3)), Pfn::pages_from(one, black_box(Pfn(0)))));
    let frames = black_box(Frames { start: one, end: Pfn(9) });
    see((Frames::inside(range(0, 4096)), Frames::pages(frames), Frames::range(frames)));
    see(Frames::intersection(frames, black_box(frames)));
    see(opt_in::policy(black_box(true), black_box(GuestKind::Hvm))?);
    see((legacy_id(black_box(VcpuId(1))), legacy_vcpus_per_node(black_box(8), black_box(2))));
    Ok(())
}

fn range(start: u64, end: u64) -> GpaRange {
    // Half a page at 0 where the two are no range.
    let fallback = LayoutMemory::UNUSED_RANGE.range;
    GpaRange::new(Gpa(black_box(start)), Gpa(black_box(end))).unwrap_or(fallback)
}

const DOMAINS: [Option<ProximityDomain>; 2] = [Some(ProximityDomain(0)), Some(ProximityDomain(1))];

fn ids() -> Result<(), Error> {
    let vcpu_to_vnode = black_box([VnodeId(0), VnodeId(1), VnodeId(0)]);
    let placement =
        black_box(Placement { vcpu_to_vnode: &vcpu_to_vnode, domains: black_box(&DOMAINS) });
    let schemes = [
        Scheme::Legacy,
        Scheme::Package(Numbering::Dense, Stride::One),
        Scheme::Auto,
        Scheme::FirstThatFits,
    ];
    for scheme in schemes {
        let (mut scratch, mut out) = ([0; 2], [ApicId(0); 3]);
        let (scheme, limit) = (black_box(scheme), black_box(ApicId(254)));
        let ids = black_box(ApicIds::assign(placement, scheme, limit, &mut scratch, &mut out)?);
        see((ApicIds::get(&ids, black_box(VcpuId(2))), ApicIds::as_slice(&ids)));
        see((ApicIds::shape(&ids), ApicIds::highest(&ids)));
    }
    Ok(())
}

fn leaves() -> Result<(), Error> {
    let stride = black_box(Stride::Two);
    see(Stride::get(stride));
    let shape = PackageShape::new(black_box(Numbering::Domain), stride, black_box(24))?;
    let shape = black_box(shape);
    see((PackageShape::numbering(shape), PackageShape::stride(shape)));
    see((PackageShape::pkg_shift(shape), PackageShape::max_per_node(shape)));
    see(PackageShape::ids_per_package(shape));
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

/// Memory for a layout of up to 4 vnodes, vCPUs and ranges.
struct Lent {
    domains: [Option<ProximityDomain>; 4],
    pnodes: [Option<NodeId>; 4],
    vcpu_to_vnode: [VnodeId; 4],
    ranges: [Vmemrange; 4],
    distances: [Distance; 16],
}

impl Lent {
    const NEW: Self = Self {
        domains: [None; 4],
        pnodes: [None; 4],
        vcpu_to_vnode: [VnodeId(0); 4],
        ranges: [LayoutMemory::UNUSED_RANGE; 4],
        distances: [Distance::LOCAL; 16],
    };

    fn memory(&mut self) -> LayoutMemory<'_> {
        LayoutMemory {
            domains: &mut self.domains,
            pnodes: &mut self.pnodes,
            vcpu_to_vnode: &mut self.vcpu_to_vnode,
            ranges: &mut self.ranges,
            distances: &mut self.distances,
        }
    }
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
    let facts = HostFacts {
        blocks: &blocks[..],
        cpus: black_box(&cpus),
        node_to_pxm: black_box(&DOMAINS),
        distances: black_box(&[10, 20, 20, 10]),
    };
    see((MemoryBlocks::count(facts.blocks), MemoryBlocks::get(facts.blocks, black_box(1))));
    see(HostFacts::domain(&facts, black_box(NodeId(1)))?);
    let limits = black_box(Limits::XEN);
    see(HostFacts::layout_size(&facts, black_box(2), limits)?);
    let mut lent = black_box(Lent::NEW);
    let layout = black_box(Layout::for_dom0(facts, black_box(2), limits, lent.memory())?);
    use_layout(&layout)?;
    gate(&layout)
}

fn guest() -> Result<(), Error> {
    let nodes = black_box([GuestNode { memory: 1 << 21, pnode: Some(NodeId(0)) }; 2]);
    let request = black_box(GuestRequest {
        nodes: &nodes,
        vcpu_to_vnode: black_box(&[VnodeId(0), VnodeId(1)]),
        distances: black_box(&[]),
        hole: range(1 << 21, 1 << 22),
    });
    see(GuestRequest::layout_size(&request));
    let mut lent = black_box(Lent::NEW);
    let layout = black_box(Layout::for_guest(&request, lent.memory())?);
    see(Layout::new(
        Layout::domains(&layout),
        Layout::pnodes(&layout),
        Layout::vcpu_to_vnode(&layout),
        Layout::ranges(&layout),
        Layout::distances(&layout),
    )?);
    use_layout(&layout)
}

fn use_layout(layout: &Layout<'_>) -> Result<(), Error> {
    let vnode = black_box(VnodeId(1));
    see((Layout::nodes(layout), Layout::domain(layout, vnode), Layout::pnode(layout, vnode)));
    see((Layout::distance(layout, vnode, vnode), Layout::stretch(layout, black_box(Pfn(3)))));
    see(Layout::placement(layout));
    let processor = Processor {
        uid: ProcessorUid(0),
        apic_id: ApicId(0),
        domain: None,
        state: ProcessorState::Enabled,
    };
    let memory = MemoryRange {
        range: range(0, 4096),
        domain: ProximityDomain(0),
        hot_pluggable: false,
        non_volatile: false,
    };
    let lent = DescriptionMemory {
        processors: &mut [processor; 4],
        memory: &mut [memory; 4],
        domains: &mut [ProximityDomain(0); 4],
        matrix: &mut [Distance::LOCAL; 16],
    };
    let ids = black_box([ApicId(0), ApicId(2)]);
    see(Layout::describe(layout, &ids, lent, Description::EMPTY).is_ok());
    pages(layout)
}

fn pages(layout: &Layout<'_>) -> Result<(), Error> {
    let mut state = black_box(Populate::new(*layout, black_box(Pfn(0)), black_box(1024)));
    if let Some(request) = Populate::next(&state) {
        see((Request::pages(&request), Request::is_fallback(&request)));
        see(Binding::leaves_node(black_box(request.binding)));
        let mut counters = [[[0; 4]; 21]; 2];
        let mut stats = AllocationStats::new(&mut counters);
        AllocationStats::count(&mut stats, &request, black_box(NodeId(1)))?;
        see(AllocationStats::get(&stats, NodeId(1), black_box(9), request.binding));
        AllocationStats::iter(&stats).for_each(see);
    }
    Populate::granted(&mut state);
    Populate::refused(&mut state)?;
    let mut nodes = black_box([NodeHeap::EMPTY; 2]);
    NodeHeap::free(&mut nodes[0], black_box(Frames { start: Pfn(0), end: Pfn(77) }));
    see(Heap::allocate(&mut WholeHeap::new(&mut nodes), &black_box(REQUEST)));
    let blocks = blocks();
    let heap = WholeHeap::of_blocks(&blocks[..], &mut nodes);
    Populate::on(state, heap).for_each(see);
    Ok(())
}

const REQUEST: Request =
    Request { gfn: Pfn(0), order: 0, node: Some(NodeId(0)), binding: Binding::Node };

fn gate(layout: &Layout<'_>) -> Result<(), Error> {
    let (mut scratch, mut ids) = ([0; 4], [ApicId(0); 4]);
    let limit = black_box(ApicId(254));
    let placement = Layout::placement(layout);
    let ids = ApicIds::assign(placement, Scheme::FirstThatFits, limit, &mut scratch, &mut ids);
    let input = black_box(GateInput {
        pvh: true,
        pinned: true,
        vcpus: 2,
        pcpus: 2,
        nodes: Layout::nodes(layout),
        blocks: 2,
        max_nodes: Limits::XEN.vnodes,
        max_blocks: Limits::XEN.ranges,
        uncovered_pages: 0,
        ids,
        coverage: Coverage::Full,
    });
    let gate = black_box(Gate::evaluate(&input, limit));
    see((Gate::enabled(&gate), Gate::conditions(&gate), Gate::uncovered_pages(&gate)));
    see(ConditionName::as_str(black_box(ConditionName::Nodes)));
    see(write!(Sink, "{gate}"));
    Ok(())
}

fn map() -> Result<(), Error> {
    let entry = |start, end, kind| E820Entry { range: range(start, end), kind: black_box(kind) };
    let map =
        black_box([entry(0, 0x9_F000, E820Type::RAM), entry(0x10_0000, 1 << 22, E820Type::RAM)]);
    let vmemrange =
        |start, end, vnode| Vmemrange { range: range(start, end), vnode, hotplug: false };
    let ranges =
        black_box([vmemrange(0, 1 << 21, VnodeId(0)), vmemrange(1 << 21, 1 << 22, VnodeId(1))]);
    let keep = black_box([range(0, 4096)]);
    let pages = black_box(300);
    see(Trim::pieces_needed(&map, &ranges)?);
    let mut pieces = [Piece::UNUSED; 4];
    let trim = Trim::by_node(&map, &ranges, &keep, pages, black_box(4), &mut pieces)?;
    written(black_box(trim))?;
    written(black_box(Trim::by_region(&map, pages, &mut pieces)?))?;
    written(black_box(Trim::first_fit(&map, pages, &mut pieces)?))?;
    see((e820::ram_pages(&map), e820::percent_of_ram(&map, black_box(35))));
    see((e820::keep_for_kernel(black_box(9)), e820::largest_ram_run(&map)));
    e820::check_coverage(&map, &ranges)
}

fn written(trim: Trim<'_>) -> Result<(), Error> {
    if let Some(piece) = Trim::pieces(&trim).first() {
        see((Piece::frames(piece), Piece::vnode(piece), Piece::share(piece)));
    }
    see((Trim::merged(&trim), Trim::pages(&trim), Trim::len(&trim), Trim::is_empty(&trim)));
    see(Trim::pages_of(&trim, black_box(Some(VnodeId(1)))));
    let unused = E820Entry { range: range(0, 1), kind: E820Type::NVS };
    let mut out = black_box([unused; 8]);
    see(Trim::emit(&trim, &mut out)?);
    Ok(())
}

/// A guest's array whose every access may fail.
struct Guest;

impl GuestInput<u64> for Guest {
    fn read(&mut self, index: u32) -> Result<u64, Fault> {
        black_box(Ok(u64::from(index)))
    }
}

impl GuestOutput<u32> for Guest {
    fn is_null(&self) -> bool {
        black_box(false)
    }

    fn write(&mut self, index: u32, value: u32) -> Result<(), Fault> {
        see((index, value));
        black_box(Ok(()))
    }
}

fn calls() -> Result<(), Error> {
    let ids = black_box([ApicId(1), ApicId(2)]);
    see(hypercall::get_vcpu_apicids(&ids, black_box(2), black_box(2), &mut Guest));
    let mut table = [PxmRange::UNUSED; 2];
    let blocks = blocks();
    let map = black_box(PxmMap::new(&blocks[..], black_box(&DOMAINS), &mut table)?);
    see(PxmMap::domain(&map, black_box(Pfn(1))));
    let arguments = black_box(MfnPxms { hardware_domain: true, nr: 2, pad: 0 });
    see(hypercall::get_mfn_pxms(&map, arguments, &mut Guest, &mut Guest));
    see(PxmMap::over(black_box(&[PxmRange::UNUSED]))?);
    let info = black_box(VnumaInfo {
        vnodes: 1,
        distances: &[10],
        vcpu_to_vnode: &[VnodeId(0)],
        ranges: &[],
    });
    hypercall::check_vnumainfo(&info, black_box(None))
}
