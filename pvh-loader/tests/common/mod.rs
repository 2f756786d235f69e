//! A small guest for the tests of placement.

use std::fs;

use acpi_gen::*;
use pvh_loader::{E820Entry, E820Type};

pub(crate) const MIB: u64 = 1 << 20;

pub(crate) fn image(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/images/");
    fs::read(folder.to_owned() + name).unwrap()
}

pub(crate) fn range(start: u64, end: u64) -> GpaRange {
    GpaRange::new(Gpa(start), Gpa(end)).unwrap()
}

pub(crate) fn region(start: u64, end: u64, kind: E820Type) -> E820Entry {
    E820Entry { range: range(start, end), kind }
}

/// A machine like QEMU's: low memory, a hole for the legacy ROMs, RAM from 1 MiB.
pub(crate) fn machine(top: u64) -> Vec<E820Entry> {
    vec![
        region(0, 0x9_FC00, E820Type::RAM),
        region(0x9_FC00, 0xA_0000, E820Type::RESERVED),
        region(0xF_0000, 0x10_0000, E820Type::RESERVED),
        region(0x10_0000, top, E820Type::RAM),
        region(0xFFFC_0000, 0x1_0000_0000, E820Type::RESERVED),
        region(0x1_0000_0000, 0x1_8000_0000, E820Type::RAM),
    ]
}

/// Runs `test` on the tables of two nodes with a processor each.
pub(crate) fn with_tables<T>(test: impl FnOnce(TableSet<'_>) -> T) -> T {
    let processors = [0, 1].map(|number| Processor {
        uid: ProcessorUid(number),
        apic_id: ApicId(number),
        domain: Some(ProximityDomain(number)),
        state: ProcessorState::Enabled,
    });
    let memory =
        [(0, 0x8000_0000, 0), (0x1_0000_0000, 0x1_8000_0000, 1)].map(|(start, end, pxm)| {
            MemoryRange {
                range: range(start, end),
                domain: ProximityDomain(pxm),
                hot_pluggable: false,
                non_volatile: false,
            }
        });
    let description =
        Description { processors: &processors, memory: &memory, ..Description::EMPTY };
    let mut scratch = [0; 2];
    let topology = Topology::new(description, &mut scratch).unwrap();
    test(TableSet::complete(&topology).unwrap())
}
