//! `decode` on files, folders and whole sets.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{self, fix_sum};

const GOLDEN: &str = "fixtures/golden/pxm-0-2-5";

fn decode(folder: &Path, args: &[&str]) -> (Vec<Value>, String, Option<i32>) {
    let args = [&["decode", "--json"], args].concat();
    let output = support::acpi_gen(folder, &args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    let tables = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| Value::Array(vec![]));
    (tables.as_array().unwrap().clone(), stderr, output.status.code())
}

fn by_signature<'a>(tables: &'a [Value], signature: &str) -> &'a Value {
    tables.iter().find(|table| table["signature"] == signature).unwrap()
}

/// The whole set of the golden, as it lies in memory.
fn image(folder: &Path) -> Vec<u8> {
    let root = support::root();
    let topology = root.join("fixtures/topologies/pxm-0-2-5.toml");
    let args = ["emit", topology.to_str().unwrap(), "--out", "set", "--complete"];
    assert!(support::acpi_gen(folder, &args).status.success());
    fs::read(folder.join("set/tables.bin")).unwrap()
}

#[test]
fn a_folder_shows_every_field() {
    let (tables, stderr, status) = decode(&support::root(), &[GOLDEN]);
    assert_eq!((stderr.as_str(), status), ("", Some(0)));
    let signatures: Vec<_> = tables.iter().map(|t| t["signature"].as_str().unwrap()).collect();
    assert_eq!(signatures, ["APIC", "DSDT", "FACP", "FACS", "RSD PTR ", "SLIT", "SRAT", "XSDT"]);
    assert!(tables.iter().all(|table| table["errors"].as_array().unwrap().is_empty()));

    let apic = by_signature(&tables, "APIC");
    assert_eq!((&apic["revision"], &apic["oem_id"]), (&6.into(), &"XEN".into()));
    let expected = r#"[
        {"offset":44,"type":9,"uid":0,"apic_id":0,"flags":1},
        {"offset":60,"type":9,"uid":1,"apic_id":2,"flags":1},
        {"offset":76,"type":9,"uid":2,"apic_id":8,"flags":1},
        {"offset":92,"type":9,"uid":3,"apic_id":10,"flags":1},
        {"offset":108,"type":9,"uid":4,"apic_id":20,"flags":1},
        {"offset":124,"type":9,"uid":5,"apic_id":22,"flags":1},
        {"offset":140,"type":1,"id":0,"address":4273995776,"gsi_base":0},
        {"offset":152,"type":2,"bus":0,"source":0,"gsi":2,"flags":0},
        {"offset":162,"type":2,"bus":0,"source":9,"gsi":9,"flags":13},
        {"offset":172,"type":10,"uid":4294967295,"flags":0,"lint":1}
    ]"#;
    assert_eq!(apic["entries"], serde_json::from_str::<Value>(expected).unwrap());

    let srat = by_signature(&tables, "SRAT");
    let last = r#"{"offset":272,"type":1,"pxm":5,"base":1073741824,"size":536870912,"flags":1}"#;
    assert_eq!(srat["entries"][8], serde_json::from_str::<Value>(last).unwrap());
    let slit = by_signature(&tables, "SLIT");
    let row = r"[26,20,35,20,20,10]";
    assert_eq!(slit["distances"][5], serde_json::from_str::<Value>(row).unwrap());
    let facp = by_signature(&tables, "FACP");
    assert_eq!((&facp["version"], &facp["hardware_reduced"]), (&"6.5".into(), &true.into()));
}

#[test]
fn a_set_is_the_same_tables_at_their_addresses() {
    let folder = tempfile::tempdir().unwrap();
    image(folder.path());
    let (files, ..) = decode(folder.path(), &["set"]);
    let (set, stderr, status) = decode(folder.path(), &["set/tables.bin"]);
    assert_eq!((stderr.as_str(), status), ("", Some(0)));
    assert_eq!(set.len(), files.len());
    for mut table in set {
        let signature = table["signature"].as_str().unwrap().to_owned();
        let mut file = by_signature(&files, &signature).clone();
        assert!(table["address"].as_u64().unwrap() >= 0xFC00_0000, "{signature}");
        for of in [&mut table, &mut file] {
            of["file"] = Value::Null;
            of["address"] = Value::Null;
        }
        assert_eq!(table, file);
    }
}

#[test]
fn a_set_is_found_behind_other_bytes_and_by_its_base() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(folder.path());
    let moved = [vec![0xA5; 4096], image].concat();
    fs::write(folder.path().join("moved.bin"), moved).unwrap();
    let (tables, stderr, status) = decode(folder.path(), &["moved.bin"]);
    assert_eq!((tables.len(), stderr.as_str(), status), (8, "", Some(0)));
    let base = format!("{:#x}", 0xFC00_0000_u64 - 4096);
    let (by_base, ..) = decode(folder.path(), &["moved.bin", "--base", &base]);
    assert_eq!(tables, by_base);
    let (tables, stderr, status) = decode(folder.path(), &["moved.bin", "--base", "0"]);
    assert_eq!((tables.len(), status), (1, Some(1)));
    assert!(stderr.contains("the table at 0xfc000028 is not in this file"), "{stderr}");
}

