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
    let kind = Kind::BootProcessorNotFirst { first: ApicId(1), boot: ApicId(0) };
    assert_eq!(broken(Linux, swap), [(Note, kind)]);

    let elsewhere = |set: &mut Set| put(&mut set.srat, 48 + CPU + 8, &[77]);
    let found = broken(Linux, elsewhere);
    let unknown = Kind::AffinityOfUnknownProcessor { count: 1, first: ApicId(77) };
    let without = Kind::ProcessorsWithoutNode { count: 1, first: ApicId(1) };
    assert_eq!(found, [(Note, unknown), (Note, without)]);
}

/// As 6.12 boots: the APIC id of the CPU that boots matters, and no UID does.
#[test]
fn the_boot_processor_is_known_by_its_apic_id() {
    let uids_descend =
        |set: &mut Set| (0..4).for_each(|cpu| set.madt[44 + cpu * 16 + 12] = 9 - cpu as u8);
    assert_eq!(broken(Linux, uids_descend), []);
    let boot = |id: u32| move |set: &mut Set| set.boot_processor = Some(ApicId(id));
    let kind = Kind::BootProcessorNotFirst { first: ApicId(0), boot: ApicId(2) };
    assert_eq!(broken(Linux, boot(2)), [(Note, kind)]);
    assert_eq!(broken(Linux, boot(0)), []);
    // No CPU has the id that is assumed: another one boots.
    assert_eq!(broken(Linux, boot(7)), []);
    // A disabled entry does not come first.
    let disabled = |set: &mut Set| {
        set.madt[44 + 8] = 0;
        boot(1)(set);
    };
    assert!(
        broken(Linux, disabled)
            .iter()
            .all(|(_, kind)| !matches!(kind, Kind::BootProcessorNotFirst { .. }))
    );
}

/// Puts MADT entries behind the others.
pub(super) fn extend(set: &mut Set, entries: &[u8]) {
    set.madt.extend(entries);
    let len = set.madt.len() as u32;
    put(&mut set.madt, 4, &len.to_le_bytes());
}

pub(super) fn io_apic(id: u8, address: u32, gsi_base: u32) -> Vec<u8> {
    [&[1, 12, id, 0][..], &address.to_le_bytes(), &gsi_base.to_le_bytes()].concat()
}

/// As 6.12 boots: "address 0xfec00000 conflicts with IOAPIC0", "GSI range [0-23] for new
/// IOAPIC conflicts with GSI[0-23]".
#[test]
fn linux_loses_an_io_apic_that_conflicts_with_another() {
    let second = |address: u32, gsi_base: u32| {
        broken(Linux, |set| {
            extend(set, &io_apic(7, 0xFEC0_0000, 0));
            extend(set, &io_apic(8, address, gsi_base));
        })
    };
    assert_eq!(second(0xFEC0_1000, 24), []);
    let kind = Kind::IoApicAddress { id: 8, address: 0xFEC0_0000 };
    assert_eq!(second(0xFEC0_0000, 24), [(Err, kind)]);
    assert_eq!(second(0, 24), [(Err, Kind::IoApicAddress { id: 8, address: 0 })]);
    let gsi = |gsi_base| Kind::IoApicGsi { id: 8, gsi_base, other: 0 };
    assert_eq!(second(0xFEC0_1000, 0), [(Err, gsi(0))]);
    // How many inputs an I/O APIC has is not in the table.
    assert_eq!(second(0xFEC0_1000, 23), [(Note, gsi(23))]);
    // The third is compared with those that Linux uses.
    let third = broken(Linux, |set| {
        for (id, gsi_base) in [(7, 0), (8, 24), (9, 48)] {
            extend(
                set,
                &io_apic(
                    id,
                    if id == 8 { 0xFEC0_0000 } else { 0xFEC0_0000 + u32::from(id - 7) },
                    gsi_base,
                ),
            );
        }
        extend(set, &io_apic(10, 0xFEC0_5000, 24));
    });
    assert_eq!(third, [(Err, Kind::IoApicAddress { id: 8, address: 0xFEC0_0000 })]);
    // One that only may overlap is used; the nearest is named.
    let used = broken(Linux, |set| {
        for (id, gsi_base) in [(7, 0), (8, 24), (9, 20)] {
            extend(set, &io_apic(id, 0xFEC0_0000 + u32::from(id), gsi_base));
        }
        extend(set, &io_apic(10, 0xFEC0_0009, 100));
    });
    let near = Kind::IoApicGsi { id: 9, gsi_base: 20, other: 24 };
    let address = Kind::IoApicAddress { id: 10, address: 0xFEC0_0009 };
    assert_eq!(used, [(Note, near), (Err, address)]);
    // One whose first interrupt is another's is not.
    let unused = broken(Linux, |set| {
        for (id, address) in [(7, 0xFEC0_0000), (8, 0xFEC0_1000), (9, 0xFEC0_1000)] {
            extend(set, &io_apic(id, address, if id == 9 { 24 } else { 0 }));
        }
    });
    assert_eq!(unused, [(Err, Kind::IoApicGsi { id: 8, gsi_base: 0, other: 0 })]);
}

