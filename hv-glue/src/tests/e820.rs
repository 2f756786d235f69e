//! The two trims: totals, order, which node keeps what.

use std::prelude::rust_2024::*;
use std::vec;

use crate::e820::*;
use crate::*;
use acpi_gen::{MemoryRange, ProximityDomain};
use proptest::prelude::*;

use crate::tests::support::{GIB, entry, ram, range};

const MIB: u64 = 1 << 20;
const PAGE: u64 = 4096;

fn at(start: u64, end: u64, domain: u32) -> MemoryRange {
    let domain = ProximityDomain(domain);
    MemoryRange { range: range(start, end), domain, hot_pluggable: false, non_volatile: false }
}

#[derive(Clone, Copy)]
enum Rule<'a> {
    ByNode(&'a [MemoryRange], &'a [acpi_gen::GpaRange], usize),
    FirstFit,
}

/// The trimmed map, and each vnode's (kept, all) pages with the nodes merged.
fn trim(map: &[E820Entry], nr_pages: u64, rule: Rule<'_>) -> Result<(Vec<E820Entry>, u32), Error> {
    let ranges = match rule {
        Rule::ByNode(ranges, ..) => ranges,
        _ => &[],
    };
    let mut pieces = vec![Piece::UNUSED; map.len() + 2 * ranges.len()];
    let trim = match rule {
        Rule::ByNode(ranges, keep, max) => {
            Trim::by_node(map, ranges, keep, nr_pages, max, &mut pieces)?
        }
        Rule::FirstFit => Trim::first_fit(map, nr_pages, &mut pieces)?,
    };
    Ok((trim.entries().collect(), trim.merged))
}

/// RAM pages of a map inside a range.
fn pages_in(map: &[E820Entry], within: acpi_gen::GpaRange) -> u64 {
    let within = Frames::inside(within);
    map.iter()
        .filter(|entry| entry.kind == E820Type::RAM)
        .map(|entry| Frames::inside(entry.range).intersection(within).pages())
        .sum()
}

/// An 8-node host of 256 GiB, with the usual holes below 4 GiB.
fn eight_nodes() -> (Vec<E820Entry>, Vec<MemoryRange>) {
    let map = vec![
        ram(0, 0x9_F000),
        entry(0x9_F000, 0x10_0000, E820Type::RESERVED),
        ram(0x10_0000, 0x7000_0000),
        entry(0x7000_0000, 0x8000_0000, E820Type::NVS),
        ram(4 * GIB, 258 * GIB),
        entry(1 << 40, (1 << 40) + GIB, E820Type::RESERVED),
    ];
    let mut ranges = vec![at(0, 2 * GIB, 0), at(4 * GIB, 34 * GIB, 0)];
    ranges.extend((1..8).map(|n| at((2 + 32 * n) * GIB, (34 + 32 * n) * GIB, n as u32)));
    (map, ranges)
}

#[test]
fn a_third_of_an_eight_node_host_is_a_third_of_each_node() {
    let (map, ranges) = eight_nodes();
    let nr_pages = percent_of_ram(&map, 35);
    let keep = [range(0, MIB)];
    let (by_node, merged) =
        trim(&map, nr_pages, Rule::ByNode(&ranges, &keep, MAX_ENTRIES)).unwrap();
    assert_eq!(merged, 0);
    let share = |map: &[E820Entry], node: u64| {
        let ranges = ranges.iter().filter(|range| u64::from(range.domain.0) == node);
        let all = eight_nodes().0;
        let (kept, total) = ranges.fold((0, 0), |(kept, total), r| {
            (kept + pages_in(map, r.range), total + pages_in(&all, r.range))
        });
        kept as f64 / total as f64
    };
    for node in 0..8 {
        assert!((share(&by_node, node) - 0.35).abs() < 0.001, "{node}: {}", share(&by_node, node));
    }
    // Xen's trim: nodes 0, 1 and 2 have it all, 35 % being 2.8 nodes.
    let (first_fit, _) = trim(&map, nr_pages, Rule::FirstFit).unwrap();
    assert_eq!([0, 1].map(|node| share(&first_fit, node)), [1.0; 2]);
    assert!(share(&first_fit, 2) > 0.7 && share(&first_fit, 2) < 1.0);
    assert_eq!([3, 4, 5, 6, 7].map(|node| share(&first_fit, node)), [0.0; 5]);
    // Without the blocks' borders, the one region above 4 GiB keeps its first 35 %.
    let (by_region, _) = trim(&map, nr_pages, Rule::ByNode(&[], &[], usize::MAX)).unwrap();
    assert_eq!([0, 1].map(|node| share(&by_region, node) > 0.9), [true, true]);
    assert_eq!([4, 5, 6, 7].map(|node| share(&by_region, node)), [0.0; 4]);
}

