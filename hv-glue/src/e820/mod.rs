//! dom0's memory map: the host's, with RAM trimmed to what dom0 gets.
//!
//! [`Trim`] cuts RAM into [`Piece`]s in memory that the caller lends, gives each
//! its share of the pages, and writes the map. Three rules of sharing:
//!
//! - [`Trim::by_node`]: pieces split at the memory blocks' borders, in
//!   proportion, with ranges that are never cut. Firmware often reports one RAM
//!   region that spans several nodes; only so does each node keep its part.
//! - [`Trim::by_region`]: the seed's: whole regions in proportion.
//! - [`Trim::first_fit`]: Xen's today: in address order until all is given.

mod emit;
mod merge;
mod pieces;
mod share;

use acpi_gen::GpaRange;
pub use acpi_gen::{E820Entry, E820Type};

pub use pieces::Piece;

use crate::{Error, Frames, Pfn, Vmemrange, VnodeId};

/// The most entries of a PVH memory map before tables are added: Linux's PVH
/// entry takes 128 and cuts the rest silently.
pub const MAX_ENTRIES: usize = 120;

/// How a trim shares pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Proportional,
    FirstFit,
}

/// A trim that adds up: every piece has its share, and all shares are `nr_pages`.
#[derive(Debug)]
pub struct Trim<'a> {
    map: &'a [E820Entry],
    keep: &'a [GpaRange],
    pieces: &'a mut [Piece],
    rule: Rule,
    merged: u32,
}

impl<'a> Trim<'a> {
    /// Pieces that [`Trim::by_node`] cuts the map into: the dry run that sizes
    /// the slice to lend. The other rules take one for each RAM entry at most.
    ///
    /// # Errors
    /// [`Error::MapNotAscending`].
    pub fn pieces_needed(map: &[E820Entry], ranges: &[Vmemrange]) -> Result<usize, Error> {
        check_map(map)?;
        Ok(pieces::cut(map, ranges).count())
    }

    /// Shares `nr_pages` over RAM split at the borders of `ranges` (a layout's,
    /// one for each memory block): RAM in `keep` first, then each piece in
    /// proportion to the rest of its pages. A piece keeps its first pages.
    ///
    /// Where the map would pass `max_entries`, pieces of one node are merged, and
    /// [`Trim::merged`] says so.
    ///
    /// # Errors
    /// [`Error::MapNotAscending`], [`Error::KeepNotAscending`], [`Error::KeepMisaligned`],
    /// [`Error::PagesBelowKept`], [`Error::PagesAboveTotal`], [`Error::TooManyEntries`],
    /// [`Error::ScratchTooSmall`].
    pub fn by_node(
        map: &'a [E820Entry],
        ranges: &[Vmemrange],
        keep: &'a [GpaRange],
        nr_pages: u64,
        max_entries: usize,
        pieces: &'a mut [Piece],
    ) -> Result<Self, Error> {
        check_keep(keep)?;
        let mut trim = Self::cut(map, ranges, keep, Rule::Proportional, pieces)?;
        share::proportionally(trim.pieces, keep, nr_pages)?;
        merge::down_to(&mut trim, max_entries)?;
        Ok(trim)
    }

    /// The seed's trim, for comparison: each RAM region in proportion, wherever
    /// its nodes' borders are, and nothing kept.
    ///
    /// # Errors
    /// [`Error::MapNotAscending`], [`Error::PagesAboveTotal`], [`Error::ScratchTooSmall`].
    pub fn by_region(
        map: &'a [E820Entry],
        nr_pages: u64,
        pieces: &'a mut [Piece],
    ) -> Result<Self, Error> {
        let trim = Self::cut(map, &[], &[], Rule::Proportional, pieces)?;
        share::proportionally(trim.pieces, &[], nr_pages)?;
        Ok(trim)
    }

    /// Xen's trim (`pvh_setup_e820()`): RAM in address order until all is given.
    ///
    /// # Errors
    /// [`Error::MapNotAscending`], [`Error::PagesAboveTotal`], [`Error::ScratchTooSmall`].
    pub fn first_fit(
        map: &'a [E820Entry],
        nr_pages: u64,
        pieces: &'a mut [Piece],
    ) -> Result<Self, Error> {
        let trim = Self::cut(map, &[], &[], Rule::FirstFit, pieces)?;
        share::first_fit(trim.pieces, nr_pages)?;
        Ok(trim)
    }

