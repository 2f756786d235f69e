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

/// What is printed where nothing is found.
const NONE: [&str; 1] = ["no findings"];

fn none() -> Vec<String> {
    NONE.map(str::to_owned).to_vec()
}

/// What is there to be seen: an id that no CPU of Linux or Xen can have, more CPUs than Xen
/// is built for, and a hot-plug window of a real machine that Xen takes for interleaving.
fn known_errors(name: &str) -> &'static [&'static str] {
    match name {
        "hybrid-254-256.toml" => {
            &["error: Linux: APIC: APIC id 4294967294 is not below 32768: that CPU is skipped"]
        }
        "qssc-s4r.toml" => {
            &["error: Xen: SRAT: [mem 0x880000000-0x107fffffff] of PXM 1 lies inside PXM 0"]
        }
        "vcpus-4096-nodes-64.toml" => &[
            "error: Xen: APIC: 4096 entries of type 0x9",
            "error: Xen: APIC: 3584 enabled CPUs (the first",
            "error: Xen: APIC: 512 enabled CPUs",
        ],
        "xeon-8s-288.toml" => &["error: Xen: APIC: 288 enabled CPUs: those beyond 256 are ignored"],
        _ => &[],
    }
}

#[test]
fn every_topology_is_taken_by_every_reader() {
    let root = support::root();
    for name in support::files(&root.join("fixtures/topologies"), ".toml") {
        let path = format!("fixtures/topologies/{name}");
        let (mut findings, status) = check(&root, &[&path]);
        let errors: Vec<_> = findings.iter().filter(|line| line.starts_with("error: ")).collect();
        let known = known_errors(&name);
        assert!(
            known.iter().all(|known| errors.iter().any(|error| error.starts_with(known))),
            "{name}"
        );
        assert!(errors.iter().all(|error| known.iter().any(|known| error.starts_with(known))));
        assert_eq!(status, Some(i32::from(!known.is_empty())), "{name}: {errors:?}");
        let is_finding = |line: &String| line.starts_with("error: ") || line.starts_with("note: ");
        assert!(findings == NONE || findings.iter().all(is_finding), "{findings:?}");
        // Remarks on the description: its tables do not have them.
        let remark = format!("note: {path}:");
        findings.retain(|line| !line.starts_with(&remark));
        if findings.is_empty() {
            findings = none();
        }
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
        let (mut findings, _) = check(&root, &[&topology, "--memory-map", &map]);
        findings.retain(|finding| {
            finding.contains("Linux") && !finding.contains("CONFIG_MEMORY_HOTPLUG")
        });
        assert_eq!(findings, [""; 0], "{name}");
    }
}

