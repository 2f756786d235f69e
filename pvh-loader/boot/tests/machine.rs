//! The machine by its firmware's tables and by topologies that fit them or do not.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

use acpi_gen::*;
use pvh_boot::{Error, Firmware, machine};

const BASE: u64 = 0x7FE0_0000;

/// Firmware's tables in memory from `BASE` on.
struct Memory(Vec<u8>);

impl Physical for Memory {
    fn bytes(&self, at: Gpa, len: usize) -> Option<&[u8]> {
        let start = usize::try_from(at.0.checked_sub(BASE)?).ok()?;
        self.0.get(start..start.checked_add(len)?)
    }
}

/// A machine with ids 0, 2, 8, 10 and UIDs that do not count like them, on domains 0 and
/// 3, with an I/O APIC, an override and an NMI; and two tables of which we know nothing.
/// Its MADT also names the place of a CPU with id 12 and UID 1, as one of this revision
/// marks a CPU that is not there: by flags of 0.
fn firmware() -> Memory {
    let cpu = |uid, id, pxm| Processor {
        uid: ProcessorUid(uid),
        apic_id: ApicId(id),
        domain: Some(ProximityDomain(pxm)),
        state: ProcessorState::Enabled,
    };
    let absent = Processor { state: ProcessorState::OnlineCapable, ..cpu(1, 12, 3) };
    let processors = [cpu(0, 0, 0), cpu(2, 2, 0), cpu(8, 8, 3), cpu(10, 10, 3), absent];
    let memory =
        [(0, 0x4000_0000, 0), (0x4000_0000, 0x8000_0000, 3)].map(|(start, end, pxm)| MemoryRange {
            range: GpaRange::new(Gpa(start), Gpa(end)).unwrap(),
            domain: ProximityDomain(pxm),
            hot_pluggable: false,
            non_volatile: false,
        });
    let io_apics = [IoApic { id: 4, address: 0xFEC0_0000, gsi_base: 0 }];
    let overrides = [InterruptOverride {
        source: 9,
        gsi: 9,
        polarity: Polarity::High,
        trigger: Trigger::Level,
    }];
    let nmis = [LocalNmi {
        target: NmiTarget::All,
        lint: 1,
        polarity: Polarity::Conforming,
        trigger: Trigger::Conforming,
        form: NmiForm::LocalApic,
    }];
    let domains = [ProximityDomain(0), ProximityDomain(3)];
    let distances = [10, 21, 25, 10].map(Distance::clamped);
    let description = Description {
        processors: &processors,
        memory: &memory,
        distances: Distances { domains: &domains, matrix: &distances },
        io_apics: &io_apics,
        overrides: &overrides,
        nmis: &nmis,
        revisions: Revisions::MadtOf(3),
        ..Description::EMPTY
    };
    let mut scratch = [0; 5];
    let topology = Topology::new(description, &mut scratch).unwrap();
    let others = [Gpa(BASE + 0xF00), Gpa(BASE + 0xF40)];
    let set = TableSet::new(&topology).with_tables(&others);
    let mut bytes = vec![0; 0x1000];
    set.emit(&mut bytes, Gpa(BASE)).unwrap();
    for (at, signature) in [(0xF00, b"FACP"), (0xF40, b"MCFG")] {
        bytes[at..at + 4].copy_from_slice(signature);
        bytes[at + 4..at + 8].copy_from_slice(&36_u32.to_le_bytes());
    }
    Memory(bytes)
}

const TOPOLOGY: &str = r#"
[apic]
encoding = "explicit"
[[node]]
pxm = 7
cpus = "0,2"
apic_ids = [0, 8]
memory = ["0-1GiB"]
[[node]]
pxm = 1
cpus = "1,3"
apic_ids = [10, 2]
memory = ["1GiB-2GiB"]
[[ioapic]]
id = 9
address = 0xFED00000
gsi_base = 0
"#;

fn by(topology: &str) -> Result<hv_glue_topology::Machine, Error> {
    let memory = firmware();
    let firmware = Firmware::read(&memory, Gpa(BASE)).unwrap();
    machine(Some(topology.as_bytes()), &firmware, ApicId(0))
}

#[test]
fn firmware_keeps_its_other_tables() {
    let memory = firmware();
    let firmware = Firmware::read(&memory, Gpa(BASE)).unwrap();
    assert_eq!(firmware.others, [Gpa(BASE + 0xF00), Gpa(BASE + 0xF40)]);
}

#[test]
fn without_a_topology_the_machine_is_what_its_tables_say() {
    let memory = firmware();
    let firmware = Firmware::read(&memory, Gpa(BASE)).unwrap();
    let machine = machine(None, &firmware, ApicId(0)).unwrap();
    let cpus: Vec<_> = machine
        .processors
        .iter()
        .map(|it| (it.uid.0, it.apic_id.0, it.domain.map(|domain| domain.0)))
        .collect();
    assert_eq!(cpus, [(0, 0, Some(0)), (2, 2, Some(0)), (8, 8, Some(3)), (10, 10, Some(3))]);
    assert_eq!(machine.domains, [ProximityDomain(0), ProximityDomain(3)]);
    let distances: Vec<_> = machine.distances.iter().map(|it| it.get()).collect();
    assert_eq!(distances, [10, 21, 25, 10]);
    let memory: Vec<_> =
        machine.memory.iter().map(|it| (it.range.start().0, it.domain.0)).collect();
    assert_eq!(memory, [(0, 0), (0x4000_0000, 3)]);
    assert_eq!(machine.revisions, Revisions::MadtOf(3));
    machine.topology().unwrap();
}

