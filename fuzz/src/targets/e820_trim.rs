//! The trim of dom0's memory map: exact totals, kept ranges, each piece its share
//! by 128-bit arithmetic and its first pages, and a map that holds together.

use acpi_gen::{Gpa, GpaRange};
use arbitrary::{Arbitrary, Unstructured};
use hv_glue::e820::{E820Entry, E820Type, Piece, Trim, check_coverage, ram_pages};
use hv_glue::{Error, Frames, PAGE_SIZE, Vmemrange, VnodeId};

use crate::host::{self, Block, Entry};
use crate::ranges::Size;
use crate::{Interest, encode};

/// A map, the layout's ranges, and what to keep.
#[derive(Arbitrary, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// 0: by node, 1: by region, else first-fit.
    pub rule: u8,
    /// Pages to keep, as a fraction of 256 of the whole.
    pub fraction: u8,
    /// Added to that.
    pub pages: u16,
    /// The most entries.
    pub max_entries: u8,
    /// The host's map.
    pub map: Vec<Entry>,
    /// The layout's ranges.
    pub ranges: Vec<Block>,
    /// Ranges to keep.
    pub keep: Vec<Kept>,
}
encode::encode_fields!(Input { rule, fraction, pages, max_entries, map, ranges, keep });

/// A range that no trim cuts.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// From the end of the one before.
    pub gap: Size,
    /// Its size.
    pub size: Size,
}
encode::encode_fields!(Kept { gap, size });

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else { return Interest::Reject };
    let map = host::map(&input.map);
    let mut ranges: Vec<_> = host::blocks(&input.ranges)
        .into_iter()
        .filter_map(|block| {
            let range = Frames::inside(block.range).range()?;
            Some(Vmemrange { range, vnode: VnodeId(block.node.0), hotplug: block.hotplug })
        })
        .collect();
    // A layout's ranges ascend without overlap: that is their type's promise.
    ranges.sort_by_key(|range| range.range.start());
    ranges.dedup_by(|second, first| first.range.overlaps(second.range));
    let keep: Vec<_> = input.keep.iter().map(|kept| (kept.gap, kept.size)).collect();
    let keep = host::ranges(&keep);

    let whole = ram_pages(&map);
    let asked = u128::from(whole) * u128::from(input.fraction) / 255;
    let nr_pages = u64::try_from(asked).expect("a part of 64 bits") + u64::from(input.pages);
    let needed = match Trim::pieces_needed(&map, &ranges) {
        Ok(needed) => needed,
        Err(error) => {
            assert!(matches!(error, Error::MapNotAscending { .. }));
            assert!(map.windows(2).any(|pair| pair[1].range.start() < pair[0].range.end()));
            return Interest::Keep;
        }
    };
    let mut pieces = vec![Piece::UNUSED; needed];
    let max = usize::from(input.max_entries);
    let trim = match input.rule {
        0 => {
            if let Some(short) = needed.checked_sub(1) {
                let mut pieces = vec![Piece::UNUSED; short];
                let error = Trim::by_node(&map, &ranges, &[], 0, 4096, &mut pieces).map(drop);
                assert_eq!(error, Err(Error::ScratchTooSmall { needed, have: short }));
            }
            Trim::by_node(&map, &ranges, &keep, nr_pages, max, &mut pieces)
        }
        1 => Trim::by_region(&map, nr_pages, &mut pieces),
        _ => Trim::first_fit(&map, nr_pages, &mut pieces),
    };
    let keep = if input.rule == 0 { keep.as_slice() } else { &[] };
    match trim {
        Ok(trim) => {
            assert_eq!(trim.pages(), nr_pages);
            let cuts = if input.rule == 0 { ranges.as_slice() } else { &[] };
            tiles(trim.pieces(), &map, cuts);
            shares(&trim, keep, nr_pages, input.rule);
            if input.rule == 0 {
                assert!(trim.len() <= max);
            }
            emitted(&trim, &map, keep, nr_pages, input.rule > 1);
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            refused(error, &map, keep, nr_pages);
        }
    }
    coverage(&map, &ranges);
    Interest::Keep
}

fn ram(map: &[E820Entry]) -> impl Iterator<Item = Frames> + '_ {
    let ram = map.iter().filter(|entry| entry.kind == E820Type::RAM);
    ram.map(|entry| Frames::inside(entry.range)).filter(|frames| frames.pages() > 0)
}

fn kept_pages(keep: &[GpaRange], frames: Frames) -> u64 {
    keep.iter().map(|range| Frames::inside(*range).intersection(frames).pages()).sum()
}

fn refused(error: Error, map: &[E820Entry], keep: &[GpaRange], nr_pages: u64) {
    let total = ram_pages(map);
    match error {
        Error::PagesAboveTotal { total: stated, .. } => {
            assert_eq!(stated, total);
            assert!(nr_pages > total);
        }
        Error::PagesBelowKept { kept, .. } => {
            assert_eq!(kept, ram(map).map(|frames| kept_pages(keep, frames)).sum::<u64>());
            assert!(nr_pages < kept);
        }
        Error::TooManyEntries { needed, max } => assert!(needed > max),
        Error::KeepMisaligned { index, range } => {
            assert_eq!(keep[index], range);
            assert!(range.start().0 % PAGE_SIZE != 0 || range.end().0 % PAGE_SIZE != 0);
        }
        Error::KeepNotAscending { index, .. } => {
            assert!(keep[index].start() < keep[index - 1].end());
        }
        other => panic!("{other}"),
    }
}