    fn cut(
        map: &'a [E820Entry],
        ranges: &[Vmemrange],
        keep: &'a [GpaRange],
        rule: Rule,
        lent: &'a mut [Piece],
    ) -> Result<Self, Error> {
        let needed = Self::pieces_needed(map, ranges)?;
        let have = lent.len();
        let pieces = lent.get_mut(..needed).ok_or(Error::ScratchTooSmall { needed, have })?;
        for (slot, piece) in pieces.iter_mut().zip(pieces::cut(map, ranges)) {
            *slot = piece;
        }
        Ok(Self { map, keep, pieces, rule, merged: 0 })
    }

    /// The pieces with their shares, in address order.
    #[must_use]
    pub const fn pieces(&self) -> &[Piece] {
        self.pieces
    }

    /// Nodes whose pieces had to be merged to stay within the entries allowed.
    #[must_use]
    pub const fn merged(&self) -> u32 {
        self.merged
    }

    /// Pages that the trim keeps: exactly those asked for.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.pieces.iter().fold(0, |sum, piece| sum.saturating_add(piece.share))
    }

    /// Pages that dom0 keeps on a vnode (`None`: in no range), and those that the
    /// map has there.
    #[must_use]
    pub fn pages_of(&self, vnode: Option<VnodeId>) -> (u64, u64) {
        let of = self.pieces.iter().filter(|piece| piece.vnode == vnode);
        of.fold((0, 0), |(kept, all), piece| {
            (kept.saturating_add(piece.share), all.saturating_add(piece.frames.pages()))
        })
    }

    /// Entries that the trimmed map has.
    #[must_use]
    pub fn len(&self) -> usize {
        emit::entries(self).count()
    }

    /// Whether the trimmed map has no entries: the host's has none, or RAM alone without a whole page.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        emit::entries(self).next().is_none()
    }

    /// Writes the trimmed map and returns its part of `out`.
    ///
    /// # Errors
    /// [`Error::OutputTooSmall`]; `out` is unchanged then.
    pub fn emit<'o>(&self, out: &'o mut [E820Entry]) -> Result<&'o mut [E820Entry], Error> {
        let (needed, have) = (self.len(), out.len());
        let out = out.get_mut(..needed).ok_or(Error::OutputTooSmall { needed, have })?;
        for (slot, entry) in out.iter_mut().zip(emit::entries(self)) {
            *slot = entry;
        }
        Ok(out)
    }
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

/// The ranges that a trim for a dom0 keeps, as the kernel's load address is not
/// known yet: the first MiB, and from 16 MiB on room for a kernel and its modules.
#[must_use]
pub fn keep_for_kernel(modules_size: u64) -> [Option<GpaRange>; 2] {
    const MIB: u64 = 1 << 20;
    let room = modules_size.saturating_mul(8).max(MIB.saturating_mul(128));
    let room = room.checked_next_multiple_of(crate::PAGE_SIZE).unwrap_or(room);
    [
        GpaRange::new(acpi_gen::Gpa(0), acpi_gen::Gpa(MIB)).ok(),
        GpaRange::with_size(acpi_gen::Gpa(MIB.saturating_mul(16)), room).ok(),
    ]
}

/// The largest run of RAM in a map, in pages: one region must hold initrd and metadata.
#[must_use]
pub fn largest_ram_run(map: &[E820Entry]) -> u64 {
    let mut largest = 0;
    let mut run = Frames { start: Pfn(0), end: Pfn(0) };
    for entry in map.iter().filter(|entry| entry.kind == E820Type::RAM) {
        let frames = Frames::inside(entry.range);
        run = if frames.start == run.end { Frames { end: frames.end, ..run } } else { frames };
        largest = run.pages().max(largest);
    }
    largest
}

/// Whether every whole page of RAM lies in one of the ranges, which ascend.
///
/// # Errors
/// [`Error::RamNotCovered`] with the first gap and the sizes.
pub fn check_coverage(map: &[E820Entry], ranges: &[Vmemrange]) -> Result<(), Error> {
    check_map(map)?;
    let mut first = None;
    let mut uncovered = 0_u64;
    for piece in pieces::cut(map, ranges).filter(|piece| piece.vnode.is_none()) {
        first = first.or(Some(piece.frames.start));
        uncovered = uncovered.saturating_add(piece.frames.pages());
    }
    match first {
        Some(start) => Err(Error::RamNotCovered { start, uncovered, total: ram_pages(map) }),
        None => Ok(()),
    }
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
    let mut end = acpi_gen::Gpa(0);
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