/// Four of ten pages by hand: the floors of 2/5, 4/5, … accumulate.
#[test]
fn shares_follow_bresenham() {
    let map = [ram(0, 3 * PAGE), ram(4 * PAGE, 5 * PAGE), ram(8 * PAGE, 14 * PAGE)];
    let (out, _) = trim(&map, 4, Rule::ByNode(&[], &[], usize::MAX)).unwrap();
    // floor(3*4/10) = 1; floor(4*4/10) - 1 = 0; 4 - 1 = 3.
    assert_eq!(
        out,
        [
            ram(0, PAGE),
            entry(PAGE, 3 * PAGE, E820Type::UNUSABLE),
            entry(4 * PAGE, 5 * PAGE, E820Type::UNUSABLE),
            ram(8 * PAGE, 11 * PAGE),
            entry(11 * PAGE, 14 * PAGE, E820Type::UNUSABLE),
        ]
    );
}

#[test]
fn ranges_to_keep_are_never_cut() {
    let map = [ram(0, 100 * PAGE), entry(100 * PAGE, 101 * PAGE, E820Type::ACPI)];
    let ranges = [at(0, 50 * PAGE, 0), at(50 * PAGE, 100 * PAGE, 1)];
    let keep = [range(0, 10 * PAGE), range(45 * PAGE, 55 * PAGE)];
    let (out, _) = trim(&map, 60, Rule::ByNode(&ranges, &keep, 120)).unwrap();
    // Each node gets 30 pages: 15 of the first's and 5 of the second's are kept.
    assert_eq!(
        out,
        [
            ram(0, 25 * PAGE),
            entry(25 * PAGE, 45 * PAGE, E820Type::UNUSABLE),
            ram(45 * PAGE, 80 * PAGE),
            entry(80 * PAGE, 100 * PAGE, E820Type::UNUSABLE),
            map[1],
        ]
    );
    let too_few = trim(&map, 19, Rule::ByNode(&ranges, &keep, 120)).unwrap_err();
    assert_eq!(too_few, Error::PagesBelowKept { nr_pages: 19, kept: 20 });
    let (out, _) = trim(&map, 20, Rule::ByNode(&ranges, &keep, 120)).unwrap();
    assert_eq!(pages_in(&out, keep[0]) + pages_in(&out, keep[1]), 20);
    // All of it is the host's map.
    let (out, _) = trim(&map, 100, Rule::ByNode(&ranges, &keep, 120)).unwrap();
    assert_eq!(out, map);
    let too_many = trim(&map, 101, Rule::ByNode(&ranges, &keep, 120)).unwrap_err();
    assert_eq!(too_many, Error::PagesAboveTotal { nr_pages: 101, total: 100 });
}

