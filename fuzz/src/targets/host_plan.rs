//! Host description → plan: from one layout, the tables, the ids, CPUID, the
//! memory map and the pages' nodes must not disagree.

use std::collections::BTreeMap;

use acpi_gen::{
    Description, Distance, Gpa, GpaRange, Madt, MadtEntry, MemoryRange, Processor, ProcessorState,
    ProcessorUid, ProximityDomain, Slit, Srat, SratEntry, TableSet, Topology, madt, slit, srat,
};
use arbitrary::{Arbitrary, Unstructured};
use hv_glue::cpuid::{Leaf, PolicyLeaves, Vendor, patch_policy, patch_vcpu};
use hv_glue::e820::{
    E820Type, MAX_ENTRIES, Piece, Trim, check_coverage, keep_for_kernel, ram_pages,
};
use hv_glue::hypercall::{Fault, GuestOutput, get_vcpu_apicids};
use hv_glue::populate::{NodeHeap, Populate, WholeHeap};
use hv_glue::{
    ApicIds, Coverage, DescriptionMemory, Error, Frames, Gate, GateInput, Layout, Limits, NodeId,
    Scheme,
};

use crate::host::{Host, HostParts, LayoutBuffers};
use crate::{Interest, encode};

/// A host and its dom0.
#[derive(Arbitrary, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// dom0 is PVH.
    pub pvh: bool,
    /// Its vCPUs are pinned.
    pub pinned: bool,
    /// Also fewer vCPUs than pCPUs.
    pub partial: bool,
    /// Keep room for a kernel.
    pub keep: bool,
    /// dom0's vCPUs; 0 stands for one for each pCPU.
    pub vcpus: u8,
    /// Its share of the RAM in 255ths.
    pub fraction: u8,
    /// The host.
    pub host: Host,
}
encode::encode_fields!(Input { pvh, pinned, partial, keep, vcpus, fraction, host });

/// Pages above which nothing is populated, and sets above which nothing is written.
const MAX_PAGES: u64 = 1 << 26;

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else { return Interest::Reject };
    let host = input.host.parts();
    let facts = host.facts();
    let vcpus = if input.vcpus == 0 { host.cpus.len() as u32 } else { input.vcpus.into() };
    let Ok(size) = facts.layout_size(vcpus, Limits::XEN) else { return Interest::Keep };
    if size.vnodes > 0 && vcpus > 0 {
        let mut short = LayoutBuffers::new(hv_glue::LayoutSize { vnodes: size.vnodes - 1, ..size });
        assert!(Layout::for_dom0(facts, vcpus, Limits::XEN, short.lend()).is_err());
    }
    let mut buffers = LayoutBuffers::new(size);
    let layout = match Layout::for_dom0(facts, vcpus, Limits::XEN, buffers.lend()) {
        Ok(layout) => layout,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!(
                !matches!(error, Error::OutputTooSmall { .. }),
                "it was as large as was asked for"
            );
            return Interest::Keep;
        }
    };
    layout_is_the_hosts(&host, layout, vcpus);

    let mut scratch = vec![0; layout.domains().len()];
    let mut ids = vec![acpi_gen::ApicId(0); vcpus as usize];
    let ids = ApicIds::assign(
        layout.placement(),
        Scheme::FirstThatFits,
        acpi_gen::ApicId(254),
        &mut scratch,
        &mut ids,
    );
    let uncovered = match check_coverage(&host.map, layout.ranges()) {
        Ok(()) => 0,
        Err(Error::RamNotCovered { uncovered, .. }) => uncovered,
        Err(error) => {
            assert!(matches!(error, Error::MapNotAscending { .. }));
            return Interest::Keep;
        }
    };
    let gate = Gate::evaluate(
        &GateInput {
            pvh: input.pvh,
            pinned: input.pinned,
            vcpus,
            pcpus: host.cpus.len() as u32,
            nodes: layout.nodes(),
            blocks: host.blocks.len() as u32,
            max_nodes: Limits::XEN.vnodes,
            max_blocks: Limits::XEN.ranges,
            uncovered_pages: uncovered,
            ids,
            coverage: if input.partial { Coverage::Partial } else { Coverage::Full },
        },
        acpi_gen::ApicId(254),
    );
    let open = input.pvh
        && input.pinned
        && layout.nodes() > 1
        && uncovered == 0
        && ids.is_ok()
        && (vcpus as usize == host.cpus.len() || input.partial);
    assert_eq!(gate.enabled(), open, "{gate}");
    let Ok(ids) = ids else { return Interest::Keep };

    tables_agree(layout, ids);
    memory_agrees(&input, &host, layout);
    Interest::Keep
}

