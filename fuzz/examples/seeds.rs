//! Writes inputs for the corpora from the project's fixtures:
//! `cargo run -p fuzz --example seeds -- DIR`, then `fuzz/run minimise TARGET`.

use std::fs;
use std::io;
use std::path::Path;

use acpi_gen::{
    ApicId, Description, Distance, Distances, Entries, Gpa, GpaRange, Madt, MadtEntry, MemoryRange,
    NmiForm, NmiTarget, Polarity, Processor, ProcessorState, ProcessorUid, ProximityDomain, Slit,
    Srat, SratEntry, Topology, Trigger, madt, slit, srat,
};
use arbitrary::{Arbitrary, Unstructured};
use fuzz::arguments::Form;
use fuzz::encode::Encode;
use fuzz::host::{Block, Entry, Host};
use fuzz::machine::Machine;
use fuzz::ranges::{Cursor, Size};
use fuzz::targets::{c_abi, check, e820_trim, host_plan, placement, round_trip, start_info};

fn main() -> io::Result<()> {
    let out = std::env::args_os().nth(1).expect("the folder for the seeds");
    let out = Path::new(&out);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    for file in files(&fixtures.join("topologies"))? {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = fs::read(&file)?;
        write(out, "topology_file", &name, &text)?;
        let tables = tables(&file, &out.join("tables").join(&name))?;
        for (table, bytes) in &tables {
            // Past the limit of an input's length, a seed would be cut.
            if bytes.len() <= 8192 {
                write(out, "decode", &format!("{name}-{table}"), bytes)?;
                let shifted: Vec<u8> = [3].iter().chain(bytes).copied().collect();
                write(out, "readers", &format!("{name}-{table}"), &shifted)?;
            }
        }
        let Some(machine) = machine(&tables) else { continue };
        let input = round_trip::Input { complete: true, machine, ..Default::default() };
        seed(out, "round_trip", &name, &input)?;
        let input = check::Input { machine: input.machine, resum: true, ..Default::default() };
        seed(out, "check", &name, &input)?;
        let input =
            c_abi::Input { call: 1, flags: 1, machine: input.machine, ..Default::default() };
        seed(out, "c_abi", &name, &input)?;
    }
    let tests = fixtures.join("../acpi-gen/cli/tests");
    for (target, folder) in [("topology_file", "bad"), ("host_file", "bad_hosts")] {
        for file in files(&tests.join(folder))? {
            let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
            write(out, target, &format!("bad-{name}"), &fs::read(&file)?)?;
        }
    }
    for entry in fs::read_dir(fixtures.join("xl"))? {
        let path = entry?.path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        write(out, "xl_config", &name, &fs::read(&path)?)?;
    }
    for file in files(&fixtures.join("hosts"))? {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&file)?;
        write(out, "host_file", &name, text.as_bytes())?;
        hosts(out, &name, &text)?;
    }
    for entry in fs::read_dir(fixtures.join("images"))? {
        let path = entry?.path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let bytes = fs::read(&path)?;
        if bytes.len() <= 8192 && (name.ends_with("elf") || name.ends_with("bzimage")) {
            write(out, "kernel_image", &name, &bytes)?;
            write(out, "bzimage", &name, &bytes)?;
        }
    }
    kernels(out)
}

fn files(folder: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    let mut files: Vec<_> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    Ok(files)
}

fn write(out: &Path, target: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(out.join(target))?;
    fs::write(out.join(target).join(name), bytes)
}

/// An input as bytes, which must give it again.
fn seed<'b, T>(out: &Path, target: &str, name: &str, input: &T) -> io::Result<()>
where
    T: Encode + for<'a> Arbitrary<'a> + PartialEq + std::fmt::Debug + 'b,
{
    let mut bytes = Vec::new();
    input.encode(&mut bytes);
    let again = T::arbitrary(&mut Unstructured::new(&bytes)).expect("a whole input");
    assert_eq!(&again, input, "{target}/{name}");
    write(out, target, name, &bytes)
}

/// What `acpi-gen emit --complete` writes.
fn tables(file: &Path, out: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let line = ["acpi-gen".as_ref(), "emit".as_ref(), "--complete".as_ref(), "--out".as_ref()];
    let done = acpi_gen_cli::execute(line.into_iter().chain([out.as_os_str(), file.as_os_str()]));
    assert_eq!(done.status, 0, "{}", done.stderr);
    let read = |entry: io::Result<fs::DirEntry>| {
        let path = entry?.path();
        Ok((path.file_name().expect("a name").to_string_lossy().into_owned(), fs::read(path)?))
    };
    fs::read_dir(out)?.map(read).collect()
}

