//! `initrd`: the archive, read by another cpio reader, and what is in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{self, fix_sum};

/// The regular files of a "newc" archive. cpio(5): six characters of magic, 13
/// fields of eight hexadecimal digits, the name with a NUL, padding to 4, the content,
/// padding to 4.
fn cpio(mut bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = Vec::new();
    loop {
        assert_eq!(&bytes[..6], b"070701");
        let field = |i: usize| {
            let digits = str::from_utf8(&bytes[6 + 8 * i..14 + 8 * i]).unwrap();
            usize::from_str_radix(digits, 16).unwrap()
        };
        let (mode, size, name_size) = (field(1), field(6), field(11));
        let name = str::from_utf8(&bytes[110..110 + name_size - 1]).unwrap().to_owned();
        assert_eq!(bytes[110 + name_size - 1], 0);
        let content = (110 + name_size).next_multiple_of(4);
        if name == "TRAILER!!!" {
            assert!(bytes[content..].iter().all(|byte| *byte == 0));
            assert!(bytes.len() - content < 512);
            return files;
        }
        // A folder stands before what is in it.
        let parent = name.rsplit_once('/').map(|(parent, _)| parent.to_owned());
        assert!(parent.is_none_or(|parent| folders.contains(&parent)), "{name}");
        match mode & 0o170_000 {
            0o040_000 => folders.push(name),
            0o100_000 => {
                assert!(files.insert(name, bytes[content..content + size].to_vec()).is_none())
            }
            other => panic!("{name} has mode {other:o}"),
        }
        bytes = &bytes[(content + size).next_multiple_of(4)..];
    }
}

fn initrd(
    folder: &Path,
    topology: &str,
    machine: Option<&str>,
) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let topology = support::root().join("fixtures/topologies").join(topology);
    let mut args = vec!["initrd", topology.to_str().unwrap(), "--out", "acpi.cpio"];
    args.extend(machine.iter().flat_map(|machine| ["--machine", machine]));
    let output = support::acpi_gen(folder, &args);
    let archive = folder.join("acpi.cpio");
    if !output.status.success() {
        assert_eq!(output.status.code(), Some(1));
        assert!(!archive.exists());
        return Err(String::from_utf8(output.stderr).unwrap());
    }
    Ok(cpio(&fs::read(archive).unwrap()))
}

/// What a table of an archive says.
fn decoded(folder: &Path, table: &[u8]) -> Value {
    fs::write(folder.join("one.dat"), table).unwrap();
    let output = support::acpi_gen(folder, &["decode", "--json", "one.dat"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice::<Value>(&output.stdout).unwrap()[0].clone()
}

#[test]
fn without_a_machine_the_tables_are_those_of_emit() {
    let folder = tempfile::tempdir().unwrap();
    let files = initrd(folder.path(), "hotplug.toml", None).unwrap();
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    let expected =
        ["apic.aml", "slit.aml", "srat.aml"].map(|name| format!("kernel/firmware/acpi/{name}"));
    assert_eq!(names, expected);
    for (path, bytes) in files {
        let name = path.rsplit_once('/').unwrap().1.replace(".aml", ".dat");
        let golden = support::root().join("fixtures/golden/hotplug").join(name);
        assert!(bytes == fs::read(golden).unwrap(), "{path}");
    }
}

#[test]
fn a_machines_ids_revisions_and_interrupts_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let machine = folder.path().join("machine");
    fs::create_dir(&machine).unwrap();
    let golden = support::root().join("fixtures/golden/pxm-0-2-5");
    // As sysfs has them: no suffix, no SRAT, and a second MADT that is not used.
    let mut madt = fs::read(golden.join("apic.dat")).unwrap();
    madt[8] = 3;
    madt[10..24].copy_from_slice(b"BOCHS BXPCAPIC");
    madt[40] = 1;
    fix_sum(&mut madt);
    fs::write(machine.join("APIC"), &madt).unwrap();
    fs::write(machine.join("APIC2"), fs::read(golden.join("apic.dat")).unwrap()).unwrap();
    fs::write(machine.join("SLIT"), fs::read(golden.join("slit.dat")).unwrap()).unwrap();
    fs::create_dir(machine.join("dynamic")).unwrap();

    let files = initrd(folder.path(), "hotplug.toml", Some("machine")).unwrap();
    let table =
        |name: &str| decoded(folder.path(), &files[&format!("kernel/firmware/acpi/{name}.aml")]);
    let oem = |table: &Value| {
        let text = |name: &str| table[name].as_str().unwrap().to_owned();
        (text("oem_id"), text("oem_table_id"), table["oem_revision"].as_u64().unwrap())
    };
    let named = |id: &str, table_id: &str, revision| (id.to_owned(), table_id.to_owned(), revision);
    assert_eq!(oem(&table("apic")), named("BOCHS", "BXPCAPIC", 2));
    assert_eq!(oem(&table("slit")), named("XEN", "VNUMA", 2));
    assert_eq!(oem(&table("srat")), named("ACME", "HOTPLUG", 7));

    let apic = table("apic");
    assert_eq!((&apic["revision"], &apic["pcat_compat"]), (&3.into(), &true.into()));
    let entries = apic["entries"].as_array().unwrap();
    // Nine processors of the topology, absent ones with flags 0 below revision 5;
    // then what the machine's MADT has behind its six.
    let flags: Vec<_> = entries[..9].iter().map(|entry| entry["flags"].as_u64().unwrap()).collect();
    assert_eq!(flags, [1, 1, 1, 1, 0, 0, 0, 0, 0]);
    let without_offset = |entries: &[Value]| -> Vec<Value> {
        entries
            .iter()
            .cloned()
            .map(|mut entry| {
                entry["offset"] = Value::Null;
                entry
            })
            .collect()
    };
    let machines = decoded(folder.path(), &madt);
    let machines = &machines["entries"].as_array().unwrap()[6..];
    assert_eq!(machines.len(), 4);
    assert_eq!(without_offset(&entries[9..]), without_offset(machines));
}

#[test]
fn a_machine_that_does_not_fit_is_an_error_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let machine = folder.path().join("machine");
    fs::create_dir(&machine).unwrap();
    let golden = support::root().join("fixtures/golden");
    let good = fs::read(golden.join("pxm-0-2-5/apic.dat")).unwrap();
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut madt = good.clone();
        change(&mut madt);
        fix_sum(&mut madt);
        madt
    };
    for (what, madt) in [
        ("has no file with an ACPI table", b"no table".to_vec()),
        ("has no MADT", fs::read(golden.join("pxm-0-2-5/srat.dat")).unwrap()),
        ("OEM revision 0xffffffff is the highest", changed(&|m| m[24..28].fill(0xFF))),
        ("MPS INTI flags 0x2 use a reserved polarity", changed(&|m| m[160] = 2)),
        ("override on bus 1", changed(&|m| m[154] = 1)),
        ("ends early", good[..100].to_vec()),
        ("entry of type 9 at offset 0x3c", changed(&|m| m[61] = 1)),
    ] {
        fs::write(machine.join("APIC"), madt).unwrap();
        let error = initrd(folder.path(), "one-cpu.toml", Some("machine")).unwrap_err();
        assert!(error.starts_with("machine") && error.contains(":1: "), "{error}");
        assert!(error.contains(what), "{what}: {error}");
    }
}
