//! The `acpi` crate of rust-osdev, a reader that is not ours, on RSDP, XSDT and
//! MADT. It cannot judge SRAT and SLIT: it reads the first's entry length as 16
//! bits, and the second as empty.

use std::collections::BTreeMap;
use std::ptr::NonNull;

use acpi::rsdp::Rsdp;
use acpi::sdt::Signature;
use acpi::sdt::madt::{Madt, MadtEntry};
use acpi::{AcpiTables, Handler, PciAddress, PhysicalMapping, RawPhysicalMapping};
use acpi_gen::{Gpa, ListedTables, MadtEntry as Ours, TableSet, madt};

use crate::samples::{self, Machine};

const BASE: usize = 0xFC00_0000;

/// Guest memory from [`BASE`] on.
#[derive(Clone)]
struct Memory<'a> {
    bytes: &'a [u8],
}

macro_rules! unused {
    ($($name:ident($($arg:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        $(fn $name(&self, $($arg: $type),*) $(-> $result)? {
            panic!("{}: reading tables takes memory only, not {:?}", stringify!($name), ($($arg),*,))
        })*
    };
}

impl Handler for Memory<'_> {
    unsafe fn map_physical_region<T>(&self, address: usize, size: usize) -> RawPhysicalMapping<T> {
        let bytes = &self.bytes[address - BASE..][..size];
        // SAFETY: the slice above has the bytes, and the reader's structures are packed.
        unsafe { RawPhysicalMapping::new(address, NonNull::from(bytes).cast(), size, size) }
    }

    unsafe fn unmap_physical_region<T>(&self, _: RawPhysicalMapping<T>) {}

    fn nanos_since_boot(&self) -> u64 {
        panic!("reading tables takes no time");
    }

    unused! {
        read_u8(address: usize) -> u8;
        read_u16(address: usize) -> u16;
        read_u32(address: usize) -> u32;
        read_u64(address: usize) -> u64;
        write_u8(address: usize, value: u8);
        write_u16(address: usize, value: u16);
        write_u32(address: usize, value: u32);
        write_u64(address: usize, value: u64);
        read_io_u8(port: u16) -> u8;
        read_io_u16(port: u16) -> u16;
        read_io_u32(port: u16) -> u32;
        write_io_u8(port: u16, value: u8);
        write_io_u16(port: u16, value: u16);
        write_io_u32(port: u16, value: u32);
        read_pci_u8(address: PciAddress, offset: u16) -> u8;
        read_pci_u16(address: PciAddress, offset: u16) -> u16;
        read_pci_u32(address: PciAddress, offset: u16) -> u32;
        write_pci_u8(address: PciAddress, offset: u16, value: u8);
        write_pci_u16(address: PciAddress, offset: u16, value: u16);
        write_pci_u32(address: PciAddress, offset: u16, value: u32);
        stall(microseconds: u64);
        sleep(milliseconds: u64);
    }
}

/// Its entry as ours.
fn as_ours(entry: &MadtEntry<'_>) -> Ours<'static> {
    match entry {
        MadtEntry::LocalApic(e) => {
            Ours::LocalApic { uid: e.processor_id, apic_id: e.apic_id, flags: e.flags }
        }
        MadtEntry::IoApic(e) => Ours::IoApic {
            id: e.io_apic_id,
            address: e.io_apic_address,
            gsi_base: e.global_system_interrupt_base,
        },
        MadtEntry::InterruptSourceOverride(e) => Ours::InterruptOverride {
            bus: e.bus,
            source: e.irq,
            gsi: e.global_system_interrupt,
            flags: e.flags,
        },
        MadtEntry::LocalApicNmi(e) => {
            Ours::LocalApicNmi { uid: e.processor_id, flags: e.flags, lint: e.nmi_line }
        }
        MadtEntry::LocalX2Apic(e) => Ours::X2Apic {
            uid: acpi_gen::ProcessorUid(e.processor_uid),
            apic_id: acpi_gen::ApicId(e.x2apic_id),
            flags: e.flags,
        },
        MadtEntry::X2ApicNmi(e) => Ours::X2ApicNmi {
            uid: acpi_gen::ProcessorUid(e.processor_uid),
            flags: e.flags,
            lint: e.nmi_line,
        },
        other => panic!("{other:?} was not emitted"),
    }
}

/// What the crate reads from an RSDP at [`BASE`] on.
struct Read {
    /// Address, length and signature of each table of the XSDT.
    tables: Vec<(u64, usize, [u8; 4])>,
    pcat_compat: bool,
    entries: Vec<Ours<'static>>,
}

fn read(bytes: &[u8]) -> Read {
    let memory = Memory { bytes };
    // SAFETY: the RSDP is the first of the bytes, and all that it leads to is in them.
    let tables = unsafe { AcpiTables::from_rsdp(memory.clone(), BASE) }.unwrap();
    // SAFETY: as above.
    let rsdp = unsafe { PhysicalMapping::<_, Rsdp>::new(BASE, 36, memory) };
    rsdp.validate().unwrap();
    assert_eq!((rsdp.revision(), rsdp.length()), (2, 36));
    let headers = tables.table_headers().map(|(address, header)| {
        let signature = header.signature.as_str().as_bytes().try_into().unwrap();
        (address as u64, header.length() as usize, signature)
    });
    let madt = tables.find_table::<Madt>().unwrap();
    // SAFETY: the handler maps a table with its whole length.
    unsafe { madt.get().header.validate(Signature::MADT) }.unwrap();
    Read {
        tables: headers.collect(),
        pcat_compat: madt.get().supports_8259(),
        entries: madt.get().entries().map(|entry| as_ours(&entry)).collect(),
    }
}

#[test]
fn it_reads_what_is_emitted() {
    for machine in [Machine::plain(1, 1), Machine::varied(300), Machine::plain(4096, 64)] {
        let topology = machine.valid();
        for set in [TableSet::new(&topology), TableSet::complete(&topology).unwrap()] {
            let found = read(&samples::emitted(&set, Gpa(BASE as u64)));
            let placed = set.place(Gpa(BASE as u64)).unwrap();
            let in_xsdt = placed
                .tables()
                .iter()
                .filter(|table| !matches!(&table.signature, b"RSDP" | b"XSDT" | b"DSDT" | b"FACS"))
                .map(|table| (table.address.0, table.len, table.signature));
            assert_eq!(found.tables, in_xsdt.collect::<Vec<_>>());
            assert_eq!(found.pcat_compat, machine.pcat_compat);
            let bytes = samples::table(&topology, madt::len, madt::emit);
            let ours = acpi_gen::Madt::parse(&bytes).unwrap();
            assert_eq!(found.entries, ours.entries().map(Result::unwrap).collect::<Vec<_>>());
            let described = machine.processors.len()
                + machine.io_apics.len()
                + machine.overrides.len()
                + machine.nmis.len();
            assert_eq!(found.entries.len(), described);
        }
    }
}

/// RSDP, XSDT and MADT of the goldens where all are there as bytes, at the
/// addresses that they were made for.
#[test]
fn it_reads_the_goldens() {
    let mut sets: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
    for (set, file, bytes) in samples::goldens() {
        sets.entry(set).or_default().insert(file, bytes);
    }
    let mut read_sets = 0;
    for (set, files) in sets {
        let names = ["facp.dat", "apic.dat", "srat.dat", "slit.dat"];
        let in_xsdt: Vec<&Vec<u8>> = names.iter().filter_map(|name| files.get(*name)).collect();
        let rsdp = acpi_gen::Rsdp::parse(&files["rsdp.dat"]).unwrap();
        let addresses: Vec<Gpa> = ListedTables::of(*b"XSDT", &files["xsdt.dat"]).collect();
        if addresses.len() != in_xsdt.len() {
            continue;
        }
        let mut memory = files["rsdp.dat"].clone();
        let placed = [rsdp.root().0].into_iter().chain(addresses);
        for (address, table) in placed.zip([&files["xsdt.dat"]].into_iter().chain(in_xsdt)) {
            memory.resize(address.0 as usize - BASE, 0);
            memory.extend(table);
        }
        let found = read(&memory);
        let ours = acpi_gen::Madt::parse(&files["apic.dat"]).unwrap();
        let ours: Vec<_> = ours.entries().map(Result::unwrap).collect();
        assert_eq!(found.entries, ours, "{set}");
        read_sets += 1;
    }
    assert!(read_sets >= 12, "{read_sets} sets");
}
