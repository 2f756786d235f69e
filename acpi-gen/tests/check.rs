//! `check` against the rules of each consumer. The broken sets are made by
//! changing bytes of a good one, so that nothing in the emitters has a say.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test: an overflow or a wrong index is a failure of the test"
)]

use acpi_gen::check::{
    Consumer, Finding, Kind, MemoryKind, MemoryMapEntry, Severity, Tables, check,
};
use acpi_gen::*;

const GIB: u64 = 1 << 30;

/// Two nodes of two CPUs (APIC ids 0 to 3) and 2 GiB each, PXMs 0 and 1.
struct Set {
    fadt: Vec<u8>,
    dsdt: Vec<u8>,
    madt: Vec<u8>,
    srat: Vec<u8>,
    slit: Vec<u8>,
    map: Vec<MemoryMapEntry>,
    pvh_dom0: bool,
}

const CPU: usize = 24;
const MEMORY: usize = 40;
/// Offsets of the SRAT's two memory entries, behind four processors.
const MEM0: usize = 48 + 4 * CPU;
const MEM1: usize = MEM0 + MEMORY;

fn ram(start: u64, end: u64) -> MemoryMapEntry {
    let range = GpaRange::new(Gpa(start), Gpa(end)).unwrap();
    MemoryMapEntry { range, kind: MemoryKind::Ram }
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
        pvh_dom0: false,
    }
}

impl Set {
    fn resum(table: &mut [u8]) {
        table[9] = 0;
        table[9] = 0_u8.wrapping_sub(byte_sum(table));
    }