#[test]
fn a_topology_gives_the_nodes_and_firmware_the_uids_and_interrupts() {
    let machine = by(TOPOLOGY).unwrap();
    let cpus: Vec<_> = machine
        .processors
        .iter()
        .map(|it| (it.uid.0, it.apic_id.0, it.domain.map(|domain| domain.0)))
        .collect();
    assert_eq!(cpus, [(0, 0, Some(7)), (10, 10, Some(1)), (8, 8, Some(7)), (2, 2, Some(1))]);
    assert_eq!(machine.io_apics, [IoApic { id: 4, address: 0xFEC0_0000, gsi_base: 0 }]);
    assert_eq!((machine.overrides.len(), machine.nmis.len()), (1, 1));
    assert_eq!(machine.revisions, Revisions::MadtOf(3));
}

/// What the MADT says of a CPU that is not there at boot goes before a number of ours, and
/// no number of ours is one of its.
#[test]
fn absent_cpus_get_the_uid_of_the_madt_or_the_lowest_that_is_left() {
    let hotplug = TOPOLOGY
        .replace("\"0,2\"", "\"0,3\"\ncpus_hotplug = \"2\"")
        .replace("[0, 8]", "[0, 8, 4]")
        .replace("\"1,3\"", "\"1,6\"\ncpus_hotplug = \"4-5\"")
        .replace("[10, 2]", "[10, 2, 6, 12]");
    let machine = by(&hotplug).unwrap();
    let cpus: Vec<_> = machine.processors.iter().map(|it| (it.apic_id.0, it.uid.0)).collect();
    assert_eq!(cpus, [(0, 0), (10, 10), (4, 3), (8, 8), (6, 4), (12, 1), (2, 2)]);
    machine.topology().unwrap();
}

#[test]
fn ids_that_the_machine_does_not_have_are_refused_with_both_numbers() {
    let refused = by(&TOPOLOGY.replace("[10, 2]", "[12, 2]")).unwrap_err();
    let (vcpu, topology, machine) = (ProcessorUid(1), ApicId(12), Some(ApicId(10)));
    assert_eq!(refused, Error::OtherApicId { vcpu, topology, machine });
    assert!(refused.to_string().contains("id 12") && refused.to_string().contains("id 10"));

    let fewer = TOPOLOGY.replace("\"1,3\"", "\"1\"").replace("[10, 2]", "[10]");
    assert_eq!(by(&fewer), Err(Error::MissingApicId { machine: ApicId(2) }));

    let more = TOPOLOGY.replace("\"1,3\"", "\"1,3-4\"").replace("[10, 2]", "[10, 2, 6]");
    let (vcpu, topology, machine) = (ProcessorUid(4), ApicId(6), None);
    assert_eq!(by(&more), Err(Error::OtherApicId { vcpu, topology, machine }));

    let turned = TOPOLOGY.replace("[0, 8]", "[8, 0]");
    let (topology, machine) = (ApicId(8), ApicId(0));
    assert_eq!(by(&turned), Err(Error::OtherBootProcessor { topology, machine }));

    let refused = by(&TOPOLOGY.replace("pxm = 7", "pmx = 7")).unwrap_err();
    assert!(refused.to_string().starts_with("topology.toml, line 5: "), "{refused}");
}

#[test]
fn tables_that_cannot_be_read_are_named() {
    let memory = firmware();
    let read = |memory: &Memory, at| Firmware::read(memory, at).map(|_| ()).unwrap_err();
    assert_eq!(read(&memory, Gpa(0x1000)), Error::Unreadable { at: Gpa(0x1000), len: 20 });
    let cut = Memory(memory.0[..0x100].to_vec());
    assert!(matches!(read(&cut, Gpa(BASE)), Error::Unreadable { .. }));
    let mut other = firmware();
    other.0[0] = b'X';
    assert!(matches!(
        read(&other, Gpa(BASE)),
        Error::Table { signature: [b'R', b'S', b'D', b'P'], .. }
    ));
    // Without a MADT: its signature becomes another.
    let mut other = firmware();
    let at = other.0.windows(4).position(|bytes| bytes == b"APIC").unwrap();
    other.0[at] = b'X';
    assert_eq!(read(&other, Gpa(BASE)), Error::NoTable { signature: *b"APIC" });
}

/// QEMU's SeaBIOS and other old firmware has an RSDP of revision 0 and an RSDT.
#[test]
fn firmware_with_an_rsdt_alone_is_read_too() {
    let mut memory = firmware();
    let xsdt = usize::try_from(Rsdp::parse(&memory.0).unwrap().root().0.0 - BASE).unwrap();
    let addresses: Vec<_> =
        ListedTables::of(*b"XSDT", Table::parse(&memory.0[xsdt..]).unwrap().bytes()).collect();
    let mut rsdt = b"RSDT".to_vec();
    rsdt.extend(u32::try_from(36 + 4 * addresses.len()).unwrap().to_le_bytes());
    rsdt.resize(36, 0);
    for address in &addresses {
        rsdt.extend(u32::try_from(address.0).unwrap().to_le_bytes());
    }
    memory.0[0xE00..0xE00 + rsdt.len()].copy_from_slice(&rsdt);
    memory.0[15] = 0;
    memory.0[16..20].copy_from_slice(&u32::try_from(BASE + 0xE00).unwrap().to_le_bytes());
    let by_rsdt = Firmware::read(&memory, Gpa(BASE)).unwrap();
    assert_eq!(by_rsdt.others, [Gpa(BASE + 0xF00), Gpa(BASE + 0xF40)]);
    assert!(by_rsdt.srat.is_some() && by_rsdt.slit.is_some());
}