/// One range for each block, vCPU n on the n-th pCPU's node, the host's distances.
fn layout_is_the_hosts(host: &HostParts, layout: Layout<'_>, vcpus: u32) {
    let domain = |node: NodeId| host.node_to_pxm[node.0 as usize];
    let mut blocks: Vec<_> = host.blocks.clone();
    blocks.sort_by_key(|block| block.range.start());
    let of_blocks = blocks.iter().map(|block| (block.range, domain(block.node), block.hotplug));
    let of_layout = layout.ranges().iter().map(|r| (r.range, layout.domain(r.vnode), r.hotplug));
    assert!(of_blocks.eq(of_layout));
    let of_cpus = host.cpus.iter().take(vcpus as usize).map(|cpu| domain(cpu.node));
    assert!(of_cpus.eq(layout.vcpu_to_vnode().iter().map(|vnode| layout.domain(*vnode))));
    for (block, range) in blocks.iter().zip(layout.ranges()) {
        assert_eq!(layout.pnode(range.vnode), Some(block.node));
    }
    let nodes = host.node_to_pxm.len();
    for (from, a) in layout.pnodes().iter().enumerate() {
        for (to, b) in layout.pnodes().iter().enumerate() {
            let expected = match (a, b) {
                (Some(a), Some(b)) if !host.distances.is_empty() => {
                    host.distances[a.0 as usize * nodes + b.0 as usize].min(254)
                }
                _ if from == to => 10,
                _ => 20,
            };
            let at = |at: usize| hv_glue::VnodeId(at as u32);
            assert_eq!(layout.distance(at(from), at(to)).get(), expected);
        }
    }
}

fn cpu() -> Processor {
    Processor {
        uid: ProcessorUid(0),
        apic_id: acpi_gen::ApicId(0),
        domain: None,
        state: ProcessorState::Enabled,
    }
}

fn memory() -> MemoryRange {
    MemoryRange {
        range: GpaRange::new(Gpa(0), Gpa(1)).expect("a range"),
        domain: ProximityDomain(0),
        hot_pluggable: false,
        non_volatile: false,
    }
}