    fn findings(&self, consumer: Consumer) -> Vec<Finding> {
        let tables = Tables {
            fadt: Some(&self.fadt),
            dsdt: Some(&self.dsdt),
            madt: Some(&self.madt),
            srat: Some(&self.srat),
            slit: Some(&self.slit),
            memory_map: Some(&self.map),
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
fn the_seeds_boot_is_predicted_in_linuxs_words() {
    // dom0's log in the seed: 170175MB of 261441MB RAM outside of the SRAT.
    let mut set = good();
    const MIB: u64 = 1 << 20;
    set.map = vec![ram(0, 4096 * MIB), ram(8192 * MIB, (8192 + 261_441 - 4096) * MIB)];
    let covered = 261_441 - 170_175;
    put(&mut set.srat, MEM1 + 8, &(8192 * MIB).to_le_bytes());
    put(&mut set.srat, MEM1 + 16, &((covered - 2048) * MIB).to_le_bytes());
    Set::resum(&mut set.srat);
    let findings = set.findings(Linux);
    assert_eq!(findings.len(), 1);
    assert_eq!(
        findings[0].to_string(),
        "error: Linux: SRAT: 170175 of 261441 MiB RAM is in no node, from 0x80000000: \
         it will drop this SRAT (\"no nodes coverage for 170175MB of 261441MB RAM\"; \
         6.1: \"nodes only cover 91266MB of your 261441MB e820 RAM\")"
    );
}

#[test]
fn ram_in_no_node_costs_the_srat_or_the_boot() {
    let hole = |size: u64| {
        move |set: &mut Set| put(&mut set.srat, MEM0 + 16, &(2 * GIB - size).to_le_bytes())
    };
    let finding = |uncovered: u64| {
        let (ram, first) = (4 * GIB, 2 * GIB - uncovered);
        [(Err, Kind::NotCovered { uncovered, ram, first })]
    };
    // Linux forgives a mebibyte where it reads the SRAT, but 6.1, 6.12 and 7.2 die of any page of it.
    for uncovered in [4096, 1 << 20, (1 << 20) + 4096] {
        assert_eq!(broken(Linux, hole(uncovered)), finding(uncovered));
        assert_eq!(broken(Xen, hole(uncovered)), finding(uncovered));
    }
    let words = |uncovered: u64| {
        let mut set = good();
        hole(uncovered)(&mut set);
        Set::resum(&mut set.srat);
        set.findings(Linux)[0].to_string()
    };
    assert!(
        words(1 << 20).ends_with("it will take this SRAT and panic at boot (in free_area_init)")
    );
    assert!(words((1 << 20) + 4096).contains("it will drop this SRAT"));
}

#[test]
fn linux_never_takes_the_first_page_and_the_bios_area_for_ram() {
    let outside = |start: u64, size: u64| {
        move |set: &mut Set| {
            put(&mut set.srat, MEM0 + 8, &(start + size).to_le_bytes());
            put(&mut set.srat, MEM0 + 16, &(2 * GIB - start - size).to_le_bytes());
            set.map[0] = ram(start, 4 * GIB);
        }
    };
    assert_eq!(broken(Linux, outside(0, 4096)), []);
    assert_eq!(broken(Linux, outside(0xA_0000, 0x6_0000)), []);
    assert_eq!(broken(Linux, outside(0xA_0000, 0x6_1000)).len(), 1);
    assert_eq!(broken(Xen, outside(0, 4096)).len(), 1);
}

#[test]
fn xen_counts_holes_inside_a_node_as_covered() {
    // PXM 0 on both sides of a hole of 1 GiB that no entry names.
    let damage = |set: &mut Set| {
        put(&mut set.srat, MEM1 + 2, &[0]);
        put(&mut set.srat, MEM0 + 16, &GIB.to_le_bytes());
    };
    assert_eq!(broken(Xen, damage), []);
    assert!(matches!(broken(Linux, damage)[..], [(Err, Kind::NotCovered { .. })]));
}

#[test]
fn unusable_ranges_are_ram_to_a_pvh_dom0() {
    let damage = |set: &mut Set| {
        let range = GpaRange::new(Gpa(4 * GIB), Gpa(5 * GIB)).unwrap();
        set.map.push(MemoryMapEntry { range, kind: MemoryKind::Unusable });
    };
    assert_eq!(broken(Linux, damage), []);
    let dom0 = |set: &mut Set| {
        damage(set);
        set.pvh_dom0 = true;
    };
    let kind = Kind::NotCovered { uncovered: GIB, ram: 5 * GIB, first: 4 * GIB };
    assert_eq!(broken(Linux, dom0), [(Err, kind)]);
}

#[test]
fn overlap_costs_the_srat_between_nodes_only() {
    let overlap = |set: &mut Set| put(&mut set.srat, MEM1 + 8, &(2 * GIB - 4096).to_le_bytes());
    let kind = Kind::MemoryOverlap {
        start: 2 * GIB - 4096,
        end: 2 * GIB,
        first: ProximityDomain(0),
        second: ProximityDomain(1),
    };
    for consumer in [Linux, Xen] {
        assert_eq!(broken(consumer, overlap)[0], (Err, kind), "{consumer:?}");
        let same = broken(consumer, |set| {
            overlap(set);
            put(&mut set.srat, MEM1 + 2, &[0]);
        });
        assert!(matches!(same[0], (Note, Kind::MemoryOverlap { .. })), "{consumer:?}: {same:?}");
    }
}

#[test]
fn interleaving_costs_the_srat_in_xen_only() {
    // PXM 0: 0 to 1 GiB and 3 to 4 GiB; PXM 1 between them.
    let damage = |set: &mut Set| {
        put(&mut set.srat, MEM0 + 16, &GIB.to_le_bytes());
        put(&mut set.srat, MEM1 + 8, &GIB.to_le_bytes());
        let mut third = set.srat[MEM0..MEM0 + MEMORY].to_vec();
        put(&mut third, 8, &(3 * GIB).to_le_bytes());
        set.srat.extend(third);
        let len = set.srat.len() as u32;
        put(&mut set.srat, 4, &len.to_le_bytes());
    };
    assert_eq!(broken(Linux, damage), []);
    let kind = Kind::MemoryInterleaved {
        start: GIB,
        end: 3 * GIB,
        domain: ProximityDomain(1),
        around: ProximityDomain(0),
    };
    assert_eq!(broken(Xen, damage), [(Err, kind)]);
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
    let kind = Kind::NarrowDomains { revision: 1, domain: ProximityDomain(256) };
    assert!(broken(Linux, narrow).contains(&(Err, kind)));
    assert!(broken(Xen, narrow).contains(&(Err, kind)));
}

#[test]
fn memory_entries_that_count_for_nothing() {
    let zero = |set: &mut Set| put(&mut set.srat, MEM1 + 16, &[0; 8]);
    let found = broken(Linux, zero);
    assert_eq!(found[0], (Note, Kind::EmptyMemory { offset: MEM1 }));
    assert!(matches!(found[1], (Err, Kind::NotCovered { uncovered, .. }) if uncovered == 2 * GIB));
    let past = |set: &mut Set| put(&mut set.srat, MEM1 + 16, &u64::MAX.to_le_bytes());
    let kind = Kind::MemoryPastEnd { base: 2 * GIB, length: u64::MAX };
    assert_eq!(broken(Linux, past)[0], (Note, kind));
    let disabled = |set: &mut Set| {
        set.srat[MEM0 + 28] = 0;
        set.srat[MEM1 + 28] = 0;
    };
    assert_eq!(broken(Linux, disabled), [(Err, Kind::NoMemory)]);
    assert_eq!(broken(Xen, disabled), [(Err, Kind::NoMemory)]);
}

#[test]
fn more_memory_entries_than_there_is_room_for() {
    let many = |count: usize| {
        move |set: &mut Set| {
            let entry = set.srat[MEM1..MEM1 + MEMORY].to_vec();
            for n in 2..count as u64 {
                let mut entry = entry.clone();
                put(&mut entry, 8, &((4 + n) * GIB).to_le_bytes());
                put(&mut entry, 16, &GIB.to_le_bytes());
                set.srat.extend(entry);
            }
            let len = set.srat.len() as u32;
            put(&mut set.srat, 4, &len.to_le_bytes());
        }
    };
    assert_eq!(broken(Linux, many(2048)), []);
    let kind = |count, limit| [(Err, Kind::TooManyMemoryEntries { count, limit })];
    assert_eq!(broken(Linux, many(2049)), kind(2049, 2048));
    assert_eq!(broken(Xen, many(128)), []);
    assert_eq!(broken(Xen, many(129)), kind(129, 128));
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
    assert_eq!(broken(Linux, cell(1, 255)), []);
    assert_eq!(broken(Xen, cell(1, 255)), [(Note, Kind::Unreachable { pairs: 1 })]);
    assert_eq!(broken(Fwts, cell(1, 10)), []);
    assert_eq!(broken(Fwts, cell(2, 9)), [(Err, kind(1, 0, 9))]);
    assert_eq!(broken(Fwts, cell(3, 11)), [(Err, kind(1, 1, 11))]);
}

#[test]
fn processors_that_linux_does_not_take() {
    const ENTRY: usize = 16;
    let id = |cpu: usize, id: u32| {
        move |set: &mut Set| {
            put(&mut set.madt, 44 + cpu * ENTRY + 4, &id.to_le_bytes());
            put(&mut set.srat, 48 + cpu * CPU + 8, &id.to_le_bytes());
        }
    };
    assert_eq!(broken(Linux, id(3, 2)), [(Err, Kind::DuplicateApicId { id: ApicId(2) })]);
    let kind = Kind::ApicIdTooHigh { id: ApicId(32768), limit: 32768 };
    assert_eq!(broken(Linux, id(3, 32768))[0], (Err, kind));

    let none = |set: &mut Set| (0..4).for_each(|cpu| set.madt[44 + cpu * ENTRY + 8] = 0);
    assert_eq!(broken(Linux, none), [(Err, Kind::NoUsableProcessor)]);

    let swap = |set: &mut Set| {
        let (first, second) = set.madt[44..].split_at_mut(ENTRY);
        first.swap_with_slice(&mut second[..ENTRY]);
    };
    let kind = Kind::BootProcessorNotFirst { first: ApicId(1), lowest_uid: ApicId(0) };
    assert_eq!(broken(Linux, swap), [(Note, kind)]);

    let elsewhere = |set: &mut Set| put(&mut set.srat, 48 + CPU + 8, &[77]);
    let found = broken(Linux, elsewhere);
    let unknown = Kind::AffinityOfUnknownProcessor { count: 1, first: ApicId(77) };
    let without = Kind::ProcessorsWithoutNode { count: 1, first: ApicId(1) };
    assert_eq!(found, [(Note, unknown), (Note, without)]);
}

#[test]
fn room_for_cpus_to_come_may_repeat_an_id() {
    // As firmware has it that lists "lapic_id[0x00] disabled" for each empty socket; the
    // FADT of ACPI 6.2 knows no online-capable flag.
    let placeholder = |set: &mut Set| {
        set.fadt[131] = 2;
        set.madt[8] = 4;
        set.madt.extend([9, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0]);
        let len = set.madt.len() as u32;
        put(&mut set.madt, 4, &len.to_le_bytes());
    };
    for consumer in Consumer::ALL {
        assert_eq!(broken(consumer, placeholder), [], "{consumer:?}");
    }
}

#[test]
fn type_9_below_255_counts_for_nothing_beside_type_0() {
    // A type 0 entry for a fifth CPU, id 9.
    let beside = |id: u8| {
        move |set: &mut Set| {
            set.madt.extend([0, 8, 9, id, 1, 0, 0, 0]);
            let len = set.madt.len() as u32;
            put(&mut set.madt, 4, &len.to_le_bytes());
        }
    };
    let kind = Kind::X2ApicIgnored { count: 4, first: ApicId(0) };
    assert_eq!(broken(Linux, beside(9))[0], (Note.max(Err), kind));
    // Entry 0xFF means "ignore": no usable type 0 entry.
    assert_eq!(broken(Linux, beside(0xFF)), []);
}

#[test]
fn sums_cost_a_test_in_fwts_and_a_warning_elsewhere() {
    let mut set = good();
    set.slit[9] ^= 0x40;
    let sum = byte_sum(&set.slit);
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

#[test]
fn scratch_is_asked_for_before_anything_is_said() {
    let set = good();
    let tables = Tables { madt: Some(&set.madt), ..Tables::default() };
    let result = check(&tables, Linux, &mut [0; 7], |_| panic!("reported"));
    assert_eq!(result, Result::Err(Error::ScratchTooSmall { needed: 8, have: 7 }));
}

#[test]
fn linux_says_what_hot_plug_needs() {
    let found = broken(Linux, |set| put(&mut set.srat, MEM1 + 28, &[3]));
    assert_eq!(found, [(Note, Kind::HotPluggable { count: 1, base: 2 * GIB })]);
}

#[test]
fn linux_needs_more_for_ids_above_those_of_xapic_mode() {
    for (id, beyond) in [(254_u32, false), (255, true), (4096, true)] {
        let found = broken(Linux, |set| {
            put(&mut set.madt, 44 + 3 * 16 + 4, &id.to_le_bytes());
            put(&mut set.srat, 48 + 3 * CPU + 8, &id.to_le_bytes());
        });
        let highest = ApicId(id);
        let notes = [
            (Note, Kind::ApicIdNeedsRemapping { count: 1, highest }),
            (Note, Kind::AffinityNeedsX2Apic { count: 1, highest }),
        ];
        assert_eq!(found, if beyond { &notes[..] } else { &[] }, "{id}");
    }
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

/// fwts on such sets: "X2APIC has no matching processor UID", for enabled entries alone.
#[test]
fn fwts_wants_a_device_for_each_enabled_processor() {
    let uid = |cpu: usize| 44 + cpu * 16 + 12;
    let found = broken(Fwts, |set| {
        put(&mut set.madt, uid(2), &[9]);
        put(&mut set.madt, uid(3), &0x1_0001_u32.to_le_bytes());
    });
    let first = ProcessorUid(9);
    assert_eq!(found, [(Err, Kind::UidWithoutDevice { count: 2, first })]);

    let absent = broken(Fwts, |set| {
        put(&mut set.madt, uid(2), &[9]);
        put(&mut set.madt, 44 + 2 * 16 + 8, &[0]);
    });
    assert_eq!(absent, []);
    // AML that another made would have to be run.
    let others = broken(Fwts, |set| {
        put(&mut set.madt, uid(2), &[9]);
        put(&mut set.dsdt, 28, b"INTL");
        Set::resum(&mut set.dsdt);
    });
    assert_eq!(others, []);
}

/// Every form of an AML integer, as `emit` writes them.
#[test]
fn devices_with_uids_of_every_size_are_found() {
    let uids = [0, 1, 2, 0xFF, 0x100, 0xFFFF, 0x1_0000, u32::MAX - 1];
    let processors = uids.map(|uid| Processor {
        uid: ProcessorUid(uid),
        apic_id: ApicId(uid),
        domain: None,
        state: ProcessorState::Enabled,
    });
    let description = Description { processors: &processors, ..Description::EMPTY };
    let topology = Topology::new(description, &mut [0; 8]).unwrap();
    let (mut madt, mut dsdt) = (vec![0; 4096], vec![0; 4096]);
    madt::emit(&topology, &mut madt).unwrap();
    dsdt::emit(&topology, &mut dsdt).unwrap();
    let judge = |dsdt: &[u8]| {
        let tables = Tables { madt: Some(&madt), dsdt: Some(dsdt), ..Tables::default() };
        let mut found = Vec::new();
        let mut scratch = vec![0; tables.scratch_len()];
        check(&tables, Fwts, &mut scratch, |finding| found.push(finding.kind)).unwrap();
        found
    };
    assert_eq!(judge(&dsdt), []);
    let at = dsdt.windows(8).position(|window| window == b"ACPI0007").unwrap();
    dsdt[at] = b'X';
    Set::resum(&mut dsdt);
    let first = ProcessorUid(0);
    assert_eq!(judge(&dsdt), [Kind::UidWithoutDevice { count: 1, first }]);
}
