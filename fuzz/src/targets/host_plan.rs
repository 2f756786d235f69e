//! Host description → plan: from one plan, the tables, the ids, CPUID, the
//! memory map and the pages' nodes must not disagree.

use std::collections::BTreeMap;

use acpi_gen::{
    Description, Gpa, GpaRange, Madt, MadtEntry, Slit, Srat, SratEntry, madt, slit, srat,
};
use arbitrary::{Arbitrary, Unstructured};
use hv_glue::cpuid::{Leaf, PolicyLeaves, Vendor, patch_policy, patch_vcpu};
use hv_glue::e820::{E820Type, ram_pages};
use hv_glue::populate::{NodeHeap, WholeHeap};
use hv_glue::{
    Dom0Plan, Dom0Request, Error, Frames, MemoryBlock, MemoryRequest, NodeId, Pfn, VnodeId,
};

use crate::host::{Host, HostParts};
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
    let pcpus = host.cpus.len() as u32;
    let vcpus = if input.vcpus == 0 { pcpus } else { input.vcpus.into() };
    let request =
        Dom0Request { pvh: input.pvh, pinned: input.pinned, vcpus, pcpus, partial: input.partial };
    if let Some(short) = vcpus.checked_sub(1) {
        let mut arena = host.arena(short);
        let mut plan = Dom0Plan::new();
        let built = plan.build(host.facts(), request, arena.slices());
        let (needed, have) = (vcpus as usize, short as usize);
        assert_eq!(built, Err(Error::ScratchTooSmall { needed, have }));
    }
    let mut arena = host.arena(vcpus);
    let mut plan = Dom0Plan::new();
    if let Err(error) = plan.build(host.facts(), request, arena.slices()) {
        assert!(matches!(error, Error::MapNotAscending { .. }), "{error}");
        return Interest::Keep;
    }
    if let Some(error) = plan.refusal() {
        assert!(!error.to_string().is_empty());
        assert!(!matches!(error, Error::ScratchTooSmall { .. }), "it was as large as asked for");
    }
    let gate = *plan.gate();
    let fits = input.pvh && input.pinned && gate.uncovered_pages() == 0;
    let counts = vcpus == pcpus || input.partial;
    let open = fits && counts && plan.refusal().is_none() && gate.conditions()[3].ok;
    assert_eq!(gate.enabled(), open, "{gate}");
    assert_eq!(plan.shape().is_some(), open);
    if plan.layout().is_some() {
        layout_is_the_hosts(&host, &plan, vcpus);
        tables_agree(&mut plan);
    } else {
        let legacy = plan.processors().iter().map(|cpu| (cpu.apic_id.0, cpu.domain));
        assert!(legacy.eq((0..vcpus).map(|vcpu| (vcpu * 2, None))));
    }
    memory_agrees(&input, &host, &mut plan);
    Interest::Keep
}

/// One range for each block, vCPU n on the n-th pCPU's node, the host's distances.
fn layout_is_the_hosts(host: &HostParts, plan: &Dom0Plan<'_>, vcpus: u32) {
    let layout = plan.layout().expect("a layout");
    let domain = |node: NodeId| host.node_to_pxm[node.0 as usize].expect("a domain");
    let mut blocks: Vec<_> = host.blocks.clone();
    blocks.sort_by_key(|block| block.range.start());
    let of_blocks = blocks.iter().map(|block| (block.range, domain(block.node), block.hotplug));
    let of_layout = layout.memory().iter().map(|r| (r.range, r.domain, r.hot_pluggable));
    assert!(of_blocks.eq(of_layout));
    let of_cpus = host.cpus.iter().take(vcpus as usize).map(|cpu| Some(domain(cpu.node)));
    assert!(of_cpus.eq(plan.processors().iter().map(|cpu| cpu.domain)));
    for block in &blocks {
        assert_eq!(layout.pnode(domain(block.node)), Some(block.node));
    }
    let nodes = host.node_to_pxm.len();
    let pnode = |vnode| layout.domain(vnode).and_then(|domain| layout.pnode(domain));
    for from in (0..layout.vnodes()).map(VnodeId) {
        assert_eq!(
            layout.domain(from).map_or(Some(from), |domain| layout.vnode(domain)),
            Some(from)
        );
        for to in (0..layout.vnodes()).map(VnodeId) {
            let expected = match (pnode(from), pnode(to)) {
                (Some(a), Some(b)) if !host.distances.is_empty() => {
                    host.distances[a.0 as usize * nodes + b.0 as usize].min(254)
                }
                _ if from == to => 10,
                _ => 20,
            };
            assert_eq!(layout.distance(from, to).get(), expected);
        }
    }
}