/// ACPI 1.0: an RSDP of 20 bytes and an RSDT with 32-bit addresses.
#[test]
fn an_rsdt_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let mut set = b"RSD PTR \0BOCHS \0".to_vec();
    set.extend(0x7FE_0020_u32.to_le_bytes());
    set[8] = set.iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte));
    set.resize(32, 0);
    let madt = fs::read(support::root().join(GOLDEN).join("apic.dat")).unwrap();
    let mut rsdt = madt[..36].to_vec();
    rsdt[..5].copy_from_slice(b"RSDT\x28");
    rsdt.extend(0x7FE_0048_u32.to_le_bytes());
    fix_sum(&mut rsdt);
    set.extend(rsdt);
    set.extend(madt);
    fs::write(folder.path().join("bios.bin"), &set).unwrap();
    let (tables, stderr, status) = decode(folder.path(), &["bios.bin"]);
    assert_eq!((stderr.as_str(), status), ("", Some(0)));
    let signatures: Vec<_> = tables.iter().map(|t| t["signature"].as_str().unwrap()).collect();
    assert_eq!(signatures, ["RSD PTR ", "RSDT", "APIC"]);
    assert_eq!(tables[1]["tables"], Value::from(vec![0x7FE_0048]));
    assert_eq!(tables[2]["address"], 0x7FE_0048);
    assert_eq!(tables[2]["entries"].as_array().unwrap().len(), 10);
}

#[test]
fn what_is_broken_is_an_error_beside_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let madt = fs::read(support::root().join(GOLDEN).join("apic.dat")).unwrap();
    let mut wrong_sum = madt.clone();
    wrong_sum[9] ^= 1;
    let mut no_length = madt.clone();
    no_length[61] = 0;
    fix_sum(&mut no_length);
    for (name, bytes, entries, what) in [
        ("sum.dat", &wrong_sum[..], 10, "the sum of all bytes is "),
        ("entry.dat", &no_length, 1, "APIC: entry of type 9 at offset 0x3c has the length 0"),
        (
            "short.dat",
            &madt[..100],
            0,
            "table APIC ends early: 184 bytes are needed, 100 are there",
        ),
    ] {
        fs::write(folder.path().join(name), bytes).unwrap();
        let (tables, stderr, status) = decode(folder.path(), &[name]);
        assert_eq!(status, Some(1), "{name}");
        let read = tables[0]["entries"].as_array().map_or(0, Vec::len);
        assert_eq!(read, entries, "{name}");
        let error = tables[0]["errors"][0].as_str().unwrap();
        assert_eq!(stderr, format!("{name}:1: {error}\n"));
        assert!(error.contains(what), "{error}");
        // The same as human-readable text.
        let output = support::acpi_gen(folder.path(), &["decode", name]);
        assert!(String::from_utf8(output.stdout).unwrap().contains(&format!("  error: {error}")));
    }
}

#[test]
fn a_folders_damaged_tables_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let tables = folder.path().join("damaged");
    fs::create_dir(&tables).unwrap();
    let good = fs::read(support::root().join("fixtures/golden/pxm-0-2-5/apic.dat")).unwrap();
    for (what, bytes) in [
        ("1 bytes stand behind the table", [good.as_slice(), b"x"].concat()),
        ("ends early", good[..5].to_vec()),
        ("ends early", good[..30].to_vec()),
        ("ends early", b"RSD PTR ".to_vec()),
    ] {
        fs::write(tables.join("apic.dat"), bytes).unwrap();
        let (_, stderr, status) = decode(folder.path(), &["damaged"]);
        assert_eq!(status, Some(1), "{what}");
        assert!(stderr.contains(what), "{what}: {stderr}");
    }
}

#[test]
fn what_holds_no_table_is_an_input_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("text"), "no tables here\n").unwrap();
    fs::write(folder.path().join("nothing"), "").unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    for name in ["text", "nothing", "empty", "missing"] {
        let (tables, stderr, status) = decode(folder.path(), &[name]);
        assert_eq!((tables.len(), status), (0, Some(1)), "{name}");
        assert!(stderr.starts_with(&format!("{name}:1: ")), "{stderr}");
    }
}

/// The tables that firmware gave to the machine that runs this, where it shows them.
#[test]
fn the_tables_of_this_machine() {
    let folder = Path::new("/sys/firmware/acpi/tables");
    let readable = fs::File::open(folder.join("APIC")).is_ok();
    let (tables, stderr, status) = decode(&support::root(), &[folder.to_str().unwrap()]);
    if readable {
        assert_eq!((stderr.as_str(), status), ("", Some(0)));
        assert!(!by_signature(&tables, "APIC")["entries"].as_array().unwrap().is_empty());
    } else {
        assert_eq!(status, Some(1), "{stderr}");
    }
}
