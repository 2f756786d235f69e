//! `emit`: which ids it chooses, and what it warns about.

use std::fs;

use crate::support;

/// Standard output and standard error of `emit` for a topology, which succeeds.
fn emit(topology: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t.toml"), topology).unwrap();
    let output = support::acpi_gen(folder.path(), &["emit", "t.toml", "--out", "out"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    (String::from_utf8(output.stdout).unwrap(), stderr)
}

/// The line on ids, and the warnings.
fn ids(topology: &str) -> (String, String) {
    let (stdout, stderr) = emit(topology);
    (stdout.lines().nth(1).unwrap().to_owned(), stderr)
}

/// Two nodes with these numbers, the second first, of `cpus` CPUs each.
fn two_nodes(apic: &str, pxms: [u32; 2], cpus: u32) -> String {
    format!(
        "[apic]\n{apic}\n[[node]]\npxm = {}\ncpus = \"{}-{}\"\nmemory = [\"0x40000000-0x80000000\"]\n\
         [[node]]\npxm = {}\ncpus = \"0-{}\"\nmemory = [\"0x0-0x40000000\"]\n",
        pxms[1],
        cpus,
        2 * cpus - 1,
        pxms[0],
        cpus - 1
    )
}

#[test]
fn the_first_numbering_whose_ids_fit_is_taken() {
    for (apic, pxms, cpus, chosen) in [
        ("", [0, 1], 4, "numbering pxm, stride 2, highest 14"),
        ("", [0, 40], 4, "numbering pxm, stride 1, highest 163"),
        ("", [0, 62], 4, "numbering pxm, stride 1, highest 251"),
        ("", [3, 63], 4, "numbering dense, stride 2, highest 14"),
        ("numbering = \"auto\"", [3, 90], 4, "numbering dense, stride 2, highest 14"),
        ("stride = 1", [3, 90], 4, "numbering dense, stride 1, highest 7"),
        ("stride = 2", [0, 40], 4, "numbering dense, stride 2, highest 14"),
        ("", [1, 2], 100, "numbering dense, stride 1, highest 227"),
        ("numbering = \"dense\"", [0, 40], 4, "numbering dense, stride 2, highest 14"),
        ("numbering = \"pxm\"\nstride = 1", [0, 62], 4, "numbering pxm, stride 1, highest 251"),
    ] {
        let expected = (format!("APIC ids: package encoding, {chosen}"), String::new());
        assert_eq!(ids(&two_nodes(apic, pxms, cpus)), expected, "{apic} {pxms:?} {cpus}");
    }
}

#[test]
fn ids_above_254_are_warned_about() {
    for (apic, pxms, cpus, chosen, count, highest) in [
        ("", [0, 1], 200, "numbering pxm, stride 1", 200, 455),
        ("numbering = \"pxm\"", [0, 72], 4, "numbering pxm, stride 1", 4, 291),
        ("numbering = \"dense\"", [5, 9], 200, "numbering dense, stride 1", 200, 455),
        ("numbering = \"pxm\"\nstride = 2", [0, 72], 4, "numbering pxm, stride 2", 4, 582),
    ] {
        let ids_line = format!("APIC ids: package encoding, {chosen}, highest {highest}");
        // The higher domain is the first node of the file.
        let line = 5 + apic.matches('\n').count();
        let warning = format!(
            "t.toml:{line}: warning: {count} of {} CPUs have APIC ids above 254 (the highest: {highest}): \
             they need interrupt remapping or extended destination ids\n",
            2 * cpus
        );
        assert_eq!(ids(&two_nodes(apic, pxms, cpus)), (ids_line, warning), "{apic} {pxms:?}");
    }
}

/// A topology with something that is hardly meant, the line, and a part of the words.
const REMARKS: [(&str, usize, &str); 9] = [
    (
        "memory = [\"0x0-0x7fffffff\"]",
        4,
        "memory 0x0-0x7fffffff is not on 4 KiB: the end is excluded, so 0x80000000 is probably meant",
    ),
    (
        "memory = [\"0-2048\"]",
        4,
        "memory 0x0-0x800 is not on 4 KiB: numbers without a unit are bytes",
    ),
    ("memory = [{ start = 512, size = \"1GiB\" }]", 4, "memory 0x200-0x40000200 is not on 4 KiB"),
    (
        "memory = [\"0xfe000000-0xfef00000\"]",
        4,
        "over the registers of the local APICs at 0xfee00000",
    ),
    (
        "memory = [\"0xfec00000-0xfec01000\"]\n[[ioapic]]\nid = 1\naddress = 0xfec00000\ngsi_base = 0",
        4,
        "over the registers of an I/O APIC at 0xfec00000",
    ),
    ("memory = [\"0xfb000000-0xfc001000\"]", 4, "is RAM where the tables are, 0xfc000000-0x"),
    (
        "[[ioapic]]\nid = 1\naddress = 0xfec00000\ngsi_base = 0\n[[ioapic]]\nid = 2\naddress = 0xfec00000\ngsi_base = 24",
        10,
        "I/O APIC 1 has the address 0xfec00000 too",
    ),
    (
        "[[ioapic]]\nid = 1\naddress = 0xfec00000\ngsi_base = 0\n[[ioapic]]\nid = 2\naddress = 0xfec01000\ngsi_base = 23",
        11,
        "gsi_base 23 is less than 24 from 0 of I/O APIC 1",
    ),
    (
        "[[node]]\npxm = 1\ncpus = \"1\"\n[distance]\n\"0\" = { \"1\" = 300 }",
        8,
        "distance 300 is above 254 and becomes 254",
    ),
];

#[test]
fn what_is_hardly_meant_is_said_by_emit_and_check() {
    for (rest, line, part) in REMARKS {
        let topology = format!("acpi = \"6.5\"\n[[node]]\npxm = 0\n{}\n", with_cpus(rest));
        let line = if rest.starts_with('[') { line + 1 } else { line };
        let (_, stderr) = emit(&topology);
        let expected = format!("t.toml:{line}: warning: ");
        let said = |text: &str, prefix: &str| {
            text.lines().any(|line| line.starts_with(prefix) && line.contains(part))
        };
        assert!(said(&stderr, &expected), "{expected}{part}\n{stderr}");

        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("t.toml"), &topology).unwrap();
        let output = support::acpi_gen(folder.path(), &["check", "t.toml"]);
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(said(&stdout, &format!("note: t.toml:{line}: ")), "{part}\n{stdout}");
    }
}

/// The node has a CPU, behind its memory if the text starts with that.
fn with_cpus(rest: &str) -> String {
    match rest.split_once('\n') {
        _ if rest.starts_with('[') => format!("cpus = \"0\"\n{rest}"),
        Some((memory, rest)) => format!("{memory}\ncpus = \"0\"\n{rest}"),
        None => format!("{rest}\ncpus = \"0\""),
    }
}

#[test]
fn a_distance_in_one_direction_is_said() {
    let nodes = two_nodes("", [0, 1], 1);
    let (_, stderr) = emit(&format!("{nodes}[distance]\n\"0\" = {{ \"1\" = 30 }}\n"));
    assert_eq!(
        stderr,
        "t.toml:12: warning: distance from 0 to 1 is given, but none from 1 to 0: it is 20\n"
    );
    let both = "[distance]\n\"0\" = { \"1\" = 30 }\n\"1\" = { \"0\" = 31 }\n";
    assert_eq!(emit(&format!("{nodes}{both}")).1, "");
    assert_eq!(
        emit(&format!("{nodes}[distance]\nmatrix = [[10, \"unreachable\"], [254, 10]]\n")).1,
        ""
    );
}
