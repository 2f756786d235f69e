//! What a trim keeps of the lowest RAM, and which node pays for it.

use std::prelude::rust_2024::*;
use std::vec;

use acpi_gen::GpaRange;

use crate::e820::*;
use crate::tests::support::{GIB, Host, block, cpus, domains, entry, ram, range};
use crate::*;

const MIB: u64 = 1 << 20;
const PAGE: u64 = 4096;
const PAGES_OF_GIB: u64 = GIB / PAGE;

/// Nodes of `gib` GiB, the first with `low` bytes of it below 4 GiB, and a CPU on each.
fn host(nodes: u32, gib: u64, low: u64) -> Host {
    let mut map = vec![
        ram(0, 0x9_F000),
        entry(0x9_F000, MIB, E820Type::RESERVED),
        ram(MIB, low),
        entry(0xC000_0000, 4 * GIB, E820Type::RESERVED),
    ];
    let mut blocks = vec![block(0, low, 0)];
    let mut at = 4 * GIB;
    for node in 0..nodes {
        let end = at + gib * GIB - if node == 0 { low } else { 0 };
        map.push(ram(at, end));
        blocks.push(block(at, end, node));
        at = end;
    }
    let numbers: Vec<_> = (0..nodes).collect();
    let (cpus, node_to_pxm) = (cpus(&numbers), domains(&numbers));
    Host { blocks, cpus, node_to_pxm, distances: vec![], map }
}

/// dom0's RAM below 4 GiB, and on each node, in bytes.
fn trimmed(host: &Host, bytes: u64) -> (u64, Vec<u64>) {
    let vcpus = host.cpus.len() as u32;
    let mut arena = host.arena(vcpus);
    let mut plan = host.plan(vcpus, &mut arena);
    plan.trim(MemoryRequest { nr_pages: bytes / PAGE, modules: 0, keep: None }).unwrap();
    assert!(plan.is_by_node(), "{:?}", plan.first_fit());
    let map: Vec<_> = plan.memory_map().collect();
    assert_eq!(ram_pages(&map) * PAGE, bytes, "exact total");
    let bytes_in = |within: GpaRange| -> u64 {
        let ram = map.iter().filter(|entry| entry.kind == E820Type::RAM);
        let both = ram.map(|e| Frames::inside(e.range).intersection(Frames::inside(within)));
        both.map(|frames| frames.pages() * PAGE).sum()
    };
    let low = bytes_in(range(0, 4 * GIB));
    assert_eq!(plan.low_pages() * PAGE, low);
    let all = host.map.iter().map(|entry| entry.range.end().0.min(4 * GIB)).max().unwrap();
    assert!(plan.low_floor() * PAGE <= all.min(2 * GIB));
    let of_node = |node| {
        let blocks = host.blocks.iter().filter(move |block| block.node == NodeId(node));
        blocks.map(|block| bytes_in(block.range)).sum()
    };
    (low, (0..vcpus).map(of_node).collect())
}

#[test]
fn a_dom0_of_two_large_nodes_has_two_gib_below_4_gib_and_equal_shares() {
    let (low, nodes) = trimmed(&host(2, 768, 3 * GIB), 16 * GIB);
    // A little more: the rest of node 0's share is from all of its other RAM.
    assert!((2 * GIB..2 * GIB + 16 * MIB).contains(&low), "{low:#x}");
    // Node 0 has a few pages less than 768 GiB, by the hole below 1 MiB.
    assert!(nodes.iter().all(|bytes| bytes.abs_diff(8 * GIB) < MIB), "{nodes:?}");
}

#[test]
fn a_host_with_less_ram_below_4_gib_gives_all_of_it() {
    let low_ram = 1536 * MIB;
    let (low, _) = trimmed(&host(2, 768, low_ram), 16 * GIB);
    assert_eq!(low, low_ram - MIB + 0x9_F000);
}

#[test]
fn low_ram_above_a_nodes_share_shrinks_the_shares_of_the_others() {
    let (low, nodes) = trimmed(&host(32, 768, 3 * GIB), 16 * GIB);
    assert_eq!((low, nodes[0]), (2 * GIB, 2 * GIB));
    assert!(nodes[1..].iter().all(|bytes| bytes.abs_diff(14 * GIB / 31) <= PAGE), "{nodes:?}");
}

#[test]
fn half_of_a_small_dom0_is_on_every_node_by_share() {
    let (low, nodes) = trimmed(&host(4, 16, 3 * GIB), 2 * GIB);
    assert_eq!((low, nodes[0]), (GIB, GIB));
    assert!(nodes[1..].iter().all(|bytes| bytes.abs_diff(GIB / 3) <= PAGE), "{nodes:?}");
}