/// As 6.12 boots: "[APIC:0x01] ignored 1 entries of 129 found".
#[test]
fn linux_reads_128_io_apics() {
    let many = |count: u32| {
        broken(Linux, |set| {
            for n in 0..count - 1 {
                extend(set, &io_apic(n as u8, 0xFEC0_0000 + 256 * n, 24 * n));
            }
            // The last one has the address of the first.
            extend(set, &io_apic(0xFF, 0xFEC0_0000, 24 * count));
        })
    };
    let address = Kind::IoApicAddress { id: 0xFF, address: 0xFEC0_0000 };
    assert_eq!(many(128), [(Err, address)]);
    let ignored = Kind::EntriesIgnored { kind: 1, count: 129, limit: 128 };
    assert_eq!(many(129), [(Err, ignored)]);
}

/// The entries of processors become type 0xB, a GIC CPU interface.
#[test]
fn tables_of_other_architectures_are_not_checked() {
    let arm = |set: &mut Set| (0..4).for_each(|cpu| set.madt[44 + cpu * 16] = 0xB);
    for consumer in Consumer::ALL {
        let kind = Kind::NotX86 { signature: *b"APIC" };
        assert_eq!(broken(consumer, arm), [(Note, kind)], "{consumer:?}");
    }
    // A GIC beside x86 processors, and no processors at all.
    let beside = |set: &mut Set| set.madt[44 + 3 * 16] = 0xC;
    assert!(!broken(Linux, beside).iter().any(|(_, kind)| matches!(kind, Kind::NotX86 { .. })));
    let none = |set: &mut Set| (0..4).for_each(|cpu| set.madt[44 + cpu * 16] = 0x80);
    assert_eq!(broken(Linux, none)[0], (Err, Kind::NoUsableProcessor));

    let mut set = good();
    for cpu in 0..4 {
        set.srat[48 + cpu * CPU] = 7;
    }
    let tables = Tables { srat: Some(&set.srat), ..Tables::default() };
    let mut found = Vec::new();
    let mut scratch = vec![0; tables.scratch_len()];
    check(&tables, Linux, &mut scratch, |finding| found.push(finding.to_string())).unwrap();
    assert_eq!(found, ["note: Linux: SRAT: not x86, not checked"]);
}

#[test]
fn processors_that_xen_does_not_take() {
    let id = |id: u32| move |set: &mut Set| put(&mut set.madt, 44 + 3 * 16 + 4, &id.to_le_bytes());
    let beyond = |id, uid| {
        let first = (ApicId(id), ProcessorUid(uid));
        [(Err, Kind::ProcessorsBeyondLimit { count: 1, first, limits: (1024, 512) })]
    };
    assert_eq!(broken(Xen, id(1023)), []);
    assert_eq!(broken(Xen, id(1024)), beyond(1024, 3));
    assert_eq!(broken(Xen, id(2)), [(Err, Kind::DuplicateApicId { id: ApicId(2) })]);
    assert_eq!(broken(Xen, id(u32::MAX)), []);
    let uid =
        |uid: u32| move |set: &mut Set| put(&mut set.madt, 44 + 3 * 16 + 12, &uid.to_le_bytes());
    assert_eq!(broken(Xen, uid(511)), []);
    assert_eq!(broken(Xen, uid(512)), beyond(3, 512));
    // A disabled entry is counted as room and not otherwise read.
    let disabled = |set: &mut Set| {
        id(5000)(set);
        set.madt[44 + 3 * 16 + 8] = 0;
    };
    assert_eq!(broken(Xen, disabled), []);
    // Xen registers both of a type 0 and a type 9 entry.
    let twice = |set: &mut Set| extend(set, &[0, 8, 1, 1, 1, 0, 0, 0]);
    assert_eq!(broken(Xen, twice), [(Err, Kind::DuplicateApicId { id: ApicId(1) })]);
    let none = |set: &mut Set| (0..4).for_each(|cpu| set.madt[44 + cpu * 16 + 8] = 0);
    assert_eq!(broken(Xen, none), [(Err, Kind::NoUsableProcessor)]);
}

/// As 4.17 and 4.20 boot: a processor that is started twice ends the boot, and the one that
/// boots is not started.
#[test]
fn xen_starts_the_boot_processor_once_however_often_it_is_listed() {
    let twice = |id: u32, boot: u32| {
        broken(Xen, |set| {
            put(&mut set.madt, 44 + 3 * 16 + 4, &id.to_le_bytes());
            set.boot_processor = Some(ApicId(boot));
        })
    };
    let found = |severity, id| [(severity, Kind::DuplicateApicId { id: ApicId(id) })];
    assert_eq!(twice(0, 0), found(Note, 0));
    assert_eq!(twice(2, 2), found(Note, 2));
    assert_eq!(twice(2, 0), found(Err, 2));
    assert_eq!(twice(0, 2), found(Err, 0));
}

