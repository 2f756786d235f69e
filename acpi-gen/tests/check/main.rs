//! `check` against the rules of each consumer. The broken sets are made by
//! changing bytes of a good one, so that nothing in the emitters has a say.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test: an overflow or a wrong index is a failure of the test"
)]

mod fwts;
mod memory;
mod overlap;
mod processors;

use acpi_gen::check::{Consumer, Finding, Kind, Severity, Tables, check};
use acpi_gen::*;

const GIB: u64 = 1 << 30;

/// Two nodes of two CPUs (APIC ids 0 to 3) and 2 GiB each, PXMs 0 and 1.
struct Set {
    fadt: Vec<u8>,
    dsdt: Vec<u8>,
    madt: Vec<u8>,
    srat: Vec<u8>,
    slit: Vec<u8>,
    map: Vec<E820Entry>,
    has_map: bool,
    boot_processor: Option<ApicId>,
    pvh_dom0: bool,
}

const CPU: usize = 24;
const MEMORY: usize = 40;
/// Offsets of the SRAT's two memory entries, behind four processors.
const MEM0: usize = 48 + 4 * CPU;
const MEM1: usize = MEM0 + MEMORY;

fn ram(start: u64, end: u64) -> E820Entry {
    let range = GpaRange::new(Gpa(start), Gpa(end)).unwrap();
    E820Entry { range, kind: E820Type::RAM }
}

fn good() -> Set {
    let processors: Vec<_> = (0..4)
        .map(|n| Processor {
            uid: ProcessorUid(n),
            apic_id: ApicId(n),
            domain: Some(ProximityDomain(n / 2)),
            state: ProcessorState::Enabled,
        })
        .collect();
    let memory = [0, 1].map(|n| MemoryRange {
        range: GpaRange::with_size(Gpa(u64::from(n) * 2 * GIB), 2 * GIB).unwrap(),
        domain: ProximityDomain(n),
        hot_pluggable: false,
        non_volatile: false,
    });
    let description =
        Description { processors: &processors, memory: &memory, ..Description::EMPTY };
    let topology = Topology::new(description, &mut [0; 4]).unwrap();
    let set = TableSet::complete(&topology).unwrap();
    let mut buffer = vec![0; set.len().unwrap()];
    let placed = set.emit(&mut buffer, Gpa(0)).unwrap();
    let table = |signature| {
        let table = placed.table(signature).unwrap();
        buffer[table.offset..][..table.len].to_vec()
    };
    Set {
        fadt: table(fadt::SIGNATURE),
        dsdt: table(dsdt::SIGNATURE),
        madt: table(madt::SIGNATURE),
        srat: table(srat::SIGNATURE),
        slit: table(slit::SIGNATURE),
        map: vec![ram(0, 4 * GIB)],
        has_map: true,
        boot_processor: None,
        pvh_dom0: false,
    }
}

impl Set {
    fn resum(table: &mut [u8]) {
        table[9] = 0;
        table[9] = 0_u8.wrapping_sub(table.iter().fold(0, |sum, byte| sum.wrapping_add(*byte)));
    }

    fn findings(&self, consumer: Consumer) -> Vec<Finding> {
        let tables = Tables {
            fadt: Some(&self.fadt),
            dsdt: Some(&self.dsdt),
            madt: Some(&self.madt),
            srat: Some(&self.srat),
            slit: Some(&self.slit),
            memory_map: self.has_map.then_some(&self.map),
            boot_processor: self.boot_processor,
            pvh_dom0: self.pvh_dom0,
            ..Tables::default()
        };
        let mut scratch = vec![0; tables.scratch_len()];
        let mut findings = Vec::new();
        check(&tables, consumer, &mut scratch, |finding| findings.push(finding)).unwrap();
        findings
    }

    /// Severity and kind of what one consumer finds after its tables' sums are mended.
    fn judge(mut self, consumer: Consumer) -> Vec<(Severity, Kind)> {
        for table in [&mut self.fadt, &mut self.madt, &mut self.srat, &mut self.slit] {
            Self::resum(table);
        }
        self.findings(consumer).into_iter().map(|found| (found.severity, found.kind)).collect()
    }
}