/// Union of SRAT memory == union of vmemranges; MADT ids == SRAT ids == CPUID 0xB
/// ids; the SLIT is the layout's matrix.
fn tables_agree(plan: &mut Dom0Plan<'_>) {
    let (ids, shape) = (plan.processors().to_vec(), plan.shape().expect("a shape"));
    let set = match plan.tables(Description::EMPTY) {
        Ok(set) => set,
        // The only rule that a layout does not have.
        Err(acpi_gen::Error::TooManyLocalities { domain, .. }) => {
            return assert!(domain.0 > 65_534);
        }
        Err(error) => panic!("{error}"),
    };
    let Ok(len) = set.len() else { panic!("a set of this size has a length") };
    if len as u64 > MAX_PAGES >> 6 {
        return;
    }
    let mut bytes = vec![0; len];
    let placed = set.emit(&mut bytes, Gpa(0xFC00_0000)).expect("a set");
    let layout = plan.layout().expect("a layout");
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
    assert!(in_madt.iter().copied().eq((0..).zip(ids.iter().map(|cpu| cpu.apic_id))));
    let srat = Srat::parse(table(srat::SIGNATURE)).expect("an SRAT");
    let in_srat = srat.entries().filter_map(|entry| match entry {
        Ok(SratEntry::X2Apic { domain, apic_id, .. }) => Some((domain, apic_id)),
        _ => None,
    });
    assert!(in_srat.eq(ids.iter().map(|cpu| (cpu.domain.expect("a domain"), cpu.apic_id))));
    let memory = srat.entries().filter_map(|entry| match entry {
        Ok(SratEntry::Memory { domain, base, length, .. }) => Some((domain, base, base + length)),
        _ => None,
    });
    let of_layout = layout
        .memory()
        .iter()
        .map(|range| (range.domain, range.range.start().0, range.range.end().0));
    assert!(memory.eq(of_layout));
    let slit = Slit::parse(table(slit::SIGNATURE)).expect("a SLIT");
    let vnode = |domain| layout.vnode(domain).expect("a vnode");
    for &from in layout.domains() {
        for &to in layout.domains() {
            let distance = layout.distance(vnode(from), vnode(to)).get();
            assert_eq!(slit.distance(from, to), Some(distance));
        }
    }
    let (mut leaf_1, mut leaf_b) = (Leaf::default(), [Leaf::default(); 2]);
    let leaves = PolicyLeaves {
        leaf_1: &mut leaf_1,
        leaf_4: &mut [],
        leaf_b: &mut leaf_b,
        leaf_80000008: None,
    };
    if patch_policy(Vendor::Amd, shape, leaves).is_ok() {
        let mut package_of = BTreeMap::new();
        for cpu in &ids {
            let mut leaf = leaf_b[1];
            patch_vcpu(0xB, cpu.apic_id, &mut leaf);
            assert_eq!(leaf.edx, cpu.apic_id.0);
            let package = leaf.edx >> (leaf.eax & 31);
            assert_eq!(package_of.entry(package).or_insert(cpu.domain), &cpu.domain);
        }
    }
}

/// Every page that dom0 gets is in the range of the node it came from, and all
/// RAM of its map is populated.
fn memory_agrees<'a>(input: &Input, host: &'a HostParts, plan: &mut Dom0Plan<'a>) {
    let whole = ram_pages(&host.map);
    if whole > MAX_PAGES {
        return;
    }
    let nr_pages = whole * u64::from(input.fraction) / 255;
    let keep: Option<&[GpaRange]> = if input.keep { None } else { Some(&[]) };
    plan.trim(MemoryRequest { nr_pages, modules: 0, keep }).expect("a part of the RAM");
    let map: Vec<_> = plan.memory_map().collect();
    assert_eq!(ram_pages(&map), nr_pages);
    assert!(!plan.is_by_node() || map.len() <= 120);
    assert!(!(plan.is_by_node() && plan.first_fit().is_some()));

    let mut nodes = vec![NodeHeap::EMPTY; host.node_to_pxm.len()];
    let mut heap = WholeHeap::of_blocks(&host.blocks, &mut nodes);
    let home = |gfn: Pfn| {
        let has = |block: &&MemoryBlock| block.range.contains(Gpa(gfn.0 << 12));
        plan.layout().and_then(|_| host.blocks.iter().find(has)).map(|block| block.node)
    };
    for entry in map.iter().filter(|entry| entry.kind == E820Type::RAM) {
        let frames = Frames::inside(entry.range);
        let mut at = frames.start.0;
        for allocation in plan.populate(frames.start, frames.pages()).on(&mut heap) {
            // RAM outside of every block is more than the heap has.
            let Ok(allocation) = allocation else { return };
            let request = allocation.request;
            assert_eq!(request.gfn.0, at);
            at += request.pages();
            let belongs = home(request.gfn);
            assert_eq!((request.node, home(Pfn(at - 1))), (belongs, belongs));
            if let Some(node) = belongs {
                // Each node has at least what its own ranges ask for.
                assert!(request.is_fallback() || allocation.node == node);
            }
        }
        assert_eq!(at, frames.end.0);
    }
}
