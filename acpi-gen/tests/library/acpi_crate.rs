//! The `acpi` crate of rust-osdev, a reader that is not ours, on RSDP, XSDT and
//! MADT. It cannot judge SRAT and SLIT: it reads the first's entry length as 16
//! bits, and the second as empty.

use std::ptr::NonNull;

use acpi::rsdp::Rsdp;
use acpi::sdt::Signature;
use acpi::sdt::madt::{Madt, MadtEntry};
use acpi::{AcpiTables, Handler, PciAddress, PhysicalMapping, RawPhysicalMapping};
use acpi_gen::{Gpa, MadtEntry as Ours, TableSet, madt};

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
        MadtEntry::IoApic(e) => Ours::IoApic(acpi_gen::IoApic {
            id: e.io_apic_id,
            address: e.io_apic_address,
            gsi_base: e.global_system_interrupt_base,
        }),
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

fn check(machine: &Machine, complete: bool) {
    let topology = machine.valid();
    let set = match complete {
        true => TableSet::complete(&topology).unwrap(),
        false => TableSet::new(&topology),
    };
    let placed = set.place(Gpa(BASE as u64)).unwrap();
    let image = samples::emitted(&set, Gpa(BASE as u64));
    let memory = Memory { bytes: &image };
    // SAFETY: the set was emitted for BASE, where its RSDP is first.
    let tables = unsafe { AcpiTables::from_rsdp(memory.clone(), BASE) }.unwrap();
    // SAFETY: as above.
    let rsdp = unsafe { PhysicalMapping::<_, Rsdp>::new(BASE, 36, memory) };
    rsdp.validate().unwrap();
    assert_eq!((rsdp.revision(), rsdp.length()), (2, 36));

    let found: Vec<_> = tables.table_headers().collect();
    let in_xsdt: Vec<_> = placed
        .tables()
        .iter()
        .filter(|table| !matches!(&table.signature, b"RSDP" | b"XSDT" | b"DSDT" | b"FACS"))
        .collect();
    assert_eq!(found.len(), in_xsdt.len());
    for ((address, header), table) in found.iter().zip(in_xsdt) {
        assert_eq!((*address as u64, header.length() as usize), (table.address.0, table.len));
        assert_eq!(header.signature.as_str().as_bytes(), table.signature);
    }

    let madt = tables.find_table::<Madt>().unwrap();
    // SAFETY: the handler maps a table with its whole length.
    unsafe { madt.get().header.validate(Signature::MADT) }.unwrap();
    assert_eq!(madt.get().supports_8259(), machine.pcat_compat);
    let entries: Vec<_> = madt.get().entries().map(|entry| as_ours(&entry)).collect();
    let bytes = samples::table(&topology, madt::len, madt::emit);
    let ours = acpi_gen::Madt::parse(&bytes).unwrap();
    let ours: Vec<_> = ours.entries().map(Result::unwrap).collect();
    assert_eq!(entries, ours);
    assert_eq!(
        entries.len(),
        machine.processors.len()
            + machine.io_apics.len()
            + machine.overrides.len()
            + machine.nmis.len()
    );
}

#[test]
fn it_reads_what_is_emitted() {
    for machine in [Machine::plain(1, 1), Machine::varied(300), Machine::plain(4096, 64)] {
        check(&machine, false);
        check(&machine, true);
    }
}
