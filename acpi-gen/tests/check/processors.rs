//! Findings of processors: ids, UIDs, and entries that count for nothing.

use super::*;

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
    let mut bytes = vec![0; 4096];
    let placed = TableSet::complete(&topology).unwrap().emit(&mut bytes, Gpa(0)).unwrap();
    let table = |signature| {
        let table = placed.table(signature).unwrap();
        bytes[table.offset..table.offset + table.len].to_vec()
    };
    let (madt, mut dsdt) = (table(madt::SIGNATURE), table(dsdt::SIGNATURE));
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
