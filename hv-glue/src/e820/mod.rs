//! dom0's memory map: the host's, with RAM trimmed to what dom0 gets.
//!
//! RAM is cut into [`Piece`]s in the caller's memory, each piece gets its share of the
//! pages, and the map follows. Two rules of sharing:
//!
//! - By node: pieces end at the memory blocks' borders, and each node gets a proportional
//!   share, of which ranges that are never cut are a part. Firmware often reports one RAM
//!   region that spans several nodes; only so does each node keep its part.
//! - First-fit, Xen's own: in address order until all is given.

mod emit;
mod keep;
mod merge;
mod pieces;
mod share;

pub use acpi_gen::{E820Entry, E820Type};
use acpi_gen::{Gpa, GpaRange, MemoryRange, UncoveredRam};

pub(crate) use keep::{LEAST_TO_KEEP, Survey, low_floor, low_pages, ranges_to_keep};
pub use pieces::Piece;

use crate::{Error, Frames, PAGE_SIZE};

/// The most entries of a dom0's map before tables are added: Linux's PVH entry takes 128
/// and drops the rest silently.
pub(crate) const MAX_ENTRIES: usize = 120;

/// How a trim shares pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Proportional,
    FirstFit,
}

/// A trim that adds up: every piece has its share, and all shares are `nr_pages`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trim<'a> {
    pub(crate) map: &'a [E820Entry],
    pub(crate) keep: &'a [GpaRange],
    pub(crate) pieces: &'a [Piece],
    pub(crate) rule: Rule,
    /// Nodes whose pieces had to be merged to stay within the entries allowed.
    pub(crate) merged: u32,
}

impl<'a> Trim<'a> {
    /// Shares `nr_pages` over RAM split at the borders of `ranges` (a layout's, one for each
    /// memory block): each node in proportion to its pages. RAM in `keep` is a part of its
    /// node's share. Where it exceeds the share, it is all that the node gets, and the shares
    /// of the others shrink in proportion. A piece keeps its first pages.
    ///
    /// Where the map would have more than `max_entries`, pieces of one node are merged.
    pub(crate) fn by_node(
        map: &'a [E820Entry],
        ranges: &[MemoryRange],
        keep: &'a [GpaRange],
        nr_pages: u64,
        max_entries: usize,
        pieces: &'a mut [Piece],
    ) -> Result<Self, Error> {
        check_keep(keep)?;
        let pieces = cut(map, ranges, pieces)?;
        pieces::link(pieces);
        share::by_node(pieces, keep, nr_pages)?;
        let trim = Trim { map, keep, pieces: &[], rule: Rule::Proportional, merged: 0 };
        let entries = |pieces: &[Piece]| Trim { pieces, ..trim }.entries().count();
        let merged = merge::down_to(max_entries, pieces, entries)?;
        Ok(Self { pieces, merged, ..trim })
    }

    /// Xen's trim (`pvh_setup_e820()`): RAM in address order until all is given.
    pub(crate) fn first_fit(
        map: &'a [E820Entry],
        nr_pages: u64,
        pieces: &'a mut [Piece],
    ) -> Result<Self, Error> {
        let pieces = cut(map, &[], pieces)?;
        share::first_fit(pieces, nr_pages)?;
        Ok(Self { map, keep: &[], pieces, rule: Rule::FirstFit, merged: 0 })
    }

    /// Pages that the trim keeps: exactly those asked for.
    fn pages(&self) -> u64 {
        self.pieces.iter().fold(0, |sum, piece| sum.saturating_add(piece.share))
    }

    #[inline(never)]
    pub(crate) fn survey(self) -> Survey {
        Survey::of(self.entries())
    }

    /// The entries of the trimmed map, ascending.
    pub(crate) fn entries(self) -> impl Iterator<Item = E820Entry> + 'a {
        emit::entries(self)
    }
}

/// Cuts the map into pieces in the caller's slice.
fn cut<'p>(
    map: &[E820Entry],
    ranges: &[MemoryRange],
    slots: &'p mut [Piece],
) -> Result<&'p mut [Piece], Error> {
    check_map(map)?;
    let (needed, have) = (pieces::cut(map, ranges).count(), slots.len());
    let pieces = slots.get_mut(..needed).ok_or(Error::ScratchTooSmall { needed, have })?;
    for (slot, piece) in pieces.iter_mut().zip(pieces::cut(map, ranges)) {
        *slot = piece;
    }
    Ok(pieces)
}

/// Whole 4 KiB pages of RAM in a map: what a dom0's share is a share of.
#[must_use]
pub fn ram_pages(map: &[E820Entry]) -> u64 {
    let ram = map.iter().filter(|entry| entry.kind == E820Type::RAM);
    ram.fold(0, |sum, entry| sum.saturating_add(Frames::inside(entry.range).pages()))
}

/// `percent` of the RAM of a map in pages, rounded down: `dom0_mem=35%`.
#[must_use]
pub fn percent_of_ram(map: &[E820Entry], percent: u32) -> u64 {
    // At most 2^52 pages times a percentage of at most 4,096 stays in 64 bits.
    ram_pages(map).saturating_mul(u64::from(percent.min(4096))) / 100
}

/// Whole pages of RAM that are in none of the ranges, which ascend.
pub(crate) fn uncovered_pages(map: &[E820Entry], ranges: &[MemoryRange]) -> Result<u64, Error> {
    check_map(map)?;
    let ram = map.iter().filter(|entry| entry.kind == E820Type::RAM);
    let pages = ram.filter_map(|entry| Frames::inside(entry.range).range());
    Ok(UncoveredRam::new(pages, ranges.iter().map(|memory| memory.range)).uncovered / PAGE_SIZE)
}

fn check_map(map: &[E820Entry]) -> Result<(), Error> {
    for (index, pair) in (1_usize..).zip(map.windows(2)) {
        if let [previous, this] = pair
            && this.range.start() < previous.range.end()
        {
            return Err(Error::MapNotAscending {
                index,
                range: this.range,
                previous: previous.range,
            });
        }
    }
    Ok(())
}

fn check_keep(keep: &[GpaRange]) -> Result<(), Error> {
    let mut end = Gpa(0);
    for (index, &range) in keep.iter().enumerate() {
        if !crate::units::is_page_aligned(range) {
            return Err(Error::KeepMisaligned { index, range });
        }
        if range.start() < end {
            return Err(Error::KeepNotAscending { index, range });
        }
        end = range.end();
    }
    Ok(())
}