/// Union of SRAT memory == union of vmemranges; MADT ids == SRAT ids == CPUID 0xB
/// ids == what get_vcpu_apicids returns; the SLIT is the layout's matrix.
fn tables_agree(layout: Layout<'_>, ids: ApicIds<'_>) {
    let nodes = layout.nodes() as usize;
    let mut processors = vec![cpu(); layout.vcpu_to_vnode().len()];
    let mut ranges = vec![memory(); layout.ranges().len()];
    let mut domains = vec![ProximityDomain(0); nodes];
    let mut matrix = vec![Distance::LOCAL; nodes * nodes];
    let lent = DescriptionMemory {
        processors: &mut processors,
        memory: &mut ranges,
        domains: &mut domains,
        matrix: &mut matrix,
    };
    let description =
        layout.describe(ids.as_slice(), lent, Description::EMPTY).expect("a description");
    let mut scratch = vec![0; Topology::scratch_len(&description)];
    let topology = match Topology::new(description, &mut scratch) {
        Ok(topology) => topology,
        // The only rule that a layout does not have.
        Err(acpi_gen::Error::TooManyLocalities { domain, .. }) => {
            return assert!(domain.0 > 65_534);
        }
        Err(error) => panic!("{error}"),
    };
    let set = TableSet::new(&topology);
    let Ok(len) = set.len() else { panic!("a set of this size has a length") };
    if len as u64 > MAX_PAGES >> 6 {
        return;
    }
    let mut bytes = vec![0; len];
    let placed = set.emit(&mut bytes, Gpa(0xFC00_0000)).expect("a set");
    let table = |signature| {
        let table = placed.table(signature).expect("a table");
        &bytes[table.offset..][..table.len]
    };
    let in_madt: Vec<_> = Madt::parse(table(madt::SIGNATURE))
        .expect("a MADT")
        .entries()
        .map(|entry| match entry {
            Ok(MadtEntry::X2Apic { uid, apic_id, flags: 1 }) => (uid.0, apic_id),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(in_madt.iter().copied().eq((0..).zip(ids.as_slice().iter().copied())));
    let srat = Srat::parse(table(srat::SIGNATURE)).expect("an SRAT");
    let in_srat = srat.entries().filter_map(|entry| match entry {
        Ok(SratEntry::X2Apic { domain, apic_id, .. }) => Some((domain, apic_id)),
        _ => None,
    });
    let of_vcpus =
        layout.vcpu_to_vnode().iter().map(|vnode| layout.domain(*vnode).expect("a domain"));
    assert!(in_srat.eq(of_vcpus.zip(ids.as_slice().iter().copied())));
    let memory = srat.entries().filter_map(|entry| match entry {
        Ok(SratEntry::Memory { domain, base, length, .. }) => Some((domain, base, base + length)),
        _ => None,
    });
    let of_layout = layout.ranges().iter().map(|range| {
        let domain = layout.domain(range.vnode).expect("a domain");
        (domain, range.range.start().0, range.range.end().0)
    });
    assert!(memory.eq(of_layout));
    let slit = Slit::parse(table(slit::SIGNATURE)).expect("a SLIT");
    let present = || {
        let vnodes = (0..).map(hv_glue::VnodeId).zip(layout.domains());
        vnodes.filter_map(|(vnode, domain)| Some((vnode, (*domain)?)))
    };
    for (from, from_domain) in present() {
        for (to, to_domain) in present() {
            let distance = slit.distance(from_domain, to_domain);
            assert_eq!(distance, Some(layout.distance(from, to).get()));
        }
    }

    let mut filled = Filled(vec![None; ids.as_slice().len()]);
    let count = filled.0.len() as u32;
    let answer = get_vcpu_apicids(ids.as_slice(), count, count, &mut filled);
    assert_eq!((answer.nr_filled, answer.result), (count, Ok(())));
    let of_call = filled.0.iter().map(|id| id.map(acpi_gen::ApicId));
    assert!(of_call.eq(ids.as_slice().iter().copied().map(Some)));

    let shape = ids.shape().expect("no legacy ids here");
    let (mut leaf_1, mut leaf_b) = (Leaf::default(), [Leaf::default(); 2]);
    let leaves = PolicyLeaves {
        leaf_1: &mut leaf_1,
        leaf_4: &mut [],
        leaf_b: &mut leaf_b,
        leaf_80000008: None,
    };
    if patch_policy(Vendor::Amd, shape, leaves).is_ok() {
        let mut package_of = BTreeMap::new();
        for (id, vnode) in ids.as_slice().iter().zip(layout.vcpu_to_vnode()) {
            let mut leaf = leaf_b[1];
            patch_vcpu(0xB, *id, &mut leaf);
            assert_eq!(leaf.edx, id.0);
            let package = leaf.edx >> (leaf.eax & 31);
            assert_eq!(package_of.entry(package).or_insert(vnode), &vnode);
        }
    }
}

struct Filled(Vec<Option<u32>>);

impl GuestOutput<u32> for Filled {
    fn is_null(&self) -> bool {
        false
    }

    fn write(&mut self, index: u32, value: u32) -> Result<(), Fault> {
        assert_eq!(self.0[index as usize].replace(value), None, "written twice");
        Ok(())
    }
}

/// Every page that dom0 gets lies in the range of the node it came from, and all
/// RAM of its map is populated.
fn memory_agrees(input: &Input, host: &HostParts, layout: Layout<'_>) {
    let whole = ram_pages(&host.map);
    if whole > MAX_PAGES {
        return;
    }
    let keep: Vec<_> = match input.keep {
        true => keep_for_kernel(0).into_iter().flatten().collect(),
        false => Vec::new(),
    };
    let nr_pages = whole * u64::from(input.fraction) / 255;
    let needed = Trim::pieces_needed(&host.map, layout.ranges()).expect("an ascending map");
    let mut pieces = vec![Piece::UNUSED; needed];
    let trim = Trim::by_node(&host.map, layout.ranges(), &keep, nr_pages, MAX_ENTRIES, &mut pieces);
    let Ok(trim) = trim else { return };
    let Some(entry) = host.map.first() else { return };
    let mut map = vec![*entry; trim.len()];
    let map = trim.emit(&mut map).expect("room for the map");
    assert!(map.len() <= MAX_ENTRIES);
    assert_eq!(ram_pages(map), nr_pages);
    if check_coverage(&host.map, layout.ranges()).is_ok() {
        assert_eq!(check_coverage(map, layout.ranges()), Ok(()), "the trim uncovered RAM");
    }

    let mut nodes = vec![NodeHeap::EMPTY; host.node_to_pxm.len()];
    let mut heap = WholeHeap::of_blocks(host.blocks.as_slice(), &mut nodes);
    for entry in map.iter().filter(|entry| entry.kind == E820Type::RAM) {
        let frames = Frames::inside(entry.range);
        let mut at = frames.start.0;
        for allocation in Populate::new(layout, frames.start, frames.pages()).on(&mut heap) {
            // RAM outside of every block is more than the heap has.
            let Ok(allocation) = allocation else { return };
            let request = allocation.request;
            assert_eq!(request.gfn.0, at);
            at += request.pages();
            let belongs = layout.stretch(request.gfn).vnode.and_then(|vnode| layout.pnode(vnode));
            assert_eq!(request.node, belongs);
            if let Some(node) = belongs {
                // Each node has at least what its own ranges ask for.
                assert!(request.is_fallback() || allocation.node == node);
            }
        }
        assert_eq!(at, frames.end.0);
    }
}