#[test]
fn ram_is_rounded_inwards_and_slivers_are_dropped() {
    let map = [ram(1, 3 * PAGE + 5), ram(4 * PAGE + 1, 5 * PAGE - 1), ram(6 * PAGE, 8 * PAGE)];
    assert_eq!(ram_pages(&map), 4);
    let (out, _) = trim(&map, 3, Rule::ByNode(&[], &[], usize::MAX)).unwrap();
    assert_eq!(
        out,
        [
            ram(PAGE, 2 * PAGE),
            entry(2 * PAGE, 3 * PAGE, E820Type::UNUSABLE),
            ram(6 * PAGE, 8 * PAGE),
        ]
    );
    // Xen leaves a region unchanged, sliver or not, once all pages are given.
    let (out, _) = trim(&map, 1, Rule::FirstFit).unwrap();
    assert_eq!(
        out,
        [
            ram(PAGE, 2 * PAGE),
            entry(2 * PAGE, 3 * PAGE, E820Type::UNUSABLE),
            entry(4 * PAGE + 1, 5 * PAGE - 1, E820Type::UNUSABLE),
            entry(6 * PAGE, 8 * PAGE, E820Type::UNUSABLE),
        ]
    );
    // A sliver alone leaves nothing.
    let (out, _) = trim(&map[1..2], 0, Rule::ByNode(&[], &[], 0)).unwrap();
    assert_eq!(out, []);
    let too_many = trim(&map, 5, Rule::FirstFit).unwrap_err();
    assert_eq!(too_many, Error::PagesAboveTotal { nr_pages: 5, total: 4 });
}

#[test]
fn sixty_four_tebibytes_share_exactly() {
    // 2^34 pages: pages times pages passes 64 bits by far.
    let tib = 1_u64 << 40;
    let map = [ram(0, 64 * tib - 3 * PAGE)];
    // Two on each of 32 nodes.
    let ranges: Vec<_> =
        (0..64_u32).map(|n| at(u64::from(n) * tib, u64::from(n + 1) * tib, n % 32)).collect();
    let total = ram_pages(&map);
    assert_eq!(total, (1 << 34) - 3);
    for nr_pages in [1, total / 3, total / 2 + 1, total - 1, total] {
        let (out, _) = trim(&map, nr_pages, Rule::ByNode(&ranges, &[], usize::MAX)).unwrap();
        assert_eq!(ram_pages(&out), nr_pages);
        let mut given = 0;
        for (n, (first, second)) in (1_u128..).zip(ranges.iter().zip(&ranges[32..])).take(31) {
            let [first, second] = [first, second].map(|r| pages_in(&out, r.range));
            given += u128::from(first + second);
            let exact = u128::from(nr_pages) * n * (1 << 29) / u128::from(total);
            assert_eq!(given, exact, "{n} nodes of {nr_pages}");
            assert_eq!(first, (first + second) / 2, "half of a node's share");
        }
    }
}

#[test]
fn where_120_entries_do_not_do_the_largest_pieces_of_a_node_are_kept() {
    // 100 regions in turn on two nodes: 200 entries if each were cut.
    let map: Vec<_> = (0..100).map(|n| ram(n * GIB, n * GIB + (n + 1) * MIB)).collect();
    let ranges = [at(0, 50 * GIB, 0), at(50 * GIB, 100 * GIB, 1)];
    let nr_pages = ram_pages(&map) / 2;
    let rule = |max| Rule::ByNode(&ranges, &[], max);
    let (uncut, merged) = trim(&map, nr_pages, rule(usize::MAX)).unwrap();
    assert_eq!((uncut.len(), merged), (200, 0));
    let (one, merged) = trim(&map, nr_pages, rule(151)).unwrap();
    assert_eq!(merged, 1);
    assert!(one.len() <= 151);
    let (both, merged) = trim(&map, nr_pages, rule(MAX_ENTRIES)).unwrap();
    assert_eq!(merged, 2);
    assert!(both.len() <= MAX_ENTRIES, "{}", both.len());
    for r in &ranges {
        assert_eq!(pages_in(&both, r.range), pages_in(&uncut, r.range), "each node keeps its sum");
        let all: Vec<_> = both.iter().filter(|e| r.range.contains(e.range.start())).collect();
        let cut =
            all.windows(2).filter(|pair| pair[0].range.end() == pair[1].range.start()).count();
        assert!(cut <= 1, "one piece of a node is cut at most");
    }
    // The largest piece of the second node is whole.
    assert_eq!(both.last(), Some(&map[99]));
    let no = trim(&map, nr_pages, rule(99)).unwrap_err();
    assert!(matches!(no, Error::TooManyEntries { needed: 100.., max: 99 }), "{no}");
}