/// The machine of a set of tables; `None` where its seed would be too long.
fn machine(tables: &[(String, Vec<u8>)]) -> Option<Machine> {
    let table = |signature: [u8; 4]| {
        let bytes = &tables.iter().find(|(_, bytes)| bytes.starts_with(&signature))?.1;
        Some(bytes.as_slice())
    };
    let madt = Madt::parse(table(madt::SIGNATURE)?).ok()?;
    let srat = Srat::parse(table(srat::SIGNATURE)?).ok()?;
    let slit = Slit::parse(table(slit::SIGNATURE)?).ok()?;
    let domain_of = |id: ApicId| {
        srat.entries().find_map(|entry| match entry {
            Ok(SratEntry::LocalApic { domain, apic_id, .. }) if id.0 == u32::from(apic_id) => {
                Some(domain)
            }
            Ok(SratEntry::X2Apic { domain, apic_id, .. }) if id == apic_id => Some(domain),
            _ => None,
        })
    };
    let cpu = |uid: ProcessorUid, apic_id: ApicId, flags: u32| Processor {
        uid,
        apic_id,
        domain: domain_of(apic_id),
        state: if flags & 1 == 1 { ProcessorState::Enabled } else { ProcessorState::OnlineCapable },
    };
    let (mut processors, mut entries, mut io_apics, mut nmis) =
        (Vec::new(), Entries::X2Apic, Vec::new(), Vec::new());
    for entry in madt.entries() {
        match entry.ok()? {
            MadtEntry::LocalApic { uid, apic_id, flags } => {
                entries = Entries::Hybrid;
                processors.push(cpu(ProcessorUid(uid.into()), ApicId(apic_id.into()), flags));
            }
            MadtEntry::X2Apic { uid, apic_id, flags } => processors.push(cpu(uid, apic_id, flags)),
            MadtEntry::IoApic { id, address, gsi_base } => {
                io_apics.push(acpi_gen::IoApic { id, address, gsi_base });
            }
            MadtEntry::X2ApicNmi { lint, .. } | MadtEntry::LocalApicNmi { lint, .. } => {
                nmis.push(acpi_gen::LocalNmi {
                    target: NmiTarget::All,
                    lint,
                    polarity: Polarity::High,
                    trigger: Trigger::Edge,
                    form: NmiForm::AsProcessors,
                });
            }
            _ => {}
        }
    }
    let memory: Vec<_> = srat
        .entries()
        .filter_map(|entry| match entry {
            Ok(SratEntry::Memory { domain, base, length, flags }) => Some(MemoryRange {
                range: GpaRange::with_size(Gpa(base), length).ok()?,
                domain,
                hot_pluggable: flags & 2 != 0,
                non_volatile: flags & 4 != 0,
            }),
            _ => None,
        })
        .collect();
    let mut domains: Vec<ProximityDomain> =
        processors.iter().filter_map(|p| p.domain).chain(memory.iter().map(|m| m.domain)).collect();
    domains.sort();
    domains.dedup();
    let matrix: Vec<_> = domains
        .iter()
        .flat_map(|from| domains.iter().filter_map(|to| slit.distance(*from, *to)))
        .map(|distance| match distance {
            255 => Distance::UNREACHABLE,
            other => Distance::clamped(other.into()),
        })
        .collect();
    let description = Description {
        processors: &processors,
        memory: &memory,
        distances: Distances { domains: &domains, matrix: &matrix },
        io_apics: &io_apics,
        nmis: &nmis,
        entries,
        ..Description::EMPTY
    };
    Topology::new(description, &mut vec![0; Topology::scratch_len(&description)]).ok()?;
    (processors.len() <= 128).then(|| Machine::of(&description))
}

/// A kernel as linkers lay one out, moved or not, on a small machine, and its start info.
fn kernels(out: &Path) -> io::Result<()> {
    let (mebibyte, gibibyte) = (Size::Mebibytes(1), Size::Mebibytes(1024));
    let region = |gap, size, kind| placement::MapEntry { gap, size, kind };
    for (name, relocation, linked) in
        [("fixed", None, 16), ("moved", Some(vec![0x20_0000, 0, 0x3FFF_FFFF]), 1536)]
    {
        let input = placement::Input {
            segments: vec![
                placement::LoadSegment {
                    gap: Size::Mebibytes(linked),
                    size: Size::Mebibytes(8),
                    file: 200,
                },
                placement::LoadSegment { gap: mebibyte, size: Size::Pages(64), file: 9 },
            ],
            entry: 16,
            relocation,
            memory: vec![
                region(Size::Pages(0), Size::Pages(160), 0),
                region(Size::Pages(96), gibibyte, 0),
                region(Size::Pages(0), Size::Pages(7), 2),
                region(gibibyte, gibibyte, 0),
            ],
            reserved: vec![region(Size::Mebibytes(512), mebibyte, 0)],
            modules: vec![placement::ModuleOf { len: 5000, command_line: b"initrd".to_vec() }],
            command_line: b"console=ttyS0".to_vec(),
            processors: 4,
            fail_at: 0,
            busy: vec![region(Size::Mebibytes(20), mebibyte, 0)],
        };
        seed(out, "placement", name, &input)?;
        write(out, "kernel_image", name, &placement::elf(&input))?;
        // The longest command line that is read, and one that is too long.
        for len in [13, 4096, 4097] {
            let input = placement::Input { command_line: vec![b'x'; len], ..input.clone() };
            let pages = placement::with_plan(&input, start_info::written);
            let pages = pages.expect("a kernel").expect("a place");
            assert_eq!(pages.base, start_info::BASE);
            write(out, "start_info", &format!("{name}-pages-{len}"), &pages.bytes)?;
        }
        // The count of modules, the low byte of the command line's address, and the end.
        for (changed, changes, cut) in [
            ("whole", Vec::new(), 0),
            ("modules", vec![start_info::Change { at: 13, value: 1 }], 0),
            ("line", vec![start_info::Change { at: 26, value: 0xFF }], 0),
            ("cut", Vec::new(), 500),
        ] {
            let guest = input.clone();
            let input = start_info::Input { guest, changes, cut };
            seed(out, "start_info", &format!("{name}-{changed}"), &input)?;
        }
    }
    Ok(())
}

