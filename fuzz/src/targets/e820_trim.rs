//! The trim of dom0's memory map: exact totals, kept ranges, each piece its share
//! by 128-bit arithmetic and its first pages, and a map that holds together.

use acpi_gen::{Gpa, GpaRange, ProximityDomain};
use arbitrary::{Arbitrary, Unstructured};
use hv_glue::e820::{E820Entry, E820Type, ram_pages};
use hv_glue::{
    Dom0Plan, Dom0Request, Error, Frames, HostCpu, MemoryBlock, MemoryRequest, NodeId, PAGE_SIZE,
    PcpuId, Pfn,
};

use crate::host::{self, Block, Entry, HostParts};
use crate::ranges::Size;
use crate::{Interest, encode};

/// A map, the memory blocks, and what to keep.
#[derive(Arbitrary, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// By node where there are several, else first-fit.
    pub pvh: bool,
    /// Pages to keep, as a fraction of 256 of the whole.
    pub fraction: u8,
    /// Added to that.
    pub pages: u16,
    /// The host's map.
    pub map: Vec<Entry>,
    /// The memory blocks.
    pub ranges: Vec<Block>,
    /// Ranges to keep.
    pub keep: Vec<Kept>,
}
encode::encode_fields!(Input { pvh, fraction, pages, map, ranges, keep });

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
    let mut blocks = host::blocks(&input.ranges);
    blocks.retain(|block| Frames::inside(block.range).range() == Some(block.range));
    blocks.sort_by_key(|block| block.range.start());
    blocks.dedup_by(|second, first| first.range.overlaps(second.range));
    blocks.iter_mut().for_each(|block| block.node = NodeId(block.node.0 % 32));
    let host = HostParts {
        map: host::map(&input.map),
        blocks,
        cpus: vec![HostCpu { pcpu: PcpuId(0), node: NodeId(0) }],
        node_to_pxm: (0..32).map(|node| Some(ProximityDomain(node))).collect(),
        distances: Vec::new(),
    };
    let map = &host.map;
    let keep: Vec<_> = input.keep.iter().map(|kept| (kept.gap, kept.size)).collect();
    let keep = host::ranges(&keep);
    let whole = ram_pages(map);
    let asked = u128::from(whole) * u128::from(input.fraction) / 255;
    let nr_pages = u64::try_from(asked).expect("a part of 64 bits") + u64::from(input.pages);

    let request = Dom0Request { pvh: input.pvh, pinned: true, vcpus: 1, pcpus: 1, partial: true };
    let mut arena = host.arena(1);
    let mut plan = Dom0Plan::new();
    if let Err(error) = plan.build(host.facts(), request, arena.slices()) {
        assert!(matches!(error, Error::MapNotAscending { .. }));
        assert!(map.windows(2).any(|pair| pair[1].range.start() < pair[0].range.end()));
        return Interest::Keep;
    }
    let memory = MemoryRequest { nr_pages, modules: 0, keep: Some(&keep) };
    if let Err(error) = plan.trim(memory) {
        assert!(matches!(error, Error::PagesAboveTotal { .. }), "{error}");
        refused(error, map, &[], nr_pages);
        return Interest::Keep;
    }
    if let Some(error) = plan.first_fit() {
        refused(error, map, &keep, nr_pages);
    }
    let nodes = host.blocks.iter().map(|block| block.node).chain([NodeId(0)]);
    let several = nodes.collect::<std::collections::BTreeSet<_>>().len() > 1;
    let by_node = input.pvh && several && host.blocks.len() <= 170 && plan.first_fit().is_none();
    let out: Vec<_> = plan.memory_map().collect();
    emitted(&out, map, nr_pages);
    if by_node {
        assert!(out.len() <= 120);
        shares(&out, &host, &keep, nr_pages, plan.merged() == 0);
    } else {
        // In address order: once a page is not dom0's, none above it is.
        let mut given = 0;
        for frames in ram(map) {
            let kept = in_ram(&out, frames);
            assert_eq!(kept, frames.pages().min(nr_pages - given));
            given += kept;
        }
    }
    if plan.refusal().is_none() {
        let covered: u64 = ram(map)
            .flat_map(|ram| {
                let of = move |block: &MemoryBlock| Frames::inside(block.range).intersection(ram);
                host.blocks.iter().map(move |block| of(block).pages())
            })
            .sum();
        assert_eq!(plan.gate().uncovered_pages(), whole - covered);
    }
    Interest::Keep
}