#[test]
fn what_a_merged_node_keeps_stands_together() {
    // Four equal pieces, of which two and a half are kept.
    let map = [ram(0, 40 * PAGE)];
    let ranges = [0, 10, 20, 30].map(|n| at(n * PAGE, (n + 10) * PAGE, 0));
    let (out, merged) = trim(&map, 25, Rule::ByNode(&ranges, &[], 2)).unwrap();
    assert_eq!(out, [ram(0, 25 * PAGE), entry(25 * PAGE, 40 * PAGE, E820Type::UNUSABLE)]);
    assert_eq!(merged, 1);
}

#[test]
fn the_node_with_most_pieces_is_merged_first() {
    // Eight regions, two of node 0 and six of node 1, of each of which half is kept.
    let map: Vec<_> = (0..8).map(|n| ram(11 * n * PAGE, (11 * n + 10) * PAGE)).collect();
    let ranges = [at(0, 22 * PAGE, 0), at(22 * PAGE, 88 * PAGE, 1)];
    let (out, merged) = trim(&map, 40, Rule::ByNode(&ranges, &[], 10)).unwrap();
    assert_eq!((out.len(), merged), (10, 1));
    for (halves, whole) in out.chunks(2).zip(&map[..2]) {
        let middle = whole.range.start().0 + 5 * PAGE;
        let end = whole.range.end().0;
        let unusable = entry(middle, end, E820Type::UNUSABLE);
        assert_eq!(halves, [ram(whole.range.start().0, middle), unusable]);
    }
}

#[test]
fn neighbours_of_the_hosts_map_stay_two_entries() {
    let map = [ram(0, 3 * PAGE), ram(3 * PAGE, 6 * PAGE)];
    let ranges = [at(0, 2 * PAGE, 0), at(2 * PAGE, 6 * PAGE, 1)];
    let (out, _) = trim(&map, 6, Rule::ByNode(&ranges, &[], 120)).unwrap();
    assert_eq!(out, map);
}

#[test]
fn maps_and_keeps_out_of_order_are_refused() {
    let map = [ram(0, 2 * PAGE), ram(PAGE, 3 * PAGE)];
    assert_eq!(
        trim(&map, 1, Rule::FirstFit),
        Err(Error::MapNotAscending { index: 1, range: map[1].range, previous: map[0].range })
    );
    let map = [ram(0, 9 * PAGE)];
    let keep = [range(0, 3 * PAGE), range(2 * PAGE, 4 * PAGE)];
    assert_eq!(
        trim(&map, 9, Rule::ByNode(&[], &keep, 120)).unwrap_err(),
        Error::KeepNotAscending { index: 1, range: keep[1] }
    );
    let keep = [range(1, 3 * PAGE)];
    assert_eq!(
        trim(&map, 9, Rule::ByNode(&[], &keep, 120)).unwrap_err(),
        Error::KeepMisaligned { index: 0, range: keep[0] }
    );
}

#[test]
fn too_few_pieces_are_refused_with_their_number() {
    let map = [ram(0, 4 * PAGE), ram(8 * PAGE, 16 * PAGE)];
    for have in 0..4 {
        let mut pieces = vec![Piece::UNUSED; have];
        let trim = Trim::first_fit(&map, 6, &mut pieces).map(|trim| trim.entries().nth(1));
        let expected = match have {
            0 | 1 => Err(Error::ScratchTooSmall { needed: 2, have }),
            _ => Ok(Some(ram(8 * PAGE, 10 * PAGE))),
        };
        assert_eq!(trim, expected);
    }
    assert_eq!(Trim::first_fit(&[], 0, &mut []).unwrap().entries().next(), None);
}