/// A host, planned in Rust and in C, and its memory map trimmed.
fn hosts(out: &Path, name: &str, text: &str) -> io::Result<()> {
    let table: toml::Table = text.parse().expect("TOML");
    let number = |value: &toml::Value| match value {
        toml::Value::Integer(number) => u64::try_from(*number).expect("a number"),
        other => panic!("{other:?}"),
    };
    let list =
        |key: &str| table.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let mut cursor = Cursor::default();
    let mut range = |value: &toml::Value| {
        let range = GpaRange::new(Gpa(number(&value["start"])), Gpa(number(&value["end"])));
        cursor.to(range.expect("a range"))
    };
    let kinds = ["", "ram", "reserved", "acpi", "nvs", "unusable"];
    let entries = list("e820");
    let map = entries.iter().map(|entry| {
        let (gap, size) = range(entry);
        let kind = kinds.iter().position(|kind| entry["type"].as_str() == Some(kind));
        Entry { gap, size, kind: kind.expect("a type") as u8 }
    });
    let map = map.collect();
    let mut cursor = Cursor::default();
    let mut range = |value: &toml::Value| {
        let range = GpaRange::new(Gpa(number(&value["start"])), Gpa(number(&value["end"])));
        cursor.to(range.expect("a range"))
    };
    let blocks: Vec<_> = list("memblk")
        .iter()
        .map(|block| {
            let (gap, size) = range(block);
            let hotplug = block.get("hotplug").and_then(toml::Value::as_bool).unwrap_or(false);
            Block { gap, size, node: number(&block["node"]) as u8, hotplug }
        })
        .collect();
    let host = Host {
        map,
        blocks,
        cpus: list("cpu_to_node").iter().map(|node| number(node) as u8).collect(),
        node_to_pxm: list("node_to_pxm")
            .iter()
            .map(|pxm| Some(ProximityDomain(number(pxm) as u32).into()))
            .collect(),
        distances: list("distances")
            .iter()
            .flat_map(|row| {
                row.as_array().expect("a row").iter().map(|d| number(d) as u8).collect::<Vec<_>>()
            })
            .collect(),
    };
    let (map, ranges) = (host.map.clone(), host.blocks.clone());
    let trim = e820_trim::Input { pvh: true, fraction: 90, map, ranges, ..Default::default() };
    seed(out, "e820_trim", name, &trim)?;
    // A plan, a trim and a guest's layout; and each pointer wrong once of those that such a layout has, and of those
    // that a plan's walk and layout take behind the 13 that make it.
    let right = |call| (format!("{name}-{call}"), call, Vec::new());
    let wrong = |call, at, last| {
        let mut how = vec![Form::Right; at];
        how.push(last);
        (format!("{name}-{call}-wrong-{at}"), call, how)
    };
    let walks = (13..20).map(|at| wrong(2, at, Form::Misaligned));
    let layouts = (1..7).map(|at| wrong(5, at, Form::Null));
    for (name, call, how) in [2, 3, 5].map(right).into_iter().chain(walks).chain(layouts) {
        let host = host.clone();
        let numbers = [1, 0, 0, 0, 16, 9, 0x24, 0];
        let input = c_abi::Input { call, how, flags: 7, numbers, host, ..Default::default() };
        seed(out, "c_abi", &name, &input)?;
    }
    let plan = host_plan::Input {
        pvh: true,
        pinned: true,
        partial: true,
        keep: true,
        vcpus: 0,
        fraction: 128,
        host,
    };
    seed(out, "host_plan", name, &plan)
}
