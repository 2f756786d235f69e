//! `acpi-gen plan` on every host fixture, and on hosts that contradict themselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support;

mod low_ram;

const PAGE: u64 = 4096;

/// The plan of a host fixture, with parts of its text replaced.
fn plan(name: &str, changes: &[(&str, &str)]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = support::root().join("fixtures/hosts").join(name);
    let mut text = fs::read_to_string(path).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{name}: {from}");
        text = text.replace(from, to);
    }
    fs::write(folder.path().join("host.toml"), text).unwrap();
    let output = support::acpi_gen(folder.path(), &["plan", "host.toml", "--json"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{name}: {stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn list<'a>(plan: &'a Value, key: &str) -> &'a [Value] {
    plan[key].as_array().unwrap()
}

/// RAM pages of the plan's map in a range.
fn ram_pages(plan: &Value, start: u64, end: u64) -> u64 {
    let ram = list(plan, "e820").iter().filter(|entry| entry["type"] == "ram");
    ram.map(|entry| {
        let (from, to) = (number(&entry["start"]).max(start), number(&entry["end"]).min(end));
        to.saturating_sub(from) / PAGE
    })
    .sum()
}

/// Pages by node: what the map has in the node's blocks, and what was allocated there.
fn pages_by_node(plan: &Value) -> BTreeMap<u64, [u64; 2]> {
    let mut nodes = BTreeMap::new();
    for range in list(plan, "vmemranges") {
        let pages = ram_pages(plan, number(&range["start"]), number(&range["end"]));
        nodes.entry(number(&range["pnode"])).or_insert([0, 0])[0] += pages;
    }
    for allocation in list(plan, "allocations") {
        let pages = number(&allocation["count"]) << number(&allocation["order"]);
        nodes.entry(number(&allocation["pnode"])).or_insert([0, 0])[1] += pages;
    }
    nodes
}

/// Names of the conditions that do not hold.
fn unmet(plan: &Value) -> Vec<&str> {
    let conditions = plan["gate"]["conditions"].as_array().unwrap();
    let unmet = conditions.iter().filter(|condition| condition["ok"] == false);
    unmet.map(|condition| condition["name"].as_str().unwrap()).collect()
}

fn column(plan: &Value, key: &str, field: &str) -> Vec<Option<u64>> {
    list(plan, key).iter().map(|row| row[field].as_u64()).collect()
}

#[test]
fn every_host_gets_a_plan_that_adds_up() {
    let folder = support::root().join("fixtures/hosts");
    let names = support::files(&folder, ".toml");
    assert_eq!(names.len(), 7);
    for name in &names {
        let plan = plan(name, &[]);
        let total = number(&plan["nr_pages"]);
        assert_eq!(plan["gate"]["enabled"], true, "{name}");
        assert_eq!(ram_pages(&plan, 0, u64::MAX), total, "{name}");
        assert!(list(&plan, "e820").len() <= 120, "{name}");
        let nodes = pages_by_node(&plan);
        assert_eq!(nodes.values().map(|pages| pages[1]).sum::<u64>(), total, "{name}");
        for (node, [in_map, allocated]) in nodes {
            assert_eq!(in_map, allocated, "{name}: every page of node {node} lies there");
        }
        assert!(list(&plan, "allocations").iter().all(|row| row["fallback"] == false), "{name}");
        let ids = column(&plan, "vcpus", "apic_id");
        assert!(ids.iter().all(|id| id.unwrap() <= 254), "{name}");
        let pxms = column(&plan, "vmemranges", "pxm");
        let highest = pxms.iter().chain(&column(&plan, "vcpus", "pxm")).max().unwrap().unwrap();
        assert_eq!(list(&plan, "slit").len(), usize::try_from(highest + 1).unwrap(), "{name}");
    }
}

/// dom0_mem=35% on the eight nodes of a real server.
#[test]
fn a_third_of_eight_nodes_is_a_third_of_each() {
    let name = "sun-fire-x4600-m2.toml";
    let by_node = plan(name, &[]);
    let all = plan(name, &[("\"35%\"", "\"100%\"")]);
    assert_eq!(number(&by_node["nr_pages"]), number(&all["nr_pages"]) * 35 / 100);
    let all = pages_by_node(&all);
    for (node, [kept, _]) in pages_by_node(&by_node) {
        let permille = kept * 1000 / all[&node][0];
        // Rounded down; node 0's includes the ranges that are kept.
        assert!((349..=350).contains(&permille), "node {node} has {permille} permille");
    }
    // A PV dom0, as Xen does it today: nodes 0, 1 and 2 have it all.
    let first_fit = plan(name, &[("mode = \"pvh\"", "mode = \"pv\"")]);
    let in_map: Vec<u64> = list(&by_node, "vmemranges")
        .iter()
        .filter(|range| ram_pages(&first_fit, number(&range["start"]), number(&range["end"])) > 0)
        .map(|range| number(&range["pnode"]))
        .collect();
    assert_eq!(in_map, [0, 0, 0, 1, 2]);
}

#[test]
fn domains_5_0_and_2_are_six_localities_with_the_hosts_distances() {
    let plan = plan("pxm-5-0-2.toml", &[]);
    let some = |values: [u64; 6]| values.map(Some);
    assert_eq!(column(&plan, "vcpus", "apic_id"), some([20, 22, 0, 2, 8, 10]));
    assert_eq!(column(&plan, "vcpus", "pxm"), some([5, 5, 0, 0, 2, 2]));
    assert_eq!(column(&plan, "vcpus", "pnode"), some([0, 0, 1, 1, 2, 2]));
    assert_eq!(column(&plan, "vcpus", "pcpu"), some([0, 1, 2, 3, 4, 5]));
    assert_eq!(
        plan["slit"],
        serde_json::json!([
            [10, 20, 33, 20, 20, 17],
            [20, 10, 20, 20, 20, 20],
            [33, 20, 10, 20, 20, 28],
            [20, 20, 20, 10, 20, 20],
            [20, 20, 20, 20, 10, 20],
            [17, 20, 28, 20, 20, 10],
        ])
    );
}

#[test]
fn memory_without_cpus_keeps_its_blocks_and_their_hot_plug_flags() {
    let plan = plan("cxl-memory-only.toml", &[]);
    let flags: Vec<_> = list(&plan, "vmemranges")
        .iter()
        .map(|range| (number(&range["pxm"]), range["hotplug"].as_bool().unwrap()))
        .collect();
    assert_eq!(flags, [(0, false), (0, false), (6, true), (1, false), (7, true)]);
}

#[test]
fn partial_coverage_is_planned() {
    let most = plan("pcpus-300.toml", &[]);
    assert_eq!(list(&most, "vcpus").len(), 128);
    // 75 on a node pass 254 at stride 2.
    assert_eq!(number(&list(&most, "vcpus")[127]["apic_id"]), 128 + 52);
    let few = plan("pxm-5-0-2.toml", &[("pinned = true", "pinned = true\nvcpus = 3")]);
    assert_eq!(few["gate"]["enabled"], true);
    assert_eq!(column(&few, "vcpus", "pxm"), [Some(5), Some(5), Some(0)]);
    assert_eq!(list(&few, "vmemranges").len(), 4, "node 2 keeps its memory");
}

#[test]
fn what_xen_computed_is_replayed_to_the_page() {
    let plan = plan("pxm-2-1.toml", &[("mem = \"16GiB\"", "nr_pages = 1234567")]);
    assert_eq!(number(&plan["nr_pages"]), 1_234_567);
    assert_eq!(ram_pages(&plan, 0, u64::MAX), 1_234_567);
}

#[test]
fn a_map_that_is_too_long_keeps_whole_pieces_and_says_so() {
    let folder = support::root().join("fixtures/hosts");
    let output = support::acpi_gen(&folder, &["plan", "tib-24.toml"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("is kept whole or not at all, to keep the map short"), "{text}");
}

#[test]
fn a_closed_gate_says_which_condition_and_plans_as_xen_does_today() {
    let name = "pxm-5-0-2.toml";
    let one_node = [
        ("cpu_to_node = [0, 0, 1, 1, 2, 2]", "cpu_to_node = [0, 0, 0, 0, 0, 0]"),
        ("node = 1", "node = 0"),
        ("node = 2", "node = 0"),
    ];
    let no_blocks_for_ram = [("end = 0x1a0000000\nnode", "end = 0x180000000\nnode")];
    for (changes, expected, by_node) in [
        (&[("mode = \"pvh\"", "mode = \"pv\"")][..], "pvh", false),
        (&[("pinned = true", "pinned = false")], "pinned", true),
        (&one_node, "nodes", false),
        (&no_blocks_for_ram, "blocks", true),
    ] {
        let plan = plan(name, changes);
        assert_eq!(plan["gate"]["enabled"], false, "{expected}");
        assert_eq!(unmet(&plan), [expected]);
        assert_eq!(column(&plan, "vcpus", "apic_id"), [0, 2, 4, 6, 8, 10].map(Some));
        assert_eq!(column(&plan, "vcpus", "pxm"), [None; 6]);
        assert_eq!(plan["vmemranges"], serde_json::json!([]), "{expected}");
        assert_eq!(plan["slit"], serde_json::json!([]), "{expected}");
        let total = number(&plan["nr_pages"]);
        assert_eq!(ram_pages(&plan, 0, u64::MAX), total);
        // First-fit: the 2 GiB below 4 GiB are whole. A PVH dom0 of several nodes has its share
        // of each whatever the gate says.
        let whole = ram_pages(&plan, 0, 1 << 32) == (0x9_F000 + 0x7FFD_8000 - 0x10_0000) / PAGE;
        assert_eq!(whole, !by_node, "{expected}");
        assert!(list(&plan, "allocations").iter().all(|row| row["fallback"] == false));
    }
    // Where nothing can be pinned or held, the ids do not fit either.
    let many = plan(name, &[("pinned = true", "pinned = true\nvcpus = 7")]);
    assert_eq!(unmet(&many), ["vcpus_cover_pcpus", "ids_fit"]);
    assert_eq!(column(&many, "vcpus", "pcpu")[6], None, "no pCPU for the seventh");
}

/// The plan of a host that is written here.
fn plan_of(host: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("host.toml"), host).unwrap();
    let output = support::acpi_gen(folder.path(), &["plan", "host.toml", "--json"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn ram_outside_of_all_blocks_closes_the_gate_and_is_still_given() {
    let plan = plan_of(
        r#"
        cpu_to_node = [0, 1]
        node_to_pxm = [0, 1]
        e820 = [{ start = 0, end = "16GiB", type = "ram" }]
        memblk = [{ start = 0, end = "7GiB", node = 0 }, { start = "8GiB", end = "16GiB", node = 1 }]
        dom0 = { mode = "pvh", pinned = true }
        "#,
    );
    assert_eq!(unmet(&plan), ["blocks"]);
    assert_eq!(ram_pages(&plan, 0, 16 << 30), (16 << 30) / PAGE);
}

#[test]
fn too_many_nodes_are_said_to_be_too_many() {
    use std::fmt::Write;
    let nodes = 0..40_u64;
    let mut host = format!(
        "cpu_to_node = {:?}\nnode_to_pxm = {:?}\n[dom0]\nmode = \"pvh\"\npinned = true\n",
        nodes.clone().collect::<Vec<_>>(),
        nodes.clone().collect::<Vec<_>>()
    );
    for node in nodes {
        let (start, end) = (node << 30, (node + 1) << 30);
        write!(host, "[[e820]]\nstart = {start}\nend = {end}\ntype = \"ram\"\n").unwrap();
        write!(host, "[[memblk]]\nstart = {start}\nend = {end}\nnode = {node}\n").unwrap();
    }
    let plan = plan_of(&host);
    assert_eq!(unmet(&plan), ["nodes", "ids_fit"]);
    assert_eq!(plan["gate"]["conditions"][3]["value"], 40);
}

#[test]
fn memory_blocks_of_one_node_that_repeat_are_one() {
    let name = "pxm-5-0-2.toml";
    let pxms = "node_to_pxm = [5, 0, 2]\n";
    let same = "[[memblk]]\nstart = 0x100000000\nend = 0x120000000\nnode = 1\n";
    let text = fs::read_to_string(support::root().join("fixtures/hosts").join(name)).unwrap();
    let twice = plan_of(&format!("{text}\n{same}"));
    assert!(text.contains(pxms), "{text}");
    assert_eq!(twice, plan(name, &[]));
}

#[test]
fn ids_that_cannot_fit_close_the_gate_with_their_number() {
    // 33 CPUs on one node and one on each of 16 more: windows of 64 ids, 17 of them.
    let cpus: Vec<String> =
        (0..33).map(|_| 0).chain(1..17).map(|node: u32| node.to_string()).collect();
    let blocks: String = (0..17)
        .map(|n| format!("[[memblk]]\nstart = \"{n}GiB\"\nend = \"{}GiB\"\nnode = {n}\n", n + 1))
        .collect();
    let pxms: Vec<String> = (0..17).map(|pxm| pxm.to_string()).collect();
    let text = format!(
        "cpu_to_node = [{}]\nnode_to_pxm = [{}]\n[[e820]]\nstart = 0\nend = \"17GiB\"\ntype = \"ram\"\n{blocks}",
        cpus.join(", "),
        pxms.join(", "),
    );
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("host.toml"), text).unwrap();
    let output = support::acpi_gen(folder.path(), &["plan", "host.toml", "--json"]);
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(unmet(&plan), ["ids_fit"]);
    assert_eq!(number(&plan["gate"]["conditions"][5]["value"]), 16 << 6);
}

#[test]
fn tables_are_written_where_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let host = support::root().join("fixtures/hosts/pxm-5-0-2.toml");
    let mut text = fs::read_to_string(&host).unwrap();
    let run = |text: &str, out: &str| {
        fs::write(folder.path().join("host.toml"), text).unwrap();
        let output = support::acpi_gen(folder.path(), &["plan", "host.toml", "--out", out]);
        assert_eq!(output.status.code(), Some(0));
        (String::from_utf8(output.stdout).unwrap(), support::files(&folder.path().join(out), ""))
    };
    let (stdout, files) = run(&text, "vnuma");
    let all = ["apic.dat", "rsdp.dat", "slit.dat", "srat.dat", "tables.bin", "xsdt.dat"];
    assert_eq!(files, all);
    for heading in ["dom0 vNUMA: enabled", "memory by block", "memory map", "allocations"] {
        assert!(stdout.contains(heading), "{heading}: {stdout}");
    }
    // The MADT's revision, at offset 8, is what Xen's builder takes over from any host.
    assert_eq!(fs::read(folder.path().join("vnuma/apic.dat")).unwrap()[8], 4);
    text = text.replace("pinned = true", "pinned = false");
    let (stdout, files) = run(&text, "flat");
    assert_eq!(files, ["apic.dat", "rsdp.dat", "tables.bin", "xsdt.dat"]);
    assert!(stdout.contains("pinned: not met"), "{stdout}");
}

/// What Linux 6.12 as a PVH dom0, Xen and fwts say of each plan's tables.
#[test]
fn no_consumer_drops_a_plans_tables() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = support::root().join("fixtures/hosts");
    let judge = |host: &Path, tables: &str| {
        let args = ["check", tables, "--memory-map", host.to_str().unwrap(), "--pvh-dom0"];
        let output = support::acpi_gen(folder.path(), &args);
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    for name in support::files(&hosts, ".toml") {
        let (host, tables) = (hosts.join(&name), name.trim_end_matches(".toml"));
        let args = ["plan", host.to_str().unwrap(), "--out", tables];
        assert_eq!(support::acpi_gen(folder.path(), &args).status.code(), Some(0), "{name}");
        let (status, findings) = judge(&host, tables);
        assert_eq!(status, Some(0), "{name}: {findings}");
        assert!(!findings.contains("error"), "{name}: {findings}");
    }
    // With more RAM than blocks, they do.
    let name = "sun-fire-x4600-m2.toml";
    let text = fs::read_to_string(hosts.join(name)).unwrap();
    let larger = text.replace("end = 0x2028000000\ntype", "end = 0x3028000000\ntype");
    assert_ne!(larger, text);
    let host = folder.path().join("larger.toml");
    fs::write(&host, larger).unwrap();
    let (status, findings) = judge(&host, "sun-fire-x4600-m2");
    assert_eq!(status, Some(1), "{findings}");
}

/// One line for each file of tests/bad_hosts, each named after its defect.
#[test]
fn each_defect_of_a_host_is_named_with_its_line() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_hosts");
    let names = support::files(&folder, ".toml");
    assert!(names.len() > 25, "{} files", names.len());
    let out = tempfile::tempdir().unwrap();
    let target = out.path().join("tables");
    let mut messages = String::new();
    for name in &names {
        let args = ["plan", name, "--out", target.to_str().unwrap()];
        let output = support::acpi_gen(&folder, &args);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(output.stdout.is_empty(), "{name}");
        assert!(!target.exists(), "{name}");
        messages.push_str(&String::from_utf8(output.stderr).unwrap());
    }
    let expected = folder.join("expected.txt");
    if support::update() {
        fs::write(&expected, &messages).unwrap();
    }
    assert_eq!(messages, fs::read_to_string(&expected).unwrap());
}