/// The map whose SRAT Linux dropped in the seed: 261,441 MiB, of which the
/// ranges left 170,175 MiB uncovered.
#[test]
fn a_map_of_261441_mib_is_covered_by_blocks_and_not_by_the_first_attempt() {
    // 2,047 MiB and 640 KiB lie below 4 GiB.
    let high = |mib: u64| 4 * GIB + mib * MIB + 384 * 1024;
    let map = [ram(0, 0xA_0000), ram(MIB, 2 * GIB), ram(4 * GIB, high(259_393))];
    assert_eq!(ram_pages(&map) * PAGE, 261_441 * MIB);
    let half = 130 * GIB;
    let blocks = [at(0, 2 * GIB, 0), at(4 * GIB, half, 0), at(half, high(259_394), 1)];
    assert_eq!(uncovered_pages(&map, &blocks), Ok(0));
    // Ranges for the memory that dom0 owns, in address order.
    let owned = [at(0, 2 * GIB, 0), at(4 * GIB, high(261_441 - 170_175 - 2_048), 0)];
    assert_eq!(uncovered_pages(&map, &owned), Ok(170_175 * MIB / PAGE));
}

#[test]
fn modules_need_one_region_above_the_first_mib() {
    let map =
        [ram(0, 3 * MIB), entry(3 * MIB, 9 * MIB, E820Type::UNUSABLE), ram(9 * MIB, 10 * MIB)];
    let survey = Survey::of(map.into_iter());
    assert_eq!(survey, Survey { largest: 2 * MIB, low_pages: 4 * MIB / PAGE });
    assert!(survey.has_room(2 * MIB));
    assert!(!survey.has_room(2 * MIB + 1));
    assert!(!Survey::of([ram(0, MIB)].into_iter()).has_room(0));
}

#[test]
fn percentages_round_down() {
    let map = [ram(0, 10 * PAGE)];
    assert_eq!(percent_of_ram(&map, 35), 3);
    assert_eq!(percent_of_ram(&map, 100), 10);
    let all = [ram(0, u64::MAX)];
    assert_eq!(percent_of_ram(&all, 100), (1 << 52) - 1);
}

// ---- any map ----

/// A map with holes and unaligned borders, blocks over it, and ranges to keep.
fn any_machine()
-> impl Strategy<Value = (Vec<E820Entry>, Vec<MemoryRange>, Vec<acpi_gen::GpaRange>)> {
    let kinds = prop_oneof![4 => Just(E820Type::RAM), 1 => Just(E820Type::RESERVED)];
    let regions = prop::collection::vec((0_u64..40_000, 1_u64..4_000_000, kinds), 1..20);
    let blocks = prop::collection::vec((0_u64..200, 1_u64..500), 0..20);
    let keeps = prop::collection::vec((0_u64..300, 1_u64..50), 0..4);
    (regions, blocks, keeps).prop_map(|(regions, blocks, keeps)| {
        let mut end = 0;
        let map = regions.into_iter().map(|(gap, size, kind)| {
            let start = end + gap;
            end = start + size;
            entry(start, end, kind)
        });
        let map = map.collect();
        let mut end = 0;
        let blocks = (0..).zip(blocks).map(|(n, (gap, pages))| {
            let start = end + gap * PAGE;
            end = start + pages * PAGE;
            at(start, end, n / 2)
        });
        let blocks = blocks.collect();
        let mut end = 0;
        let keeps = keeps.into_iter().map(|(gap, pages)| {
            let start = end + gap * PAGE;
            end = start + pages * PAGE;
            range(start, end)
        });
        (map, blocks, keeps.collect())
    })
}

