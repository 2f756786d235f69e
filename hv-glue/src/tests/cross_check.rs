//! Everything derives from one layout, so nothing can disagree: over random
//! hosts, SRAT == vmemranges == populated pages ⊇ e820 RAM, and MADT == SRAT ==
//! CPUID == what the hypercall returns. The tables are read here byte by byte,
//! by the offsets of ACPI 6.5, 5.2.12 and 5.2.16.

use std::prelude::rust_2024::*;
use std::vec;

use std::collections::{BTreeMap, BTreeSet};

use crate::cpuid::{Leaf, Vendor, patch_vcpu};
use crate::e820::{self, E820Type};
use crate::populate::{NodeHeap, WholeHeap};
use crate::{Frames, HostCpu, MemoryBlock, MemoryRequest, NodeId, PcpuId};
use acpi_gen::check::{Consumer, Severity, Tables};
use acpi_gen::*;

use crate::tests::support::linux::Cpuid;
use crate::tests::support::{Host, Random, block, entry, ram};

const MIB: u64 = 1 << 20;
const PAGE: u64 = 4096;

/// A host whose nodes have one to three blocks each, in a shuffled order of
/// proximity domains, under RAM regions that do not care for nodes.
fn random_host(random: &mut Random) -> Host {
    let nodes = 2 + random.below(7) as u32;
    let highest = if random.below(4) == 0 { 200 } else { 20 };
    let mut pxms = BTreeSet::new();
    while pxms.len() < nodes as usize {
        pxms.insert(random.below(highest) as u32);
    }
    let mut pxms: Vec<_> = pxms.into_iter().map(|pxm| Some(ProximityDomain(pxm))).collect();
    for at in (1..pxms.len()).rev() {
        pxms.swap(at, random.below(at as u64 + 1) as usize);
    }

    let (mut blocks, mut map) = (vec![], vec![]);
    let (mut at, mut region) = (0, 0);
    for node in 0..nodes {
        for _ in 0..1 + random.below(3) {
            let end = at + (1 + random.below(64)) * MIB;
            // A hot-plug window is empty at boot: Xen does not count it as a node's RAM.
            let hotplug = random.below(8) == 0;
            blocks.push(MemoryBlock { hotplug, ..block(at, end, node) });
            if hotplug {
                if region < at {
                    map.push(ram(region, at));
                }
                region = end;
            } else if random.below(3) == 0 {
                map.push(ram(region, end - random.below(3) * 512));
                region = end;
                if random.below(2) == 0 {
                    map.push(entry(end, end + MIB, E820Type::RESERVED));
                    region = end + 16 * MIB;
                }
            }
            at = region.max(end);
        }
    }
    if region < at {
        map.push(ram(region, at));
    }
    let cpus = (0..1 + random.below(40) as u32)
        .map(|n| HostCpu { pcpu: PcpuId(2 * n), node: NodeId(random.below(nodes.into()) as u32) })
        .collect();
    let distances = (0..nodes).flat_map(|from| (0..nodes).map(move |to| (from, to)));
    let distances = distances
        .map(|(from, to)| if from == to { 10 } else { 11 + random.below(245) as u8 })
        .collect();
    Host { blocks, cpus, node_to_pxm: pxms, distances, map }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// (type, entry) of each sub-table from `at` on.
fn entries(table: &[u8], at: usize) -> Vec<(u8, &[u8])> {
    let mut rest = &table[at..];
    let mut found = vec![];
    while let [kind, len, ..] = *rest {
        let (entry, behind) = rest.split_at(usize::from(len));
        found.push((kind, entry));
        rest = behind;
    }
    found
}

#[test]
fn nothing_disagrees_on_any_host() {
    let mut random = Random(0x5EED_0000_0000_0002);
    for round in 0..300 {
        let host = random_host(&mut random);
        let vcpus = 1 + random.below(host.cpus.len() as u64) as u32;
        one_host(round, &mut random, &host, vcpus);
    }
}

fn one_host(round: u32, random: &mut Random, host: &Host, vcpus: u32) {
    let map = &host.map;
    let mut arena = host.arena(vcpus);
    let mut plan = host.plan(vcpus, &mut arena);
    assert_eq!(plan.refusal(), None, "round {round}");
    let uncovered = plan.gate().uncovered_pages();
    assert_eq!((plan.gate().enabled(), uncovered), (true, 0), "round {round}: {}", plan.gate());

    // The tables, as dom0 reads them.
    let set = plan.tables(Description::EMPTY).unwrap();
    let mut bytes = vec![0; set.len().unwrap()];
    let placed = set.emit(&mut bytes, Gpa(0xFC00_0000)).unwrap();
    let [madt, srat, slit] = [madt::SIGNATURE, srat::SIGNATURE, slit::SIGNATURE].map(|signature| {
        let table = placed.table(signature).unwrap();
        bytes[table.offset..table.offset + table.len].to_vec()
    });
    let layout = plan.layout().unwrap();

    // SRAT memory == vmemranges == the host's blocks.
    let mut expected: Vec<_> = host
        .blocks
        .iter()
        .map(|block| {
            let pxm = host.node_to_pxm[block.node.0 as usize].unwrap().0;
            let flags = 1 | u32::from(block.hotplug) << 1;
            (block.range.start().0, block.range.size(), pxm, flags)
        })
        .collect();
    expected.sort_unstable();
    let srat_entries = entries(&srat, 48);
    let srat_memory: Vec<_> = srat_entries
        .iter()
        .filter(|(kind, _)| *kind == 1)
        .map(|(_, e)| (u64_at(e, 8), u64_at(e, 16), u32_at(e, 2), u32_at(e, 28)))
        .collect();
    assert_eq!(srat_memory, expected, "round {round}");
    assert_eq!(layout.memory().len(), expected.len());

    // SRAT CPUs: the PXM of the n-th pCPU's node; MADT, CPUID and hypercall: the same ids.
    let srat_cpus: BTreeMap<_, _> = srat_entries
        .iter()
        .filter(|(kind, _)| *kind == 2)
        .map(|(_, e)| (u32_at(e, 8), u32_at(e, 4)))
        .collect();
    let madt_cpus: BTreeMap<_, _> = entries(&madt, 44)
        .iter()
        .filter(|(kind, _)| *kind == 9)
        .map(|(_, e)| (u32_at(e, 12), u32_at(e, 4)))
        .collect();
    assert_eq!((srat_cpus.len(), madt_cpus.len()), (vcpus as usize, vcpus as usize));
    let shape = plan.shape().unwrap();
    let mut packages = BTreeMap::new();
    for vcpu in 0..vcpus {
        let node = host.cpus[vcpu as usize].node.0 as usize;
        let pxm = host.node_to_pxm[node].unwrap().0;
        let id = madt_cpus[&vcpu];
        assert_eq!(srat_cpus[&id], pxm);
        assert_eq!(plan.processors()[vcpu as usize].apic_id.0, id);
        let mut leaf = Leaf::default();
        patch_vcpu(0xB, ApicId(id), &mut leaf);
        assert_eq!(leaf.edx, id);
        for vendor in [Vendor::Intel, Vendor::Amd] {
            let shifts = Cpuid::patched(vendor, shape).unwrap().shifts(vendor);
            let place = shifts.place(ApicId(leaf.edx));
            let pxm_of_package = packages.entry((vendor as u8, place.package)).or_insert(pxm);
            assert_eq!(*pxm_of_package, pxm, "one package, one domain");
            assert_eq!(place.llc, place.package);
        }
    }

    // SLIT: the host's distances, 255 as 254.
    let localities = u64_at(&slit, 36) as usize;
    let at = |from: usize, to: usize| {
        let pxm = |node: usize| host.node_to_pxm[node].unwrap().0 as usize;
        slit[44 + pxm(from) * localities + pxm(to)]
    };
    let in_layout: BTreeSet<_> =
        layout.domains().iter().map(|pxm| layout.pnode(*pxm).unwrap().0 as usize).collect();
    for &from in &in_layout {
        for &to in &in_layout {
            let of_host = host.distances[from * host.node_to_pxm.len() + to];
            assert_eq!(at(from, to), of_host.min(254));
        }
    }

    // The trimmed map, populated: every page on its range's node, RAM in the SRAT.
    let total = e820::ram_pages(map);
    if total == 0 {
        return;
    }
    let nr_pages = 1 + random.below(total);
    // With what the policy keeps in every other round.
    let keep: Option<&[GpaRange]> = if round.is_multiple_of(2) { Some(&[]) } else { None };
    plan.trim(MemoryRequest { nr_pages, modules: 0, keep }).unwrap();
    let (by_node, layout) = (plan.is_by_node(), plan.layout().unwrap());
    // A share without RAM above the first MiB has no room for a kernel.
    assert!(matches!(
        plan.first_fit(),
        None | Some(
            crate::Error::NoRoomForModules { modules: 0 } | crate::Error::PagesBelowKept { .. }
        )
    ));
    assert_ne!(by_node, plan.first_fit().is_some());
    assert!(
        keep.is_none() || !matches!(plan.first_fit(), Some(crate::Error::PagesBelowKept { .. }))
    );
    let trimmed: Vec<_> = plan.memory_map().collect();
    let low = e820::low_pages;
    let floor = (nr_pages / 2).min(2 * 1024 * MIB / PAGE).min(low(map));
    assert!(keep.is_some() || low(&trimmed) >= floor, "round {round}");
    assert_eq!(e820::ram_pages(&trimmed), nr_pages);
    let mut nodes = vec![NodeHeap::EMPTY; host.node_to_pxm.len()];
    let mut heap = WholeHeap::of_blocks(&host.blocks, &mut nodes);
    let mut by_domain = BTreeMap::new();
    let mut populated = 0;
    for region in trimmed.iter().filter(|entry| entry.kind == E820Type::RAM) {
        let frames = Frames::inside(region.range);
        for allocation in plan.populate(frames.start, frames.pages()).on(&mut heap) {
            let allocation = allocation.unwrap();
            let request = allocation.request;
            let base = request.gfn.0 * PAGE;
            let holds = srat_memory.iter().find(|(start, size, ..)| {
                *start <= base && base + request.pages() * PAGE <= start + size
            });
            // A page of RAM in no SRAT range fails here.
            let &(_, _, pxm, _) = holds.unwrap();
            let on = host.node_to_pxm[allocation.node.0 as usize].unwrap().0;
            assert!(!request.is_fallback() && on == pxm, "every block is wholly free");
            populated += request.pages();
            *by_domain.entry(pxm).or_insert(0) += request.pages();
        }
    }
    assert_eq!(populated, nr_pages);
    // Each node's share of its RAM is dom0's share of all, but for rounding.
    for (domain, pages) in by_domain.iter().filter(|_| by_node && keep.is_some()) {
        let own = layout.memory().iter().filter(|memory| memory.domain.0 == *domain);
        let all: u64 = own
            .flat_map(|memory| map.iter().map(move |entry| (memory.range, entry)))
            .filter(|(_, entry)| entry.kind == E820Type::RAM)
            .map(|(range, entry)| {
                Frames::inside(range).intersection(Frames::inside(entry.range)).pages()
            })
            .sum();
        let exact = all as f64 * nr_pages as f64 / total as f64;
        assert!((*pages as f64 - exact).abs() <= 8.0, "round {round}: {pages} of {exact}");
    }

    // And what each consumer says of it.
    let kind = |kind| match kind {
        E820Type::RAM => E820Type::RAM,
        E820Type::UNUSABLE => E820Type::UNUSABLE,
        _ => E820Type::RESERVED,
    };
    let memory_map: Vec<_> = trimmed
        .iter()
        .map(|entry| E820Entry { range: entry.range, kind: kind(entry.kind) })
        .collect();
    let tables = Tables {
        madt: Some(&madt),
        srat: Some(&srat),
        slit: Some(&slit),
        memory_map: Some(&memory_map),
        pvh_dom0: true,
        ..Tables::default()
    };
    for consumer in [Consumer::Linux, Consumer::Xen] {
        let mut scratch = vec![0; tables.scratch_len()];
        acpi_gen::check::check(&tables, consumer, &mut scratch, |finding| {
            assert_ne!(finding.severity, Severity::Error, "round {round}: {finding}");
        })
        .unwrap();
    }
}
