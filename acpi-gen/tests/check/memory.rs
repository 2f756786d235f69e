//! Findings of memory: coverage of a memory map, overlap, entries that count for nothing.

use super::*;

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
        set.map.push(E820Entry { range, kind: E820Type::UNUSABLE });
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

/// Adds a memory entry of the domain of the one at `like`.
fn add(set: &mut Set, like: usize, start: u64, size: u64, flags: u8) {
    let mut entry = set.srat[like..like + MEMORY].to_vec();
    put(&mut entry, 8, &start.to_le_bytes());
    put(&mut entry, 16, &size.to_le_bytes());
    entry[28] = flags;
    set.srat.extend(entry);
    let len = set.srat.len() as u32;
    put(&mut set.srat, 4, &len.to_le_bytes());
}

fn overlaps(found: &[(Severity, Kind)]) -> Vec<(Severity, u64, u64)> {
    let overlap = |(severity, kind): &(Severity, Kind)| match *kind {
        Kind::MemoryOverlap { start, end, .. } => Some((*severity, start, end)),
        _ => None,
    };
    found.iter().filter_map(overlap).collect()
}

/// As 6.1 and 6.12 boot: what has no RAM in it is ignored before overlaps are looked for.
#[test]
fn hot_plug_windows_may_overlap_in_linux() {
    let windows = |set: &mut Set| {
        add(set, MEM0, 4 * GIB, 4 * GIB, 3);
        add(set, MEM1, 6 * GIB, 4 * GIB, 3);
    };
    assert_eq!(overlaps(&broken(Linux, windows)), []);
    let without_map = |set: &mut Set| {
        windows(set);
        set.has_map = false;
    };
    assert_eq!(overlaps(&broken(Linux, without_map)), [(Note, 6 * GIB, 8 * GIB)]);
    let mut set = good();
    without_map(&mut set);
    Set::resum(&mut set.srat);
    let words: Vec<String> = set.findings(Linux).iter().map(ToString::to_string).collect();
    assert_eq!(
        words[1],
        "note: Linux: SRAT: [mem 0x180000000-0x1ffffffff] is in PXM 0 and in PXM 1: the table is \
         not used if there is RAM in both entries"
    );
    // RAM in one of them is in no overlap; RAM in both is one, wherever it is.
    let one = |set: &mut Set| {
        windows(set);
        set.map.push(ram(5 * GIB, 7 * GIB));
    };
    assert_eq!(overlaps(&broken(Linux, one)), [(Err, 6 * GIB, 7 * GIB)]);
    let apart = |set: &mut Set| {
        windows(set);
        set.map.push(ram(4 * GIB, 5 * GIB));
        set.map.push(ram(9 * GIB, 10 * GIB));
    };
    assert_eq!(overlaps(&broken(Linux, apart)), [(Err, 6 * GIB, 8 * GIB)]);
}

/// As Xen 4.20 boots: the window of PXM 0 makes it reach around PXM 1.
#[test]
fn a_hot_plug_window_behind_another_node_costs_the_srat_in_xen() {
    let window = |like: usize| move |set: &mut Set| add(set, like, 4 * GIB, 4 * GIB, 3);
    let kind = Kind::MemoryInterleaved {
        start: 2 * GIB,
        end: 4 * GIB,
        domain: ProximityDomain(1),
        around: ProximityDomain(0),
    };
    assert_eq!(broken(Xen, window(MEM0)), [(Err, kind)]);
    assert_eq!(broken(Xen, window(MEM1)), []);
    // A second window overlaps the first; which node it is of does not matter any more.
    let both = |set: &mut Set| {
        window(MEM1)(set);
        add(set, MEM1, 6 * GIB, 4 * GIB, 1);
    };
    assert_eq!(overlaps(&broken(Xen, both)), [(Err, 6 * GIB, 8 * GIB)]);
}

/// Xen compares each entry with those before it.
#[test]
fn interleaving_is_found_by_the_later_entry_in_xen() {
    let damage = |set: &mut Set| {
        put(&mut set.srat, MEM0 + 16, &GIB.to_le_bytes());
        put(&mut set.srat, MEM1 + 2, &[0]);
        put(&mut set.srat, MEM1 + 8, &(3 * GIB).to_le_bytes());
        put(&mut set.srat, MEM1 + 16, &GIB.to_le_bytes());
        add(set, MEM1, GIB, 2 * GIB, 1);
        put(&mut set.srat, MEM1 + MEMORY + 2, &[1]);
    };
    assert_eq!(broken(Xen, damage), []);
}

#[test]
fn without_a_map_entries_that_are_not_hot_pluggable_have_ram() {
    let damage = |set: &mut Set| {
        add(set, MEM0, 3 * GIB, GIB, 1);
        set.has_map = false;
    };
    assert_eq!(overlaps(&broken(Linux, damage)), [(Err, 3 * GIB, 4 * GIB)]);
}

