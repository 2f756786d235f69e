//! `check`: tables that a consumer drops, and memory maps in each form.

use std::fs;
use std::path::Path;

use crate::support::{self, fix_sum};

/// Findings' lines and the exit status.
fn check(folder: &Path, args: &[&str]) -> (Vec<String>, Option<i32>) {
    let args = [&["check"], args].concat();
    let output = support::acpi_gen(folder, &args);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    (text.lines().map(str::to_owned).collect(), output.status.code())
}

#[test]
fn every_topology_is_taken_by_every_reader() {
    let root = support::root();
    for name in support::files(&root.join("fixtures/topologies"), ".toml") {
        let path = format!("fixtures/topologies/{name}");
        let (findings, status) = check(&root, &[&path]);
        // The one id that no CPU of Linux can have is there to be seen.
        let known =
            "error: Linux: APIC: APIC id 4294967294 is not below 32768: that CPU is skipped";
        let mut errors = findings.iter().filter(|finding| finding.starts_with("error: "));
        if name == "hybrid-254-256.toml" {
            assert_eq!(status, Some(1));
            assert!(errors.all(|error| error == known), "{findings:?}");
        } else {
            assert_eq!((errors.next(), status), (None, Some(0)), "{name}");
        }
        assert!(findings.iter().all(|f| f.starts_with("error: ") || f.starts_with("note: ")));
        // The tables in a file each are the same to it.
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().to_str().unwrap();
        let args = ["emit", &path, "--out", out, "--complete"];
        assert!(support::acpi_gen(&root, &args).status.success());
        assert_eq!(check(&root, &[out]), (findings.clone(), status), "{name}");
        let image = folder.path().join("tables.bin");
        assert_eq!(check(&root, &[image.to_str().unwrap()]), (findings, status), "{name}");
    }
}

#[test]
fn firmware_that_real_kernels_took_covers_their_memory() {
    let root = support::root();
    for name in ["poweredge-r7425", "qssc-s4r"] {
        let topology = format!("fixtures/topologies/{name}.toml");
        let map = format!("fixtures/memory-maps/{name}.log");
        let (mut findings, status) = check(&root, &[&topology, "--memory-map", &map]);
        findings.retain(|finding| !finding.contains("CONFIG_MEMORY_HOTPLUG"));
        assert_eq!((findings, status), (vec![], Some(0)), "{name}");
    }
}

/// A set of two nodes with 1 GiB each, and a map with 1.5 GiB more.
fn uncovered(folder: &Path) {
    let topology = "[[node]]\npxm = 0\ncpus = \"0\"\nmemory = [\"0x0-0x40000000\"]\n\
                    [[node]]\npxm = 1\ncpus = \"1\"\nmemory = [\"0x40000000-0x80000000\"]\n";
    fs::write(folder.join("t.toml"), topology).unwrap();
    let map = "[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000007fffffff] usable\r\n\
               [    0.000000] something else\n\
               [    0.000000] BIOS-e820: [mem 0x00000000e0000000-0x00000000efffffff] reserved\n\
               BIOS-e820: [mem 0x0000000100000000-0x000000013fffffff] usable\n\
               kernel: BIOS-e820: [mem 0x0000000140000000-0x000000015fffffff] unusable\n";
    fs::write(folder.join("dmesg.txt"), map).unwrap();
    for (index, (start, end, kind)) in [
        ("0x0", "0x7fffffff", "System RAM"),
        ("0xe0000000", "0xefffffff", "Reserved"),
        ("0x100000000", "0x13fffffff", "System RAM"),
        ("0x140000000", "0x15fffffff", "Unusable memory"),
    ]
    .into_iter()
    .enumerate()
    {
        let range = folder.join("memmap").join(index.to_string());
        fs::create_dir_all(&range).unwrap();
        for (name, text) in [("start", start), ("end", end), ("type", kind)] {
            fs::write(range.join(name), format!("{text}\n")).unwrap();
        }
    }
    let host = "cpu_to_node = [0]\nnode_to_pxm = [0]\n\
                e820 = [{ start = 0, end = \"2GiB\", type = \"ram\" },\n\
                { start = 0xe0000000, end = 0xf0000000, type = \"reserved\" },\n\
                { start = \"4GiB\", end = \"5GiB\", type = \"ram\" },\n\
                { start = \"5GiB\", end = 0x160000000, type = \"unusable\" }]\n\
                memblk = [{ start = 0, end = \"8GiB\", node = 0, hotplug = false }]\n\
                [dom0]\nmode = \"pvh\"\npinned = true\nmem = \"1GiB\"\n";
    fs::write(folder.join("host.toml"), host).unwrap();
}

