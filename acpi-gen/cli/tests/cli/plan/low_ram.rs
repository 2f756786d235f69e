//! RAM below 4 GiB of planned dom0s on large hosts.

use std::fmt::Write;

use serde_json::Value;

use super::{PAGE, number, plan, plan_of, ram_pages, unmet};

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// RAM below 4 GiB, and on each node, of a dom0 with `mem` on `nodes` nodes of 768 GiB each:
/// 2.5 GiB are below 4 GiB, on node 0.
fn low_ram(nodes: u64, mem: &str) -> (u64, Vec<u64>, Value) {
    let numbers: Vec<_> = (0..nodes).collect();
    let mut host = format!(
        "cpu_to_node = {numbers:?}\nnode_to_pxm = {numbers:?}\n\
         [dom0]\nmode = \"pvh\"\npinned = true\nmem = \"{mem}\"\n\
         [[memblk]]\nstart = 0\nend = \"2560MiB\"\nnode = 0\n"
    );
    let gib = |n: u64| n << 30;
    let ends: Vec<_> = (1..=nodes).map(|n| gib(n * 768 + 4) - (2560 << 20)).collect();
    let mut regions = vec![(0, 0xA_0000), (0x10_0000, 2560 << 20)];
    let starts = [gib(4)].into_iter().chain(ends.iter().copied());
    let high: Vec<_> = starts.zip(ends.iter().copied()).collect();
    // Firmware has one region for neighbours.
    regions.push((gib(4), ends[ends.len() - 1]));
    for (start, end) in regions {
        write!(host, "[[e820]]\nstart = {start}\nend = {end}\ntype = \"ram\"\n").unwrap();
    }
    for (node, (start, end)) in high.iter().enumerate() {
        write!(host, "[[memblk]]\nstart = {start}\nend = {end}\nnode = {node}\n").unwrap();
    }
    let plan = plan_of(&host);
    assert_eq!(ram_pages(&plan, 0, u64::MAX), number(&plan["nr_pages"]));
    let low = ram_pages(&plan, 0, 1 << 32) * PAGE;
    let of_node = |(node, (start, end)): (usize, &(u64, u64))| {
        ram_pages(&plan, *start, *end) * PAGE + if node == 0 { low } else { 0 }
    };
    (low, high.iter().enumerate().map(of_node).collect(), plan)
}

#[test]
fn dom0_has_two_gib_below_4_gib_and_equal_shares_of_two_large_nodes() {
    let (low, nodes, plan) = low_ram(2, "16GiB");
    assert_eq!(plan["gate"]["enabled"], true);
    assert!((2 * GIB..2 * GIB + 64 * MIB).contains(&low), "{low:#x}");
    assert!(nodes.iter().all(|bytes| bytes.abs_diff(8 * GIB) < MIB), "{nodes:?}");
}

#[test]
fn low_ram_of_32_nodes_shrinks_the_shares_of_31() {
    let (low, nodes, plan) = low_ram(32, "16GiB");
    assert_eq!(plan["gate"]["enabled"], true);
    assert_eq!((low, nodes[0]), (2 * GIB, 2 * GIB));
    assert!(nodes[1..].iter().all(|bytes| bytes.abs_diff(14 * GIB / 31) <= PAGE), "{nodes:?}");
}

#[test]
fn low_ram_is_kept_where_64_nodes_close_the_gate() {
    let (low, _, plan) = low_ram(64, "64GiB");
    assert!(unmet(&plan).contains(&"nodes"));
    assert!(low >= 2 * GIB, "{low:#x}");
}

#[test]
fn a_quarter_of_24_tib_has_two_gib_below_4_gib() {
    for mem in ["25%", "64GiB", "16GiB"] {
        let plan = plan("tib-24.toml", &[("\"50%\"", &format!("\"{mem}\""))]);
        assert_eq!(plan["gate"]["enabled"], true);
        // All that the host has: the legacy hole is not RAM.
        assert_eq!(ram_pages(&plan, 0, 1 << 32), (0x9_F000 + 0x7FF0_0000) / PAGE, "{mem}");
    }
}
