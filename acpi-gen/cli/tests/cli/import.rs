//! `acpi-gen import`: xl's configurations as topologies. What is expected stands here
//! as read from the configurations by hand.

use std::fs;

use crate::support;

type Node<'a> = (&'a str, &'a str, &'a [&'a str]);

/// (cpus, cpus_hotplug, memory) of each node and the matrix, as the TOML has them.
fn assert_topology(config: &str, nodes: &[Node<'_>], matrix: &[&[i64]]) {
    let folder = support::root().join("fixtures/xl");
    let output = support::acpi_gen(&folder, &["import", config]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let toml: toml::Table = toml::from_str(&text).unwrap();
    let found = toml["node"].as_array().unwrap();
    assert_eq!(found.len(), nodes.len(), "{text}");
    for (pxm, (node, (cpus, hotplug, memory))) in (0..).zip(found.iter().zip(nodes)) {
        assert_eq!(node["pxm"].as_integer(), Some(pxm));
        let list = |key| node.get(key).map_or("", |value| value.as_str().unwrap());
        assert_eq!((list("cpus"), list("cpus_hotplug")), (*cpus, *hotplug), "{text}");
        let ranges: Vec<&str> = node["memory"]
            .as_array()
            .unwrap()
            .iter()
            .map(|range| range.as_str().unwrap())
            .collect();
        assert_eq!(ranges, *memory, "{text}");
    }
    let rows: Vec<Vec<i64>> = toml["distance"]["matrix"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_array().unwrap().iter().map(|cell| cell.as_integer().unwrap()).collect())
        .collect();
    assert_eq!(rows, matrix, "{text}");

    // The other subcommands take it.
    let out = tempfile::tempdir().unwrap();
    fs::write(out.path().join("t.toml"), &text).unwrap();
    let output = support::acpi_gen(out.path(), &["emit", "t.toml", "--out", "tables"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn libvirts_example() {
    assert_topology(
        "libvirt-4-nodes.cfg",
        &[
            ("0-1", "", &["0x0-0x80000000"]),
            // 2 GiB from 2 GiB on: 1,792 MiB below the gap and 256 MiB behind it.
            ("2-3", "", &["0x80000000-0xf0000000", "0x100000000-0x110000000"]),
            ("4-5", "", &["0x110000000-0x190000000"]),
            ("6-7", "", &["0x190000000-0x210000000"]),
        ],
        &[&[10, 21, 31, 21], &[21, 10, 21, 31], &[31, 21, 10, 21], &[21, 31, 21, 10]],
    );
}

/// RAM and vCPUs of each node of a configuration, or the error.
fn import(config: &str) -> Result<Vec<(String, Vec<String>)>, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("guest.cfg"), config).unwrap();
    let output = support::acpi_gen(folder.path(), &["import", "guest.cfg"]);
    if output.status.code() != Some(0) {
        return Err(String::from_utf8(output.stderr).unwrap());
    }
    let toml: toml::Table = toml::from_str(str::from_utf8(&output.stdout).unwrap()).unwrap();
    let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
    let nodes = toml["node"].as_array().unwrap().iter().map(|node| {
        let memory = node["memory"].as_array().unwrap().iter().map(text).collect();
        (node.get("cpus").map_or_else(String::new, text), memory)
    });
    Ok(nodes.collect())
}

const TWO_NODES: &str = "vnuma = [[\"pnode=0\", \"size=1024\", \"vcpus=0\", \"vdistances=10,20\"],\n\
                         [\"pnode=1\", \"size=3072\", \"vcpus=1\", \"vdistances=20,10\"]]\n";

/// libxl__domain_build_info_setdefault() and libxl__vnuma_build_vmemrange_hvm().
#[test]
fn video_memory_of_hvm_guests_is_taken_off_vnode_0() {
    for (keys, mib) in [
        ("type=\"pvh\"", 0),
        ("", 0),
        ("type=\"hvm\"", 8),
        ("builder=\"hvm\"", 8),
        ("builder=\"hvm\"\nvga=\"stdvga\"", 16),
        ("type=\"hvm\"\nstdvga=1", 16),
        ("type=\"hvm\"\nstdvga=0", 8),
        ("type=\"hvm\"\nvga=\"none\"", 0),
        ("type=\"hvm\"\nvga=\"qxl\"", 128),
        ("type=\"hvm\"\nvga=\"cirrus\"\nvideoram=32", 32),
        ("type=\"hvm\"\ndevice_model_version=\"qemu-xen-traditional\"", 4),
        ("type=\"hvm\"\ndevice_model_version=\"qemu-xen-traditional\"\nstdvga=1", 8),
        ("type=\"hvm\"\ndevice_model_stubdomain_override=1", 4),
        ("type=\"hvm\"\ndevice_model_version=\"qemu-xen\"", 8),
        ("type=\"hvm\"\nvideoram=1024", 1024),
    ] {
        let end = 0x4000_0000 - (mib << 20);
        let first: Vec<String> = (end > 0).then(|| format!("0x0-{end:#x}")).into_iter().collect();
        let second = format!("{end:#x}-0xf0000000");
        let last = format!("0x100000000-{:#x}", 0x1_1000_0000_u64 - (mib << 20));
        let mut memory = vec![second, last];
        if mib > 256 {
            memory = vec![format!("{end:#x}-{:#x}", end + (3072 << 20))];
        }
        let expected = vec![("0".to_owned(), first), ("1".to_owned(), memory)];
        assert_eq!(import(&format!("{keys}\n{TWO_NODES}")), Ok(expected), "{keys}");
    }
    // A guest without vnuma has one node.
    let expected = vec![("0".to_owned(), vec!["0x0-0x7f800000".to_owned()])];
    assert_eq!(import("type=\"hvm\"\nmemory=2048\nvcpus=1\n"), Ok(expected));
    for (keys, line, part) in [
        ("type=\"hvm\"\nvideoram=4", 2, "videoram=4: this graphics card needs 8 or more"),
        ("type=\"hvm\"\nvideoram=1025", 3, "vnode 0 has 1024 MiB, less than the 1025 MiB"),
        ("type=\"hvm\"\nvga=\"vga\"", 2, "expected stdvga, cirrus, none or qxl"),
        ("type=\"hvm\"\ndevice_model_version=\"qemu\"", 2, "expected qemu-xen or"),
        ("type=\"hvm\"\nmmio_hole=512", 2, "mmio_hole is not supported"),
        ("type=\"vm\"", 1, "type=\"vm\"; expected pv, pvh or hvm"),
        ("builder=\"generic\"", 1, "a PV guest with vnuma"),
    ] {
        let error = import(&format!("{keys}\n{TWO_NODES}")).unwrap_err();
        assert!(
            error.starts_with(&format!("guest.cfg:{line}: ")) && error.contains(part),
            "{error}"
        );
    }
}

#[test]
fn a_vnode_without_vcpus_is_memory_alone() {
    let config = "memory=1024\nvcpus=2\nvnuma=[[\"pnode=0\",\"size=512\",\"vcpus=0-1\",\"vdistances=10,31\"],\
                  [\"pnode=1\",\"size=512\",\"vdistances=31,10\"]]\n";
    let expected = vec![
        ("0-1".to_owned(), vec!["0x0-0x20000000".to_owned()]),
        (String::new(), vec!["0x20000000-0x40000000".to_owned()]),
    ];
    assert_eq!(import(config), Ok(expected));
}

#[test]
fn vcpus_that_are_offline_at_boot_and_the_gap_below_4_gib() {
    assert_topology(
        "uneven-hotplug.cfg",
        &[
            ("0-1", "4", &["0x0-0x40000000"]),
            ("2", "3", &["0x40000000-0xf0000000", "0x100000000-0x190000000"]),
        ],
        &[&[10, 254], &[30, 10]],
    );
}

#[test]
fn a_guest_without_vnuma_is_one_node() {
    // 010000 is octal: 4,096 MiB.
    assert_topology(
        "plain.cfg",
        &[("0-1", "", &["0x0-0xf0000000", "0x100000000-0x110000000"])],
        &[&[10]],
    );
}

const A: &str = r#"["pnode=0", "size=512", "vcpus=0-1", "vdistances=10,20"]"#;
const B: &str = r#"["pnode=1", "size=512", "vcpus=2", "vdistances=20,10"]"#;

/// A configuration whose second and third line are its vnodes.
fn vnuma(first: &str, second: &str, rest: &str) -> String {
    format!("vnuma = [\n{first},\n{second}]\n{rest}")
}

#[test]
fn each_defect_is_named_with_its_line() {
    let with = |from: &str, to: &str| A.replace(from, to);
    let cases: Vec<(String, usize, &str)> = vec![
        (vnuma(&with("\"pnode=0\", ", ""), B, ""), 2, "a vnode without pnode"),
        (vnuma(A, &B.replace("\"size=512\", ", ""), ""), 3, "a vnode without size"),
        (vnuma(&with("vcpus=0-1", "vcpus=0-2"), B, ""), 3, "vCPU 2 is in two lists"),
        (vnuma(&with("0-1", "0"), B, ""), 3, "vCPU 2 is here but no vCPU 1"),
        (vnuma(A, &B.replace("vcpus=2", "vcpus=2-65536"), ""), 3, "vCPU 65536: at most 65536"),
        (vnuma(&with("0-1", "1-0"), B, ""), 2, "runs backwards, 0-1 is right"),
        (vnuma(&with("10,20", "10"), B, ""), 2, "1 vdistances for 2 vnodes"),
        (vnuma(&with("10,20", "10,20,30"), B, ""), 2, "3 vdistances for 2 vnodes"),
        (vnuma(&with("10,20", "11,20"), B, ""), 2, "from vnode 0 to vnode 0 is 11: 10 is right"),
        (
            vnuma(A, &B.replace("20,10", "10,10"), ""),
            3,
            "from vnode 1 to vnode 0 is 10: 11 or more (above 254 the SLIT says 254)",
        ),
        (vnuma(&with("size=512", "size=0"), B, ""), 2, "size=0"),
        (vnuma(&with("size=512", "size=half"), B, ""), 2, "size=\"half\" is no number"),
        (vnuma(&with("pnode=0", "pnode=4294967296"), B, ""), 2, "0 to 4294967295 is right"),
        (vnuma(&with("pnode=0", "node=0"), B, ""), 2, "\"node\" is no option"),
        (vnuma(&with("\"pnode=0\"", "\"pnode=0\", \"pnode=1\""), B, ""), 2, "once is right"),
        (vnuma(A, "\"pnode=1\"", ""), 3, "a vnode is a list"),
        (vnuma(A, B, "maxvcpus=4\n"), 4, "maxvcpus=4, but vnuma places 3"),
        (vnuma(A, B, "\nvcpus=2\n"), 5, "vcpus=2, but vnuma places 3"),
        (vnuma(A, B, "maxvcpus=3\nvcpus=4\n"), 5, "vcpus=4 is more than maxvcpus=3"),
        (vnuma(A, B, "maxmem=1000\n"), 4, "sum to 1024"),
        (vnuma(A, B, "memory=1025\n"), 4, "more than the 1024 MiB"),
        (vnuma(A, B, "type=\"pv\"\n"), 4, "\"pvh\" is right"),
        (vnuma(A, B, "vnuma=[]\n"), 4, "vnuma stands on line 1 already"),
        (vnuma(A, B, "cpus=\"0-x\"\n"), 4, "is no CPU or range"),
        (vnuma(A, B, "cpus=[\"1\",\n\"^all\"]\n"), 5, "is no CPU or range"),
        (vnuma(A, B, "cpus=[\"1\",\"1\",\"1\",\"1\"]\n"), 4, "4 lists for 3 vCPUs"),
        ("vnuma = 1\n".to_owned(), 1, "vnuma is a list"),
        ("vcpus = 0\nmemory=1\n".to_owned(), 1, "1 to 65536 is right"),
        ("memory=1\nvcpus = 65537\n".to_owned(), 2, "vcpus=65537: 1 to 65536 is right"),
        ("vcpus = 09\nmemory=1\n".to_owned(), 1, "is no number"),
        ("vcpus = 1\n".to_owned(), 1, "neither memory, maxmem nor vnuma"),
        ("memory = 16777216\nvcpus = [\n".to_owned(), 2, "without its \"]\""),
        ("memory = 0xffffffffffffffff\n".to_owned(), 1, "do not end below 2^64"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (text, line, part) in cases {
        fs::write(folder.path().join("guest.cfg"), &text).unwrap();
        let output = support::acpi_gen(folder.path(), &["import", "guest.cfg"]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}{stderr}");
        assert!(output.stdout.is_empty(), "{text}");
        assert!(stderr.starts_with(&format!("guest.cfg:{line}: ")), "{text}{stderr}");
        assert!(stderr.contains(part), "{text}{stderr}");
    }
}

#[test]
fn every_prefix_of_a_configuration_is_read_or_refused() {
    let text = fs::read_to_string(support::root().join("fixtures/xl/uneven-hotplug.cfg")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for end in (0..text.len()).step_by(7) {
        fs::write(folder.path().join("guest.cfg"), &text[..end]).unwrap();
        let output = support::acpi_gen(folder.path(), &["import", "guest.cfg"]);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{end}");
    }
}