/// The pieces are the RAM's frames, each once, and no border of a range is inside one.
fn tiles(pieces: &[Piece], map: &[E820Entry], ranges: &[Vmemrange]) {
    let mut pieces = pieces.iter().map(Piece::frames).peekable();
    for frames in ram(map) {
        let mut at = frames.start;
        while at < frames.end {
            let piece = pieces.next().expect("a piece for each page");
            assert_eq!(piece.start, at);
            assert!(piece.pages() > 0 && piece.end <= frames.end);
            for border in ranges.iter().flat_map(|r| [r.range.start(), r.range.end()]) {
                let inside = piece.start.address() < border && border < piece.end.address();
                assert!(!inside, "{border:?} lies inside {piece:?}");
            }
            at = piece.end;
        }
    }
    assert!(pieces.next().is_none());
}

/// Each piece's share by exact arithmetic.
fn shares(trim: &Trim<'_>, keep: &[GpaRange], nr_pages: u64, rule: u8) {
    let pieces = trim.pieces();
    for piece in pieces {
        let kept = kept_pages(keep, piece.frames());
        assert!(kept <= piece.share() && piece.share() <= piece.frames().pages());
    }
    if rule > 1 || trim.merged() > 0 {
        return;
    }
    let free =
        |piece: &Piece| u128::from(piece.frames().pages() - kept_pages(keep, piece.frames()));
    let kept: u64 = pieces.iter().map(|piece| kept_pages(keep, piece.frames())).sum();
    let (rest, all) = (u128::from(nr_pages - kept), pieces.iter().map(free).sum::<u128>());
    let (mut seen, mut given) = (0, 0);
    for piece in pieces {
        seen += free(piece);
        given += u128::from(piece.share() - kept_pages(keep, piece.frames()));
        assert_eq!(given, (seen * rest).checked_div(all).unwrap_or(0));
    }
}

fn emitted(trim: &Trim<'_>, map: &[E820Entry], keep: &[GpaRange], nr_pages: u64, first_fit: bool) {
    let unused =
        E820Entry { range: GpaRange::new(Gpa(0), Gpa(1)).expect("a range"), kind: E820Type(77) };
    let needed = trim.len();
    assert_eq!(trim.is_empty(), needed == 0);
    if let Some(short) = needed.checked_sub(1) {
        let mut out = vec![unused; short];
        let error = trim.emit(&mut out).map(drop);
        assert_eq!(error, Err(Error::OutputTooSmall { needed, have: short }));
        assert!(out.iter().all(|entry| *entry == unused));
    }
    let mut out = vec![unused; needed + 1];
    assert_eq!(trim.emit(&mut out).map(|out| out.len()), Ok(needed));
    assert_eq!(out.pop(), Some(unused), "wrote past its length");
    for pair in out.windows(2) {
        assert!(pair[0].range.end() <= pair[1].range.start(), "{pair:?}");
    }
    // Everything but RAM stands as it was.
    let others = |map: &[E820Entry]| -> Vec<E820Entry> {
        map.iter()
            .filter(|entry| entry.kind != E820Type::RAM && entry.kind != E820Type::UNUSABLE)
            .copied()
            .collect()
    };
    assert_eq!(others(&out), others(map));
    assert_eq!(ram_pages(&out), nr_pages);
    let ram: Vec<Frames> = ram(&out).collect();
    let in_ram =
        |frames: Frames| ram.iter().map(|ram| ram.intersection(frames).pages()).sum::<u64>();
    for piece in trim.pieces() {
        let frames = piece.frames();
        assert_eq!(in_ram(frames), piece.share());
        for range in keep {
            let kept = Frames::inside(*range).intersection(frames);
            assert_eq!(in_ram(kept), kept.pages(), "a page to keep was cut");
        }
        if first_fit || keep.is_empty() {
            // Its first pages, and no others.
            let end = frames.start.up(piece.share());
            assert_eq!(in_ram(Frames { start: frames.start, end }), piece.share());
        }
    }
}

fn coverage(map: &[E820Entry], ranges: &[Vmemrange]) {
    let covered: u64 = ram(map)
        .flat_map(|ram| {
            ranges.iter().map(move |r| Frames::inside(r.range).intersection(ram).pages())
        })
        .sum();
    let total = ram_pages(map);
    match check_coverage(map, ranges) {
        Ok(()) => assert_eq!(covered, total),
        Err(Error::RamNotCovered { uncovered, total: stated, .. }) => {
            assert_eq!((uncovered, stated), (total - covered, total));
            assert!(uncovered > 0);
        }
        Err(other) => panic!("{other}"),
    }
}