#[test]
fn linux_cuts_entries_off_at_the_end_of_ram() {
    let damage = |set: &mut Set| {
        put(&mut set.srat, MEM1 + 16, &(6 * GIB).to_le_bytes());
        add(set, MEM0, 5 * GIB, GIB, 1);
    };
    assert_eq!(overlaps(&broken(Linux, damage)), []);
    assert_eq!(overlaps(&broken(Xen, damage)), [(Err, 5 * GIB, 6 * GIB)]);
}

#[test]
fn each_overlapping_entry_is_found_once_in_any_order() {
    // Every second GiB from 100 on, 1.5 GiB long, in descending order, the last of PXM 0.
    let damage = |set: &mut Set| {
        for n in (0..300_u64).rev() {
            let like = if n == 0 { MEM0 } else { MEM1 };
            add(set, like, (100 + n) * GIB, GIB + GIB / 2, 1);
        }
        set.map.push(ram(100 * GIB, 402 * GIB));
    };
    let found = overlaps(&broken(Linux, damage));
    assert_eq!(found.len(), 299);
    assert_eq!(found[0], (Err, 101 * GIB, 101 * GIB + GIB / 2));
    assert_eq!(found[298], (Note, 399 * GIB, 399 * GIB + GIB / 2));
}

/// A log of two boots has each range twice.
#[test]
fn ram_counts_once_however_often_the_map_has_it() {
    let damage = |set: &mut Set| {
        set.map = vec![ram(2 * GIB, 5 * GIB), ram(0, 4 * GIB), ram(2 * GIB, 5 * GIB)];
    };
    let kind = Kind::NotCovered { uncovered: GIB, ram: 5 * GIB, first: 4 * GIB };
    for consumer in [Linux, Xen] {
        assert_eq!(broken(consumer, damage), [(Err, kind)]);
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
fn memory_entries_that_count_for_nothing() {
    let zero = |set: &mut Set| put(&mut set.srat, MEM1 + 16, &[0; 8]);
    let found = broken(Linux, zero);
    assert_eq!(found[0], (Note, Kind::EmptyMemory { offset: MEM1 }));
    assert!(matches!(found[1], (Err, Kind::NotCovered { uncovered, .. }) if uncovered == 2 * GIB));
    let past = |set: &mut Set| put(&mut set.srat, MEM1 + 16, &u64::MAX.to_le_bytes());
    let kind = Kind::MemoryPastEnd { base: 2 * GIB, length: u64::MAX };
    assert_eq!(broken(Linux, past)[0], (Note, kind));
    // The end wraps in Xen: such an entry is before itself, and the SRAT is used without it.
    let ram = 4 * GIB;
    let uncovered = Kind::NotCovered { uncovered: 2 * GIB, ram, first: 2 * GIB };
    assert_eq!(broken(Xen, past), [(Note, kind), (Err, uncovered)]);
    let (base, length) = (8 * GIB, 0_u64.wrapping_sub(4096));
    let behind = |set: &mut Set| add(set, MEM1, base, length, 1);
    assert_eq!(broken(Xen, behind), [(Note, Kind::MemoryPastEnd { base, length })]);
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
    // Entries that it passes over take no room, and the others are not looked at.
    let empty = |set: &mut Set| {
        many(2048)(set);
        add(set, MEM1, 1 << 50, 0, 1);
    };
    assert!(matches!(broken(Linux, empty)[..], [(Note, Kind::EmptyMemory { .. })]));
    let overlapping = |set: &mut Set| {
        many(2048)(set);
        add(set, MEM0, 3 * GIB, GIB, 1);
    };
    assert_eq!(broken(Linux, overlapping), kind(2049, 2048));
    assert_eq!(broken(Xen, many(128)), []);
    assert_eq!(broken(Xen, many(129)), kind(129, 128));
}

/// As Xen 4.17 and 4.20 boot.
#[test]
fn xen_has_64_nodes() {
    let many = |count: u32| {
        broken(Xen, |set| {
            for domain in 2..count {
                add(set, MEM1, u64::from(domain) * 8 * GIB, GIB, 1);
                let at = set.srat.len() - MEMORY + 2;
                put(&mut set.srat, at, &domain.to_le_bytes());
            }
        })
    };
    let kind = (Err, Kind::TooManyDomains { limit: 64 });
    assert!(!many(64).contains(&kind));
    assert!(many(65).contains(&kind));
}

#[test]
fn linux_says_what_hot_plug_needs() {
    let found = broken(Linux, |set| put(&mut set.srat, MEM1 + 28, &[3]));
    assert_eq!(found, [(Note, Kind::HotPluggable { count: 1, base: 2 * GIB })]);
}