#[test]
fn more_processors_than_xen_is_built_for() {
    let many = |count: u32, flags: u8| {
        move |set: &mut Set| {
            for n in 4..count {
                let mut entry = [9, 16, 0, 0, 0, 0, 0, 0, flags, 0, 0, 0, 0, 0, 0, 0];
                put(&mut entry, 4, &n.to_le_bytes());
                put(&mut entry, 12, &n.to_le_bytes());
                extend(set, &entry);
            }
        }
    };
    assert_eq!(broken(Xen, many(256, 1)), []);
    let kind = Kind::TooManyProcessors { count: 257, limit: 256 };
    assert_eq!(broken(Xen, many(257, 1)), [(Err, kind)]);
    assert_eq!(broken(Xen, many(1024, 0)), []);
    let kind = Kind::EntriesIgnored { kind: 9, count: 1025, limit: 1024 };
    assert_eq!(broken(Xen, many(1025, 0)), [(Err, kind)]);
}

pub(super) fn initiator(domain: u32, flags: u8) -> Vec<u8> {
    let mut entry = vec![0; 32];
    entry[..2].copy_from_slice(&[5, 32]);
    put(&mut entry, 4, &domain.to_le_bytes());
    entry[24] = flags;
    entry
}

/// As 6.12 boots: behind such an entry, CPUs have no affinity.
#[test]
fn a_generic_initiator_without_a_node_ends_the_list_in_linux() {
    let at = |offset: usize, domain: u32, flags: u8| {
        broken(Linux, |set| {
            set.srat.splice(offset..offset, initiator(domain, flags));
            let len = set.srat.len() as u32;
            put(&mut set.srat, 4, &len.to_le_bytes());
        })
    };
    let kind = |offset, domain: Option<u32>, unread| {
        let domain = domain.map(ProximityDomain);
        Kind::InitiatorWithoutNode { offset, domain, unread }
    };
    let end = MEM1 + MEMORY;
    assert_eq!(at(end, 2000, 1), [(Note, kind(end, Some(2000), 0))]);
    assert_eq!(at(48, 2000, 1), [(Err, kind(48, Some(2000), 4))]);
    assert_eq!(at(48 + 3 * CPU, 2000, 1), [(Err, kind(48 + 3 * CPU, Some(2000), 1))]);
    assert_eq!(at(end, 1024, 1), [(Note, kind(end, Some(1024), 0))]);
    assert_eq!(at(48, 1, 0), [(Err, kind(48, None, 4))]);
    assert_eq!(at(end, 1, 0), []);
    assert_eq!(at(48, 1, 1), []);
    // One in a domain of its own, beyond the SLIT.
    let beyond = Kind::SlitTooSmall { localities: 2, domain: ProximityDomain(2) };
    assert_eq!(at(48, 2, 1), [(Note, beyond)]);
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

/// The flag is new in ACPI 6.3: without it, an entry that is not enabled is no room either.
#[test]
fn room_for_cpus_goes_by_the_fadts_version_in_linux() {
    let room = |minor: u8, flags: u8| {
        broken(Linux, |set| {
            set.fadt[131] = minor;
            extend(set, &[9, 16, 0, 0, 0, 0x80, 0, 0, flags, 0, 0, 0, 4, 0, 0, 0]);
        })
    };
    let kind = Kind::ApicIdTooHigh { id: ApicId(32768), limit: 32768 };
    assert_eq!(room(2, 0), [(Err, kind)]);
    assert_eq!(room(3, 0), []);
    assert_eq!(room(3, 2), [(Err, kind)]);
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
    // Where type 0 entries have all of the ids, nothing is lost.
    let repeated = broken(Linux, |set| {
        for id in 0..4 {
            extend(set, &[0, 8, id, id, 1, 0, 0, 0]);
        }
    });
    assert_eq!(repeated, [(Note, kind)]);
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
    let found = broken(Linux, |set| {
        for (cpu, id) in [(2, 300_u32), (3, 256)] {
            put(&mut set.madt, 44 + cpu * 16 + 4, &id.to_le_bytes());
            put(&mut set.srat, 48 + cpu * CPU + 8, &id.to_le_bytes());
        }
    });
    let highest = ApicId(300);
    let notes = [
        (Note, Kind::ApicIdNeedsRemapping { count: 2, highest }),
        (Note, Kind::AffinityNeedsX2Apic { count: 2, highest }),
    ];
    assert_eq!(found, notes);
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