fn broken(consumer: Consumer, damage: impl Fn(&mut Set)) -> Vec<(Severity, Kind)> {
    let mut set = good();
    damage(&mut set);
    set.judge(consumer)
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

use Consumer::{Fwts, Linux, Xen};
use Severity::{Error as Err, Note};

#[test]
fn a_good_set_has_no_findings() {
    for consumer in Consumer::ALL {
        assert_eq!(good().judge(consumer), [], "{consumer:?}");
    }
}

#[test]
fn proximity_domains_that_do_not_fit() {
    let pxm = |domain: u32| {
        move |set: &mut Set| {
            put(&mut set.srat, MEM1 + 2, &domain.to_le_bytes());
            for cpu in [2, 3] {
                put(&mut set.srat, 48 + cpu * CPU + 4, &domain.to_le_bytes());
            }
        }
    };
    let too_high = Kind::DomainTooHigh { domain: ProximityDomain(1024), limit: 1024 };
    let slit = Kind::SlitTooSmall { localities: 2, domain: ProximityDomain(1024) };
    assert_eq!(broken(Linux, pxm(1024)), [(Err, too_high), (Note, slit)]);
    let slit = Kind::SlitTooSmall { localities: 2, domain: ProximityDomain(1023) };
    assert_eq!(broken(Linux, pxm(1023)), [(Note, slit)]);
    assert_eq!(broken(Xen, pxm(1023)), [(Err, slit)]);
    // Revision 1 holds 8 bits: 256 becomes 0.
    let narrow = |set: &mut Set| {
        pxm(256)(set);
        set.srat[8] = 1;
    };
    // The highest that 8 bits hold, and a revision that reads all 32.
    for (revision, domain) in [(1, 255), (2, 256)] {
        for consumer in [Linux, Xen] {
            let found = broken(consumer, |set| {
                pxm(domain)(set);
                set.srat[8] = revision;
            });
            let narrow = |kind: &Kind| matches!(kind, Kind::NarrowDomains { .. });
            assert!(!found.iter().any(|(_, kind)| narrow(kind)), "{found:?}");
        }
    }
    let kind = Kind::NarrowDomains { revision: 1, domain: ProximityDomain(256) };
    assert!(broken(Linux, narrow).contains(&(Err, kind)));
    assert!(broken(Xen, narrow).contains(&(Err, kind)));
}

#[test]
fn distances_for_which_the_slit_is_dropped() {
    let cell = |at: usize, value: u8| move |set: &mut Set| set.slit[44 + at] = value;
    let kind = |from, to, value| {
        let (from, to) = (ProximityDomain(from), ProximityDomain(to));
        Kind::Distance { from, to, value }
    };
    for consumer in [Linux, Xen] {
        assert_eq!(broken(consumer, cell(1, 10)), [(Err, kind(0, 1, 10))]);
        assert_eq!(broken(consumer, cell(2, 0)), [(Err, kind(1, 0, 0))]);
        assert_eq!(broken(consumer, cell(3, 11)), [(Err, kind(1, 1, 11))]);
    }
    // The first is reported alone.
    let two = |set: &mut Set| (set.slit[45], set.slit[46]) = (9, 8);
    for consumer in [Linux, Xen] {
        assert_eq!(broken(consumer, two), [(Err, kind(0, 1, 9))]);
    }
    assert_eq!(broken(Linux, cell(1, 255)), []);
    assert_eq!(broken(Xen, cell(1, 255)), [(Note, Kind::Unreachable { pairs: 1 })]);
    assert_eq!(broken(Fwts, cell(1, 10)), []);
    assert_eq!(broken(Fwts, cell(2, 9)), [(Err, kind(1, 0, 9))]);
    assert_eq!(broken(Fwts, cell(3, 11)), [(Err, kind(1, 1, 11))]);
}

#[test]
fn sums_cost_a_test_in_fwts_and_a_warning_elsewhere() {
    let mut set = good();
    set.slit[9] ^= 0x40;
    let sum = set.slit.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
    let kind = Kind::Checksum { signature: *b"SLIT", sum };
    for (consumer, severity) in [(Linux, Note), (Xen, Note), (Fwts, Err)] {
        assert_eq!(set.findings(consumer), [Finding { consumer, severity, kind }]);
    }
}

#[test]
fn entries_cut_short_or_too_long() {
    let short = |set: &mut Set| set.srat[MEM1 + 1] = 39;
    assert!(matches!(
        broken(Linux, short)[0],
        (Err, Kind::Unreadable(Error::EntryLength { kind: 1, len: 39, needed: 40, .. }))
    ));
    let long = |set: &mut Set| {
        set.srat[MEM1 + 1] = 48;
        set.srat.extend([0; 8]);
        let len = set.srat.len() as u32;
        put(&mut set.srat, 4, &len.to_le_bytes());
    };
    assert_eq!(broken(Linux, long), []);
    let kind = Kind::EntryTooLong { signature: *b"SRAT", offset: MEM1, len: 48, exact: 40 };
    assert_eq!(broken(Xen, long), [(Err, kind)]);
    assert_eq!(broken(Fwts, long), [(Err, kind)]);
    let zero = |set: &mut Set| set.srat[MEM1 + 1] = 0;
    for consumer in Consumer::ALL {
        assert!(matches!(broken(consumer, zero)[0], (Err, Kind::Unreadable(_))));
    }
}

#[test]
fn what_fwts_reserves() {
    let revision = |set: &mut Set| set.madt[8] = 5;
    let kind = Kind::RevisionPair { madt: 5, fadt: (6, 5) };
    assert_eq!(broken(Fwts, revision), [(Err, kind)]);
    let kind = |kind| move |set: &mut Set| set.madt[44 + 3 * 16] = kind;
    let reserved = |kind| [(Err, Kind::ReservedType { offset: 44 + 3 * 16, kind })];
    assert_eq!(broken(Fwts, kind(0x1C)), reserved(0x1C));
    assert_eq!(broken(Fwts, kind(0x7F)), reserved(0x7F));
    assert_eq!(broken(Fwts, kind(0x80)), []);
    assert_eq!(broken(Fwts, kind(0x1B)), []);
    let flags = |set: &mut Set| set.madt[44 + 8] = 3;
    let kind = Kind::ProcessorFlags { offset: 44, flags: 3, revision: 6 };
    assert_eq!(broken(Fwts, flags), [(Err, kind)]);
    let reserved = |signature, offset| [(Err, Kind::Reserved { signature, offset })];
    assert_eq!(broken(Fwts, |set| set.madt[44 + 2] = 1), reserved(*b"APIC", 44));
    assert_eq!(broken(Fwts, |set| set.madt[40] = 2), reserved(*b"APIC", 40));
    assert_eq!(broken(Fwts, |set| set.srat[36] = 0), reserved(*b"SRAT", 36));
    assert_eq!(broken(Fwts, |set| set.srat[48 + 2] = 1), reserved(*b"SRAT", 48));
    assert_eq!(broken(Fwts, |set| set.srat[MEM0 + 28] = 0x11), reserved(*b"SRAT", MEM0));
}

/// What fwts 26.09 itself says of MADT revisions 1 to 8 with each FADT version: "=" in
/// sync, "x" not in sync, "-" the test is aborted.
#[test]
fn revisions_that_belong_together_are_those_of_fwts() {
    for (major, minor, expected) in [
        (1, 0, "=-------"),
        (2, 0, "x-------"),
        (3, 0, "=-------"),
        (4, 0, "x==-----"),
        (5, 0, "xx=-----"),
        (5, 1, "xx=-----"),
        (5, 2, "xxx-----"),
        (6, 0, "xx==----"),
        (6, 1, "xxx=----"),
        (6, 2, "xxx=----"),
        (6, 3, "xxxx=---"),
        (6, 4, "xxxx=---"),
        (6, 5, "xxxxx=--"),
        (6, 6, "xxxxxx=-"),
        (6, 7, "xxxxxxx-"),
        (7, 0, "--------"),
        (8, 0, "--------"),
    ] {
        let said: String = (1..=8)
            .map(|revision| {
                let found = broken(Fwts, |set| {
                    (set.fadt[8], set.fadt[131], set.madt[8]) = (major, minor, revision);
                });
                match found[..] {
                    [] => '=',
                    [(Err, Kind::RevisionPair { .. })] => 'x',
                    [(Err, Kind::NoRevisionPair { .. })] => '-',
                    _ => '?',
                }
            })
            .collect();
        assert_eq!(said, expected, "FADT {major}.{minor}");
    }
}

#[test]
fn scratch_is_asked_for_before_anything_is_said() {
    let set = good();
    let tables = Tables { madt: Some(&set.madt), ..Tables::default() };
    let result = check(&tables, Linux, &mut [0; 7], |_| panic!("reported"));
    assert_eq!(result, Result::Err(Error::ScratchTooSmall { needed: 8, have: 7 }));
}

#[test]
fn linux_takes_the_first_of_several() {
    let set = good();
    let repeated = [*b"SSDT", madt::SIGNATURE, slit::SIGNATURE];
    let tables = Tables {
        madt: Some(&set.madt),
        srat: Some(&set.srat),
        slit: Some(&set.slit),
        repeated: &repeated,
        ..Tables::default()
    };
    let mut found = Vec::new();
    let mut scratch = vec![0; tables.scratch_len()];
    check(&tables, Linux, &mut scratch, |finding| found.push((finding.severity, finding.kind)))
        .unwrap();
    let several = |signature| (Err, Kind::SeveralTables { signature });
    assert_eq!(found, [several(madt::SIGNATURE), several(slit::SIGNATURE)]);
}
