//! Each variant of the error comes back, with its numbers, from the defect that
//! it names, and no variant is left out.

use std::collections::BTreeSet;

use acpi_gen::{
    ApicId, Description, Distance, Entries, Error, Gpa, GpaRange, InterruptOverride, IoApic,
    KnownTable, LocalNmi, Madt, NmiForm, NmiTarget, Polarity, Processor, ProcessorState,
    ProcessorUid, ProximityDomain, Revisions, Rsdp, Slit, Srat, Table, TableSet, Topology, Trigger,
    slit,
};

use crate::bytes::Shown;
use crate::samples::{Machine, memory, processor};

/// A change that makes a good machine a bad one.
fn broken(change: impl FnOnce(&mut Machine)) -> Error {
    let mut machine = Machine::plain(4, 2);
    change(&mut machine);
    machine.topology().map(|_| ()).unwrap_err()
}

fn distances(domains: &[u32], values: &[u32]) -> Error {
    broken(|machine| {
        machine.domains = domains.iter().map(|domain| ProximityDomain(*domain)).collect();
        machine.distances = values.iter().map(|value| Distance::clamped(*value)).collect();
    })
}

fn range(start: u64, end: u64) -> GpaRange {
    GpaRange::new(Gpa(start), Gpa(end)).unwrap()
}

fn nmi(target: NmiTarget, lint: u8, form: NmiForm) -> LocalNmi {
    let (polarity, trigger) = (Polarity::Conforming, Trigger::Conforming);
    LocalNmi { target, lint, polarity, trigger, form }
}

const fn uid(number: u32) -> ProcessorUid {
    ProcessorUid(number)
}

const fn pxm(number: u32) -> ProximityDomain {
    ProximityDomain(number)
}

/// Errors of ranges and descriptions, each beside what it must be.
fn of_descriptions() -> Vec<(Error, Error)> {
    let io_apic = |id, address| IoApic { id, address, gsi_base: 0 };
    let isa = |source| InterruptOverride {
        source,
        gsi: 9,
        polarity: Polarity::Low,
        trigger: Trigger::Level,
    };
    vec![
        (
            GpaRange::new(Gpa(2), Gpa(2)).unwrap_err(),
            Error::RangeEmpty { start: Gpa(2), end: Gpa(2) },
        ),
        (
            GpaRange::with_size(Gpa(2), u64::MAX).unwrap_err(),
            Error::RangePastEnd { start: Gpa(2), size: u64::MAX },
        ),
        (broken(|m| m.processors.clear()), Error::NoProcessors),
        (
            broken(|m| m.processors[0].state = ProcessorState::OnlineCapable),
            Error::BootProcessorAbsent { uid: uid(0) },
        ),
        (
            broken(|m| m.processors[3].uid = uid(1)),
            Error::DuplicateUid { uid: uid(1), first: 1, second: 3 },
        ),
        (
            broken(|m| m.processors[2].apic_id = ApicId(0)),
            Error::DuplicateApicId { id: ApicId(0), first: 0, second: 2 },
        ),
        (
            broken(|m| m.processors[2].apic_id = ApicId(u32::MAX)),
            Error::ReservedApicId { index: 2, id: ApicId(u32::MAX) },
        ),
        (
            broken(|m| {
                m.entries = Entries::Hybrid;
                m.processors.push(processor(256, 254, 0));
            }),
            Error::UidTooLargeForType0 { index: 4, uid: uid(256), id: ApicId(254) },
        ),
        (
            broken(|m| m.memory.swap(0, 1)),
            Error::MemoryNotAscending {
                index: 1,
                range: range(0, 1 << 30),
                previous: range(1 << 30, 2 << 30),
            },
        ),
        (
            broken(|m| m.memory[1] = memory(1, 0x3FFF_FFFF, 2)),
            Error::MemoryOverlap {
                index: 1,
                first: range(0, 1 << 30),
                second: range(0x3FFF_FFFF, 0x4000_0001),
            },
        ),
        (distances(&[1, 1], &[10; 4]), Error::DistancesNotAscending { index: 1, domain: pxm(1) }),
        (distances(&[0, 1], &[10; 3]), Error::DistancesNotSquare { domains: 2, entries: 3 }),
        (distances(&[0, 2], &[10, 20, 20, 10]), Error::DistanceOfUnknownDomain { domain: pxm(2) }),
        (
            distances(&[0, 1], &[10, 9, 20, 10]),
            Error::DistanceReserved { from: pxm(0), to: pxm(1), value: 9 },
        ),
        (
            distances(&[0, 1], &[10, 20, 20, 11]),
            Error::DiagonalNotLocal { domain: pxm(1), value: 11 },
        ),
        (
            distances(&[0, 1], &[10, 20, 10, 10]),
            Error::RemoteAtLocalDistance { from: pxm(1), to: pxm(0) },
        ),
        (
            broken(|m| m.processors[3].domain = Some(pxm(65_535))),
            Error::TooManyLocalities { domain: pxm(65_535), max: pxm(65_534) },
        ),
        (
            broken(|m| m.io_apics = vec![io_apic(3, 1), io_apic(3, 2)]),
            Error::DuplicateIoApicId { index: 1, id: 3 },
        ),
        (broken(|m| m.io_apics = vec![io_apic(3, 0)]), Error::IoApicAddressZero { index: 0 }),
        (
            broken(|m| m.overrides = vec![isa(9), isa(8), isa(9)]),
            Error::DuplicateOverride { index: 2, source: 9 },
        ),
        (
            broken(|m| m.nmis = vec![nmi(NmiTarget::All, 2, NmiForm::AsProcessors)]),
            Error::NmiLint { index: 0, lint: 2 },
        ),
        (
            broken(|m| m.nmis = vec![nmi(NmiTarget::Uid(uid(4)), 1, NmiForm::AsProcessors)]),
            Error::NmiOfUnknownProcessor { index: 0, uid: uid(4) },
        ),
        (
            broken(|m| {
                m.processors.push(processor(255, 500, 0));
                m.nmis = vec![nmi(NmiTarget::Uid(uid(255)), 1, NmiForm::LocalApic)];
            }),
            Error::NmiUidTooLarge { index: 0, uid: uid(255), max: uid(254) },
        ),
        (
            Topology::new(Machine::plain(4, 2).description(), &mut [0; 3]).map(|_| ()).unwrap_err(),
            Error::ScratchTooSmall { needed: 4, have: 3 },
        ),
    ]
}