#[test]
fn json_has_each_finding() {
    let folder = tempfile::tempdir().unwrap();
    let golden = support::root().join("fixtures/golden/pxm-0-2-5");
    let json = |file: &str| -> serde_json::Value {
        let output = support::acpi_gen(folder.path(), &["check", file, "--json", "--for", "linux"]);
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let mut bytes = fs::read(golden.join("slit.dat")).unwrap();
    fs::write(folder.path().join("slit.dat"), &bytes).unwrap();
    assert_eq!(json("slit.dat"), serde_json::json!([]));
    bytes[45] = 10;
    fix_sum(&mut bytes);
    fs::write(folder.path().join("slit.dat"), bytes).unwrap();
    let text = "SLIT: distance 10 from PXM 0 to 1: table looks invalid, not used";
    let expected = serde_json::json!([{ "severity": "error", "consumer": "Linux", "text": text }]);
    assert_eq!(json("slit.dat"), expected);
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
        assert_eq!(check(folder.path(), &args), (none(), Some(0)), "{map}");
    }
    assert_eq!(check(folder.path(), &["t.toml"]), (none(), Some(0)));
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

/// RAM from 0 to 2 GiB and from 4 to 5 GiB, as Xen and Linux 2.6 print it.
#[test]
fn logs_of_xen_and_of_linux_2() {
    let folder = tempfile::tempdir().unwrap();
    uncovered(folder.path());
    let new = "(XEN) [    0.000000] Xen-e820 RAM map:\n\
               (XEN) [    0.000000]  [0000000000000000, 000000007fffffff] (usable)\n\
               (XEN) [    0.000000]  [00000000e0000000, 00000000efffffff] (reserved)\n\
               (XEN) [    0.000000]  [0000000100000000, 000000013fffffff] (usable)\n\
               (XEN) [    0.100000] Dom0 memory map:\n\
               (XEN) [    0.100000]  [0000000000000000, 00000000ffffffff] (usable)\n";
    let old = "(XEN) Xen-e820 RAM map:\r\n\
               (XEN)  0000000000000000 - 0000000080000000 (usable)\r\n\
               (XEN)  00000000e0000000 - 00000000f0000000 (reserved)\r\n\
               (XEN)  0000000100000000 - 0000000140000000 (usable)\r\n\
               (XEN) System RAM: 3072MB (3145728kB)\r\n";
    let linux = "BIOS-provided physical RAM map:\n\
                 \u{20}BIOS-e820: 0000000000000000 - 0000000080000000 (usable)\n\
                 \u{20}BIOS-e820: 00000000e0000000 - 00000000f0000000 (reserved)\n\
                 \u{20}BIOS-e820: 0000000100000000 - 0000000140000000 (usable)\n";
    let of = |map: &str| check(folder.path(), &["t.toml", "--memory-map", map, "--for", "linux"]);
    let expected = of("dmesg.txt");
    assert_eq!(expected.1, Some(1));
    for (name, text) in [("new.log", new), ("old.log", old), ("linux-2.6.log", linux)] {
        fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(of(name), expected, "{name}");
        // Each line twice, as of two consoles.
        let doubled: String = text.lines().map(|line| format!("{line}\n{line}\n")).collect();
        fs::write(folder.path().join(name), doubled).unwrap();
        assert_eq!(of(name), expected, "{name}, doubled");
    }
    // Behind Xen's map, that of Linux is dom0's.
    let dom0 = "BIOS-e820: [mem 0x0-0xffffffffff] usable\n";
    fs::write(folder.path().join("new.log"), format!("{new}{dom0}")).unwrap();
    let (findings, status) = of("new.log");
    let remark = "note: new.log: Xen's memory map is used, not the one that Linux has as dom0";
    assert_eq!((findings[0].as_str(), status), (remark, Some(1)));
    assert_eq!(findings[1..], expected.0);
}

#[test]
fn the_last_of_several_boots_in_a_log_counts() {
    let folder = tempfile::tempdir().unwrap();
    uncovered(folder.path());
    let last = fs::read_to_string(folder.path().join("dmesg.txt")).unwrap();
    let expected = check(folder.path(), &["t.toml", "--memory-map", "dmesg.txt", "--for", "linux"]);
    let covered = "BIOS-e820: [mem 0x0000000000000000-0x000000003fffffff] usable\n\
                   BIOS-e820: [mem 0x0000000040000000-0x000000007fffffff] usable\n";
    fs::write(folder.path().join("two.log"), format!("{covered}words\n{last}")).unwrap();
    let args = ["t.toml", "--memory-map", "two.log", "--for", "linux"];
    let (findings, status) = check(folder.path(), &args);
    let remark = "note: two.log:4: 2 memory maps, one for each boot: the last one, from this line on, is used";
    assert_eq!((findings[0].as_str(), status), (remark, Some(1)));
    assert_eq!(findings[1..], expected.0);
    fs::write(folder.path().join("two.log"), format!("{last}{covered}")).unwrap();
    let (findings, status) = check(folder.path(), &args);
    assert_eq!((findings.len(), status), (1, Some(0)), "{findings:?}");
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
    for (from, to) in [("apic", "APIC2"), ("apic", "APIC10"), ("srat", "SRAT"), ("slit", "SLIT")] {
        fs::copy(golden.join(format!("{from}.dat")), folder.path().join(to)).unwrap();
    }
    let (found, status) = check(folder.path(), &["."]);
    let expected = [
        "note: APIC: several: ./APIC2 is checked, the first here, as no XSDT with their addresses is here",
        "error: Linux: APIC: more than one: the first is used, the others are passed over",
    ];
    assert_eq!((found, status), (expected.map(str::to_owned).to_vec(), Some(1)));
}

/// A table as acpidump prints it.
fn acpidump(signature: &str, address: u64, bytes: &[u8]) -> String {
    let mut text = format!("{signature} @ {address:#018x}\n");
    for (line, bytes) in bytes.chunks(16).enumerate() {
        let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        let characters = String::from_utf8_lossy(bytes).replace(char::is_control, ".");
        text += &format!("    {:04X}: {:47}  {characters}\n", 16 * line, digits.join(" "));
    }
    text + "\n"
}

/// Two SLITs: the one that the XSDT lists first is bad and last in the text.
#[test]
fn acpidumps_text_has_several_tables_in_the_xsdts_order() {
    let folder = tempfile::tempdir().unwrap();
    let golden = support::root().join("fixtures/golden/pxm-0-2-5");
    let table = |name: &str| fs::read(golden.join(name)).unwrap();
    let mut bad = table("slit.dat");
    bad[45] = 10;
    fix_sum(&mut bad);
    let mut xsdt = table("xsdt.dat");
    xsdt.truncate(36);
    for address in [0x2000_u64, 0x3000, 0x1000] {
        xsdt.extend(address.to_le_bytes());
    }
    xsdt[4] = 60;
    fix_sum(&mut xsdt);
    let text = acpidump("SLIT", 0x1000, &table("slit.dat"))
        + &acpidump("XSDT", 0x500, &xsdt)
        + &acpidump("APIC", 0x3000, &table("apic.dat"))
        + &acpidump("SLIT", 0x2000, &bad);
    fs::write(folder.path().join("report.txt"), &text).unwrap();
    let (found, status) = check(folder.path(), &["report.txt", "--for", "linux"]);
    let expected = [
        "note: SLIT: several: report.txt at 0x2000 is checked, the first in the XSDT's order",
        "error: Linux: SLIT: more than one: the first is used, the others are passed over",
        "error: Linux: SLIT: distance 10 from PXM 0 to 1: table looks invalid, not used",
    ];
    assert_eq!((found, status), (expected.map(str::to_owned).to_vec(), Some(1)));

    let output = support::acpi_gen(folder.path(), &["decode", "report.txt", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let decoded: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let places: Vec<_> = decoded
        .as_array()
        .unwrap()
        .iter()
        .map(|table| (table["signature"].as_str().unwrap(), table["address"].as_u64().unwrap()))
        .collect();
    assert_eq!(places, [("SLIT", 0x1000), ("XSDT", 0x500), ("APIC", 0x3000), ("SLIT", 0x2000)]);

    // A line is missing.
    let cut = text.replacen("    0010: ", "    0011: ", 1);
    fs::write(folder.path().join("cut.txt"), cut).unwrap();
    let output = support::acpi_gen(folder.path(), &["check", "cut.txt"]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("cut.txt:3: bytes at 0x11; expected those at 0x10\n"), "{stderr}");
}

/// The rule of 6.12: the APIC id of the CPU that boots counts.
#[test]
fn the_boot_cpu_is_the_topologys_first_or_the_given_one() {
    let folder = tempfile::tempdir().unwrap();
    let topology = "[apic]\nencoding = \"explicit\"\n[[node]]\npxm = 0\ncpus = \"0-1\"\n\
                    apic_ids = [4, 0]\nmemory = [\"0x0-0x40000000\"]\n";
    fs::write(folder.path().join("t.toml"), topology).unwrap();
    let linux = |path: &str, more: &[&str]| {
        check(folder.path(), &[&["check", path, "--for", "linux"][1..], more].concat())
    };
    assert_eq!(linux("t.toml", &[]), (none(), Some(0)));
    assert!(support::acpi_gen(folder.path(), &["emit", "t.toml", "--out", "."]).status.success());
    let note = "note: Linux: APIC: the first enabled entry has APIC id 4: if the CPU with APIC id 0 \
                boots, it is not first (\"APIC enumeration order not specification compliant\")";
    assert_eq!(linux("apic.dat", &[]), (vec![note.to_owned()], Some(0)));
    assert_eq!(linux("apic.dat", &["--boot-apic-id", "4"]), (none(), Some(0)));
}
