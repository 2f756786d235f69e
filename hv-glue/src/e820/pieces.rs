//! Cutting RAM at the borders of memory blocks.

use acpi_gen::{MemoryRange, ProximityDomain};

use crate::e820::{E820Entry, E820Type};
use crate::{Frames, Pfn};

/// Whole pages of one RAM region on one node: scratch space of a trim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub(super) frames: Frames,
    pub(super) domain: Option<ProximityDomain>,
    /// Index of its entry in the map.
    pub(super) entry: usize,
    /// Pages in ranges to keep, at most `share`.
    pub(super) kept: u64,
    /// Pages that dom0 gets here.
    pub(super) share: u64,
    /// Whether it is the first of its node.
    pub(super) first: bool,
    /// Index of its node's next piece.
    pub(super) next: Option<usize>,
    /// Of a node's first piece: whether the node gets the ranges to keep and no more.
    pub(super) kept_alone: bool,
    /// Whether its node's share was gathered in as few pieces as hold it.
    pub(super) merged: bool,
}

impl Piece {
    /// A value for the slots of a caller's slice.
    pub const UNUSED: Self = Self {
        frames: Frames { start: Pfn(0), end: Pfn(0) },
        domain: None,
        entry: 0,
        kept: 0,
        share: 0,
        first: true,
        next: None,
        kept_alone: false,
        merged: false,
    };

    /// Pages outside the ranges to keep.
    pub(super) const fn free(&self) -> u64 {
        self.frames.pages().saturating_sub(self.kept)
    }
}

/// Links the pieces of each node in address order. O(pieces * nodes).
pub(super) fn link(pieces: &mut [Piece]) {
    for at in 0..pieces.len() {
        let Some((piece, above)) = pieces.get_mut(at..).and_then(<[Piece]>::split_first_mut) else {
            return;
        };
        let next = above.iter_mut().zip(at.saturating_add(1)..);
        let same_node = |(other, _): &(&mut Piece, usize)| other.domain == piece.domain;
        piece.next = next.into_iter().find(same_node).map(|(other, next)| {
            other.first = false;
            next
        });
    }
}

/// Visits the pieces of the node whose first has this index.
pub(super) fn visit(pieces: &mut [Piece], first: usize, mut visit: impl FnMut(&mut Piece)) {
    let mut at = Some(first);
    while let Some(piece) = at.and_then(|at| pieces.get_mut(at)) {
        visit(piece);
        at = piece.next;
    }
}

/// The pieces of the node whose first has this index.
pub(super) fn of_node(pieces: &[Piece], first: usize) -> impl Iterator<Item = &Piece> {
    let mut at = Some(first);
    core::iter::from_fn(move || {
        let piece = pieces.get(at?)?;
        at = piece.next;
        Some(piece)
    })
}

/// The pieces of a map in address order. Both slices ascend, so one walk over
/// both is enough.
pub(super) fn cut<'a>(
    map: &'a [E820Entry],
    ranges: &'a [MemoryRange],
) -> impl Iterator<Item = Piece> + 'a {
    let mut walk = Walk { map, ranges, entry: 0, at: Pfn(0) };
    core::iter::from_fn(move || walk.next())
}

struct Walk<'a> {
    map: &'a [E820Entry],
    /// Ranges that do not end before `at`.
    ranges: &'a [MemoryRange],
    entry: usize,
    at: Pfn,
}

impl Walk<'_> {
    fn next(&mut self) -> Option<Piece> {
        loop {
            let entry = self.map.get(self.entry)?;
            let ram = Frames::inside(entry.range);
            let start = self.at.max(ram.start);
            if entry.kind != E820Type::RAM || start >= ram.end {
                self.entry = self.entry.saturating_add(1);
                continue;
            }
            while let Some((first, rest)) = self.ranges.split_first()
                && Pfn::containing(first.range.end()) <= start
            {
                self.ranges = rest;
            }
            let (domain, end) = match self.ranges.first() {
                Some(range) => {
                    let frames = Frames::inside(range.range);
                    if frames.start <= start {
                        (Some(range.domain), frames.end)
                    } else {
                        (None, frames.start)
                    }
                }
                None => (None, ram.end),
            };
            let frames = Frames { start, end: end.min(ram.end) };
            self.at = frames.end;
            return Some(Piece { frames, domain, entry: self.entry, ..Piece::UNUSED });
        }
    }
}