/// RAM pages of a map in these frames.
fn in_ram(map: &[E820Entry], frames: Frames) -> u64 {
    ram(map).map(|ram| ram.intersection(frames).pages()).sum()
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
        Error::TooManyEntries { needed, max } => assert!(needed > max && max == 120),
        Error::KeepMisaligned { index, range } => {
            assert_eq!(keep[index], range);
            assert!(range.start().0 % PAGE_SIZE != 0 || range.end().0 % PAGE_SIZE != 0);
        }
        Error::KeepNotAscending { index, .. } => {
            assert!(keep[index].start() < keep[index - 1].end());
        }
        Error::NoRoomForModules { modules: 0 } => {}
        other => panic!("{other}"),
    }
}

/// RAM cut at the blocks' borders, each piece with the node of the block that has it.
fn pieces(host: &HostParts) -> Vec<(Frames, Option<NodeId>)> {
    let mut pieces = Vec::new();
    for frames in ram(&host.map) {
        let borders = host.blocks.iter().flat_map(|b| [b.range.start(), b.range.end()]);
        let inside = |border: &Pfn| frames.start < *border && *border < frames.end;
        let mut at = frames.start;
        for border in borders.map(|border| Pfn(border.0 >> 12)).filter(inside).chain([frames.end]) {
            if at < border {
                let has = |block: &&MemoryBlock| block.range.contains(Gpa(at.0 << 12));
                let node = host.blocks.iter().find(has).map(|block| block.node);
                pieces.push((Frames { start: at, end: border }, node));
                at = border;
            }
        }
    }
    pieces
}

/// Each node's share by exact arithmetic, each piece's of it, its first pages, and every page to
/// keep.
fn shares(out: &[E820Entry], host: &HostParts, keep: &[GpaRange], nr_pages: u64, exact: bool) {
    let mut nodes: Vec<(Option<NodeId>, Vec<Frames>)> = Vec::new();
    for (piece, node) in pieces(host) {
        match nodes.iter_mut().find(|(other, _)| *other == node) {
            Some((_, pieces)) => pieces.push(piece),
            None => nodes.push((node, vec![piece])),
        }
    }
    let sum = |pieces: &[Frames], pages: &dyn Fn(Frames) -> u64| -> u128 {
        pieces.iter().map(|piece| u128::from(pages(*piece))).sum()
    };
    let kept = |pieces: &[Frames]| sum(pieces, &|piece| kept_pages(keep, piece));
    let all = |pieces: &[Frames]| sum(pieces, &Frames::pages);
    // The nodes that have most of their pages kept are the first to get those alone.
    let mut by_kept: Vec<_> = nodes.iter().map(|(_, pieces)| (kept(pieces), all(pieces))).collect();
    by_kept.sort_by(|a, b| (b.0 * a.1).cmp(&(a.0 * b.1)));
    let mut rest = u128::from(nr_pages);
    let mut open: u128 = by_kept.iter().map(|(_, all)| all).sum();
    for (kept, all) in by_kept {
        if kept * open <= rest * all {
            break;
        }
        (rest, open) = (rest - kept, open - all);
    }

    let (mut seen, mut given) = (0, 0);
    for (_, pieces) in &nodes {
        let (kept, all) = (kept(pieces), all(pieces));
        let share = sum(pieces, &|piece| in_ram(out, piece));
        if kept * open > rest * all {
            assert_eq!(share, kept);
        } else {
            (seen, given) = (seen + all, given + share);
            assert_eq!(given, (seen * rest).checked_div(open).unwrap_or(0));
        }
        let (mut free_seen, mut free_given) = (0, 0);
        for piece in pieces {
            let (got, kept_here) = (in_ram(out, *piece), kept_pages(keep, *piece));
            free_seen += u128::from(piece.pages() - kept_here);
            free_given += u128::from(got - kept_here);
            let of_node = (free_seen * (share - kept)).checked_div(all - kept);
            assert!(!exact || free_given == of_node.unwrap_or(0));
            for range in keep {
                let kept = Frames::inside(*range).intersection(*piece);
                assert_eq!(in_ram(out, kept), kept.pages(), "a page to keep was cut");
            }
            if keep.is_empty() {
                let end = Pfn(piece.start.0 + got);
                assert_eq!(in_ram(out, Frames { start: piece.start, end }), got);
            }
        }
    }
}

fn emitted(out: &[E820Entry], map: &[E820Entry], nr_pages: u64) {
    for pair in out.windows(2) {
        assert!(pair[0].range.end() <= pair[1].range.start(), "{pair:?}");
    }
    // Everything but RAM is as it was.
    let others = |map: &[E820Entry]| -> Vec<E820Entry> {
        let ours = [E820Type::RAM, E820Type::UNUSABLE];
        map.iter().filter(|entry| !ours.contains(&entry.kind)).copied().collect()
    };
    assert_eq!(others(out), others(map));
    assert_eq!(ram_pages(out), nr_pages);
}