/// What every trimmed map must be, whatever the rule.
fn check(map: &[E820Entry], out: &[E820Entry], nr_pages: u64) {
    assert_eq!(ram_pages(out), nr_pages, "exact total");
    for pair in out.windows(2) {
        assert!(pair[0].range.end() <= pair[1].range.start(), "sorted, no overlap: {pair:x?}");
    }
    for trimmed in out {
        let host = map.iter().find(|host| host.range.contains(trimmed.range.start())).unwrap();
        assert!(trimmed.range.end() <= host.range.end(), "within one of the host's entries");
        if host.kind == E820Type::RAM {
            assert!(matches!(trimmed.kind, E820Type::RAM | E820Type::UNUSABLE));
        } else {
            assert_eq!(trimmed, host, "untouched");
        }
    }
    // No whole page of RAM is lost: what is not RAM now is unusable.
    let whole = |map: &[E820Entry], kinds: &[E820Type]| -> u64 {
        let of = map.iter().filter(|entry| kinds.contains(&entry.kind));
        of.map(|entry| Frames::inside(entry.range).pages()).sum()
    };
    assert_eq!(whole(out, &[E820Type::RAM, E820Type::UNUSABLE]), whole(map, &[E820Type::RAM]),);
}

proptest! {
    #[test]
    fn any_map_is_trimmed_exactly(
        (map, ranges, keep) in any_machine(),
        share in 0.0_f64..=1.0,
    ) {
        let total = ram_pages(&map);
        let kept: u64 = keep.iter().map(|keep| pages_in(&map, *keep)).sum();
        let nr_pages = kept + ((total - kept) as f64 * share) as u64;
        for rule in [Rule::FirstFit, Rule::ByNode(&ranges, &keep, usize::MAX)] {
            let (out, _) = trim(&map, nr_pages, rule).unwrap();
            check(&map, &out, nr_pages);
        }

        let (uncut, _) = trim(&map, nr_pages, Rule::ByNode(&ranges, &keep, usize::MAX)).unwrap();
        for keep in &keep {
            prop_assert_eq!(pages_in(&uncut, *keep), pages_in(&map, *keep), "kept whole");
        }
        // Each node's part is its share of the pages, but for rounding, and at least what is
        // kept of it.
        let domains: std::collections::BTreeSet<_> = ranges.iter().map(|r| r.domain).collect();
        // (all, kept, got) pages of each node; what is in no block is a node, too.
        let mut open: Vec<_> = domains.into_iter().map(|domain| {
            let of = || ranges.iter().filter(move |range| range.domain == domain);
            let sum = |map: &[E820Entry]| of().map(|range| pages_in(map, range.range)).sum();
            let both = of().flat_map(|range| keep.iter().filter_map(|keep| {
                Frames::inside(range.range).intersection(Frames::inside(*keep)).range()
            }));
            (sum(&map), both.map(|both| pages_in(&map, both)).sum::<u64>(), sum(&uncut))
        }).collect();
        let blocks = open.iter().fold((0, 0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
        open.push((total - blocks.0, kept - blocks.1, nr_pages - blocks.2));
        open.retain(|(pages, ..)| *pages > 0);
        // The node with the most kept of its pages is the first to get those alone.
        open.sort_by(|a, b| (u128::from(b.1) * u128::from(a.0)).cmp(&(u128::from(a.1) * u128::from(b.0))));
        let (mut rest, mut all) = (nr_pages, total);
        for (pages, kept, got) in open {
            if u128::from(kept) * u128::from(all) > u128::from(rest) * u128::from(pages) {
                rest -= kept;
                all -= pages;
                prop_assert_eq!(got, kept);
            } else {
                let exact = pages as f64 * rest as f64 / all as f64;
                prop_assert!((got as f64 - exact).abs() < 1.001, "{} of {}", got, exact);
            }
        }

        // Fewer entries: the same pages on each node, and still a good map. A map of one sliver of
        // RAM has none left to do without.
        if let Some(max) = uncut.len().checked_sub(1)
            && let Ok((merged, nodes)) = trim(&map, nr_pages, Rule::ByNode(&ranges, &keep, max))
        {
            prop_assert!(nodes > 0 && merged.len() <= max);
            check(&map, &merged, nr_pages);
            for range in &ranges {
                let of = |map: &[E820Entry]| -> u64 {
                    let ranges = ranges.iter().filter(|other| other.domain == range.domain);
                    ranges.map(|range| pages_in(map, range.range)).sum()
                };
                prop_assert_eq!(of(&merged), of(&uncut));
            }
        }
    }
}