#[test]
fn low_ram_of_two_nodes_is_paid_by_both() {
    let mut host = host(4, 64, 3 * GIB);
    host.blocks[0].range = range(0, GIB);
    host.blocks.push(block(GIB, 3 * GIB, 3));
    let (low, nodes) = trimmed(&host, 16 * GIB);
    assert!((2 * GIB..2 * GIB + 128 * MIB).contains(&low), "{low:#x}");
    let total = 256 * GIB;
    let of_node = [62 * GIB, 64 * GIB, 64 * GIB, 66 * GIB].map(|pages| pages / (total / GIB) * 16);
    let near = nodes.iter().zip(of_node).all(|(got, exact)| got.abs_diff(exact) < MIB);
    assert!(near, "{nodes:?} {of_node:?}");
}

#[test]
fn more_nodes_than_a_layout_takes_have_their_shares() {
    let host = host(40, 768, 3 * GIB);
    let mut arena = host.arena(40);
    let plan = host.plan(40, &mut arena);
    assert!(!plan.gate().enabled());
    assert_eq!(plan.refusal(), Some(Error::TooManyVnodes { needed: 33, max: 32 }));
    let (low, nodes) = trimmed(&host, 64 * GIB);
    assert_eq!((low, nodes[0]), (2 * GIB, 2 * GIB));
    assert!(nodes[1..].iter().all(|bytes| bytes.abs_diff(62 * GIB / 39) <= PAGE), "{nodes:?}");
}

#[test]
fn more_nodes_than_a_map_has_entries_for_leave_dom0_the_lowest_ram() {
    let host = host(64, 768, 3 * GIB);
    let mut arena = host.arena(64);
    let mut plan = host.plan(64, &mut arena);
    let nr_pages = 64 * PAGES_OF_GIB;
    plan.trim(MemoryRequest { nr_pages, modules: 0, keep: None }).unwrap();
    // Two reserved entries, two of low RAM of which one is cut, node 0's other RAM, and 63
    // regions that all are cut.
    assert_eq!(plan.first_fit(), Some(Error::TooManyEntries { needed: 132, max: 120 }));
    assert!(plan.low_pages() >= 2 * PAGES_OF_GIB);
    assert_eq!(ram_pages(&plan.memory_map().collect::<Vec<_>>()), nr_pages);
}

/// The ranges that are kept for no modules and so many pages.
fn kept(map: &[E820Entry], nr_pages: u64) -> [GpaRange; 2] {
    ranges_to_keep(map, 0, nr_pages)
}

#[test]
fn room_for_a_kernel_is_kept() {
    let keep = |modules| ranges_to_keep(&[], modules, 0);
    assert_eq!(keep(0), [range(0, MIB), range(16 * MIB, 144 * MIB)]);
    assert_eq!(keep(100 * MIB + 1)[1], range(16 * MIB, 216 * MIB + PAGE));
    assert_eq!(keep(u64::MAX)[1], range(16 * MIB, 144 * MIB));
}

#[test]
fn the_lowest_ram_is_kept_up_to_the_floor() {
    let map = [ram(0, 512 * MIB), ram(GIB, 8 * GIB)];
    // What the kernel has anyway is half of 258 MiB.
    let of = |mib: u64| kept(&map, mib * MIB / PAGE);
    assert_eq!(of(258), [range(0, MIB), range(16 * MIB, 144 * MIB)]);
    assert_eq!(of(260), [range(0, 2 * MIB), range(16 * MIB, 144 * MIB)]);
    assert_eq!(of(288), [range(0, 16 * MIB), range(16 * MIB, 144 * MIB)]);
    assert_eq!(of(290), [range(0, 16 * MIB), range(16 * MIB, 145 * MIB)]);
    assert_eq!(of(1024), [range(0, 16 * MIB), range(16 * MIB, 512 * MIB)]);
    assert_eq!(of(1026), [range(0, 16 * MIB), range(16 * MIB, GIB + MIB)]);
    // 2 GiB is the most, and 4 GiB is where it ends.
    let most = [range(0, 16 * MIB), range(16 * MIB, 2560 * MIB)];
    assert_eq!([of(4096), of(1 << 20)], [most; 2]);
    let high = [ram(0, 512 * MIB), ram(3 * GIB, 8 * GIB)];
    assert_eq!(kept(&high, 4 * PAGES_OF_GIB)[1], range(16 * MIB, 4 * GIB));
}

#[test]
fn room_for_modules_counts_as_low_ram() {
    let map = [ram(0, 8 * GIB)];
    let keep = ranges_to_keep(&map, GIB, 8 * PAGES_OF_GIB);
    assert_eq!(keep, [range(0, MIB), range(16 * MIB, 2 * GIB + 16 * MIB)]);
    let beyond = ranges_to_keep(&map, 3 * GIB, 16 * PAGES_OF_GIB);
    assert_eq!(beyond, [range(0, MIB), range(16 * MIB, 6 * GIB + 16 * MIB)]);
}