/// Errors of emitting and of buffers.
fn of_emitters() -> Vec<(Error, Error)> {
    let machine = Machine::plain(4, 2);
    let topology = machine.valid();
    let set = TableSet::complete(&topology).unwrap();
    let needed = set.len().unwrap();
    let with_other_fadt = Machine { revisions: Revisions::MadtOf(4), ..Machine::plain(4, 2) };
    let many = Machine::plain(16_777_217, 1);
    vec![
        (
            TableSet::complete(&many.valid()).unwrap().len().unwrap_err(),
            Error::TooManyProcessorDevices { processors: 16_777_217, max: 16_777_216 },
        ),
        (TableSet::complete(&with_other_fadt.valid()).map(|_| ()).unwrap_err(), Error::FadtNotOurs),
        (
            set.emit(&mut vec![0; needed - 1], Gpa(0)).map(|_| ()).unwrap_err(),
            Error::BufferTooSmall { needed, have: needed - 1 },
        ),
        (
            set.place(Gpa(32)).map(|_| ()).unwrap_err(),
            Error::BaseMisaligned { base: Gpa(32), align: 64 },
        ),
    ]
}

/// Errors of readers.
fn of_readers() -> Vec<(Error, Error)> {
    let header = |signature: &[u8; 4], len: u8| {
        let mut bytes = vec![0; usize::from(len.max(64))];
        bytes[..4].copy_from_slice(signature);
        bytes[4] = len;
        bytes
    };
    let madt = |entry: [u8; 2]| {
        let mut bytes = header(b"APIC", 46);
        bytes[44..46].copy_from_slice(&entry);
        Madt::parse(&bytes).unwrap().entries().next().unwrap().unwrap_err()
    };
    let mut slit = header(b"SLIT", 47);
    slit[36] = 2;
    vec![
        (
            Table::parse(&header(b"ABCD", 200)[..100]).map(|_| ()).unwrap_err(),
            Error::TableTruncated { signature: *b"ABCD", needed: 200, have: 100 },
        ),
        (
            Table::parse(&header(b"ABCD", 35)).map(|_| ()).unwrap_err(),
            Error::TableLength { signature: *b"ABCD", len: 35, min: 36 },
        ),
        (
            Srat::parse(&header(b"SRAT", 47)).map(|_| ()).unwrap_err(),
            Error::TableLength { signature: *b"SRAT", len: 47, min: 48 },
        ),
        (
            Shown::of(KnownTable::Facs, &header(b"FACT", 64)).map(|_| ()).unwrap_err(),
            Error::WrongSignature { expected: *b"FACS", found: *b"FACT" },
        ),
        (Rsdp::parse(b"RSD PTR").map(|_| ()).unwrap_err(), Error::NotAnRsdp),
        (
            madt([9, 1]),
            Error::EntryLength { signature: *b"APIC", offset: 44, kind: 9, len: 1, needed: 2 },
        ),
        (
            madt([9, 16]),
            Error::EntryPastEnd { signature: *b"APIC", offset: 44, kind: 9, len: 16, have: 2 },
        ),
        (Slit::parse(&slit).map(|_| ()).unwrap_err(), Error::SlitSize { localities: 2, have: 3 }),
    ]
}

#[test]
fn each_defect_has_its_variant_with_its_numbers() {
    let mut seen = BTreeSet::new();
    for (error, expected) in [of_descriptions(), of_emitters(), of_readers()].concat() {
        assert_eq!(error, expected);
        assert!(error.to_string().len() > 10, "{error:?}");
        let name = format!("{error:?}");
        seen.insert(name.split([' ', '{']).next().unwrap().to_owned());
    }
    // Its table has 4 GiB: xsdt.rs tests it.
    seen.insert("TableTooLarge".to_owned());
    // The enum is non-exhaustive: no match from outside shows that none is missing.
    let declared: BTreeSet<_> = Error::RULES.iter().map(|rule| rule.name.to_owned()).collect();
    assert_eq!(seen, declared);
}

#[test]
fn a_description_out_of_nothing_is_refused() {
    assert_eq!(Topology::new(Description::EMPTY, &mut []).unwrap_err(), Error::NoProcessors);
}

#[test]
fn the_highest_values_are_taken() {
    let mut machine = Machine::plain(1, 1);
    machine.processors[0] =
        Processor { apic_id: ApicId(u32::MAX - 1), ..processor(u32::MAX, 0, 0) };
    machine.memory = vec![memory(0, u64::MAX - 1, 1)];
    machine.domains = vec![pxm(0)];
    machine.distances = vec![Distance::LOCAL];
    machine.valid();
    machine.processors[0].domain = Some(pxm(65_534));
    // A header, the number of localities, and a byte for each pair.
    assert_eq!(slit::len(&machine.valid()), Ok(36 + 8 + 65_535 * 65_535));
}
