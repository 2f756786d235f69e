//! Overlap of memory entries, against all pairs of small sets; and its limits.

use super::*;

/// First and last GiB, proximity domain.
type Entry = (u64, u64, u32);

/// An SRAT with these entries instead of the good set's two.
fn with_entries(set: &mut Set, entries: &[Entry], flags: u8) {
    set.srat.truncate(MEM0);
    for &(start, end, domain) in entries {
        let mut entry = [0; MEMORY];
        entry[..2].copy_from_slice(&[1, 40]);
        put(&mut entry, 2, &domain.to_le_bytes());
        put(&mut entry, 8, &(start * GIB).to_le_bytes());
        put(&mut entry, 16, &((end - start) * GIB).to_le_bytes());
        entry[28] = flags;
        set.srat.extend(entry);
    }
    let len = set.srat.len() as u32;
    put(&mut set.srat, 4, &len.to_le_bytes());
    Set::resum(&mut set.srat);
}

/// Severities of the overlaps, one for each entry that shares addresses with one before it:
/// an error if it does with one of another domain.
fn expected(entries: &[Entry]) -> Vec<Severity> {
    let mut sorted = entries.to_vec();
    sorted.sort_by_key(|entry| entry.0);
    let found = sorted.iter().enumerate().filter_map(|(n, &(start, _, domain))| {
        let before: Vec<_> = sorted[..n].iter().filter(|other| start < other.1).collect();
        let other = before.iter().any(|other| other.2 != domain);
        (!before.is_empty()).then_some(if other { Err } else { Note })
    });
    found.collect()
}

#[test]
fn linux_finds_the_overlaps_of_all_pairs() {
    let mut all = Vec::new();
    for start in 0..4 {
        for end in start + 1..6 {
            all.extend([(start, end, 0), (start, end, 1)]);
        }
    }
    let mut set = good();
    set.has_map = false;
    for &a in &all {
        for &b in &all {
            for &c in &all {
                let entries = [a, b, c];
                with_entries(&mut set, &entries, 1);
                let overlaps = set.findings(Linux).into_iter().filter_map(|found| {
                    matches!(found.kind, Kind::MemoryOverlap { .. }).then_some(found.severity)
                });
                assert_eq!(overlaps.collect::<Vec<_>>(), expected(&entries), "{entries:?}");
            }
        }
    }
}

#[test]
fn a_window_that_ends_or_starts_where_ram_does_has_none() {
    let with = |entries: [Entry; 2], flags, start, end| {
        let mut set = good();
        with_entries(&mut set, &entries, flags);
        set.map = vec![ram(start * GIB, end * GIB)];
        let overlap = |found: &Finding| matches!(found.kind, Kind::MemoryOverlap { .. });
        set.findings(Linux).iter().any(overlap)
    };
    let windows = [(4, 6, 0), (4, 8, 1)];
    assert!(!with(windows, 3, 0, 4));
    assert!(with(windows, 3, 0, 5));
    assert!(!with(windows, 3, 8, 9));
    assert!(!with([(4, 6, 0), (5, 8, 1)], 3, 6, 9));
    assert!(with([(4, 6, 0), (5, 8, 1)], 3, 5, 9));
}

#[test]
fn without_a_map_one_hot_pluggable_entry_may_be_without_ram() {
    let mut set = good();
    set.has_map = false;
    with_entries(&mut set, &[(0, 2, 0), (1, 3, 1)], 1);
    put(&mut set.srat, MEM0 + 28, &[3]);
    let found = set.judge(Linux);
    let overlap = |(severity, kind): &(Severity, Kind)| {
        matches!(kind, Kind::MemoryOverlap { .. }).then_some(*severity)
    };
    assert_eq!(found.iter().filter_map(overlap).collect::<Vec<_>>(), [Note]);
}

/// PXMs 0 and 256 are one in the 8 bits of revision 1.
#[test]
fn domains_of_revision_1_overlap_with_their_lowest_byte() {
    for (revision, severity) in [(1, Note), (2, Err), (3, Err)] {
        let mut set = good();
        set.has_map = false;
        with_entries(&mut set, &[(0, 2, 0), (1, 3, 256)], 1);
        set.srat[8] = revision;
        let found = set.judge(Linux);
        let overlap = |(_, kind): &&(Severity, Kind)| matches!(kind, Kind::MemoryOverlap { .. });
        assert_eq!(found.iter().find(overlap).unwrap().0, severity, "{revision}");
    }
}