#[test]
fn each_form_of_a_memory_map_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    uncovered(folder.path());
    for map in ["dmesg.txt", "memmap", "host.toml"] {
        let (findings, status) =
            check(folder.path(), &["t.toml", "--memory-map", map, "--for", "linux"]);
        let expected = "error: Linux: SRAT: 1024 of 3072 MiB RAM is in no node, from 0x100000000: it \
                        will drop this SRAT (\"no nodes coverage for 1024MB of 3072MB RAM\"; 6.1: \
                        \"nodes only cover 2048MB of your 3072MB e820 RAM\")";
        assert_eq!((findings, status), (vec![expected.to_owned()], Some(1)), "{map}");
        // Linux 6.12 in a PVH dom0 takes unusable ranges for RAM.
        let args = ["t.toml", "--memory-map", map, "--for", "linux", "--pvh-dom0"];
        let (findings, status) = check(folder.path(), &args);
        assert_eq!((findings.len(), status), (1, Some(1)));
        assert!(findings[0].contains("coverage for 1536MB of 3584MB RAM"), "{findings:?}");
        let args = ["t.toml", "--memory-map", map, "--for", "fwts"];
        assert_eq!(check(folder.path(), &args), (vec![], Some(0)), "{map}");
    }
    assert_eq!(check(folder.path(), &["t.toml"]), (vec![], Some(0)));
}

/// As Debian's 7.2 printed it.
#[test]
fn the_log_of_linux_7() {
    let folder = tempfile::tempdir().unwrap();
    uncovered(folder.path());
    let log = "[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000007fffffff]  System RAM\n\
               [    0.000000] BIOS-e820: [gap 0x0000000080000000-0x00000000dfffffff]\n\
               [    0.000000] BIOS-e820: [mem 0x00000000e0000000-0x00000000efffffff]  device reserved\n\
               [    0.000000] BIOS-e820: [mem 0x0000000100000000-0x000000013fffffff]  System RAM\n";
    fs::write(folder.path().join("dmesg-7.txt"), log).unwrap();
    let of = |map| check(folder.path(), &["t.toml", "--memory-map", map, "--for", "linux"]);
    assert_eq!(of("dmesg-7.txt"), of("dmesg.txt"));
    assert_eq!(of("dmesg-7.txt").1, Some(1));
}

#[test]
fn a_memory_map_that_cannot_be_read_is_an_input_error() {
    let folder = tempfile::tempdir().unwrap();
    uncovered(folder.path());
    let lines = "BIOS-e820: [mem 0x0-0x9ffff] usable\nBIOS-e820: [mem 0x100000-0xfffff] usable\n";
    fs::write(folder.path().join("backwards.txt"), lines).unwrap();
    fs::write(folder.path().join("words.txt"), "\nBIOS-e820: [mem 1-2 usable\n").unwrap();
    fs::write(folder.path().join("other.txt"), "no map\n").unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    fs::remove_file(folder.path().join("memmap/2/end")).unwrap();
    for (map, expected) in [
        ("backwards.txt", "backwards.txt:2: range 0x100000-0x100000 is empty"),
        ("words.txt", "words.txt:2: \"[mem first-last] type\" is right"),
        ("other.txt", "other.txt:1: has no line with BIOS-e820"),
        ("empty", "empty:1: has no folder for a range"),
        ("memmap", "memmap/2/end:1: cannot be read"),
        ("missing.toml", "missing.toml:1: cannot be read"),
    ] {
        let output = support::acpi_gen(folder.path(), &["check", "t.toml", "--memory-map", map]);
        assert_eq!(output.status.code(), Some(1), "{map}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.starts_with(expected), "{stderr}");
    }
}

#[test]
fn tables_that_a_consumer_drops() {
    let folder = tempfile::tempdir().unwrap();
    let golden = support::root().join("fixtures/golden/pxm-0-2-5");
    for (file, place, value, findings) in [
        // A distance of 10 between two domains, the first pair of the matrix.
        (
            "slit.dat",
            45,
            10,
            &["error: Linux: SLIT: distance 10 from PXM 0 to 1", "error: Xen: SLIT: "][..],
        ),
        ("slit.dat", 44, 11, &["error: Linux: SLIT: distance 11 from PXM 0 to 0"]),
        // Two entries with the id of the boot processor.
        ("apic.dat", 64, 0, &["error: Linux: APIC: several usable entries have APIC id 0"]),
        // An entry that ends nowhere.
        ("srat.dat", 49, 0, &["error: Linux: entry", "error: Xen: entry", "error: fwts: entry"]),
    ] {
        let mut bytes = fs::read(golden.join(file)).unwrap();
        bytes[place] = value;
        fix_sum(&mut bytes);
        fs::write(folder.path().join(file), bytes).unwrap();
        let (found, status) = check(folder.path(), &[file]);
        assert_eq!(status, Some(1), "{file} {place}: {found:?}");
        for finding in findings {
            let (who, _) = finding.rsplit_once(": ").unwrap();
            assert!(found.iter().any(|line| line.starts_with(who)), "{finding}: {found:?}");
        }
    }
    let output =
        support::acpi_gen(&support::root(), &["check", "fixtures/golden/pxm-0-2-5/rsdp.dat"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr).unwrap().contains("holds no MADT (APIC), SRAT or SLIT")
    );
}

/// What an initrd does whose table does not replace the machine's: Linux takes the first.
#[test]
fn a_second_madt_in_a_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let golden = support::root().join("fixtures/golden/pxm-0-2-5");
    for (from, to) in [("apic", "APIC1"), ("apic", "APIC2"), ("srat", "SRAT"), ("slit", "SLIT")] {
        fs::copy(golden.join(format!("{from}.dat")), folder.path().join(to)).unwrap();
    }
    let (found, status) = check(folder.path(), &["."]);
    let expected =
        "error: Linux: APIC: more than one: the first is used, the others are passed over";
    assert_eq!((found, status), (vec![expected.to_owned()], Some(1)));
}
