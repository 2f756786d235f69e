//! The entries of a trimmed map.

use acpi_gen::GpaRange;

use crate::e820::{E820Entry, E820Type, Piece, Rule, Trim};
use crate::{Frames, Pfn};

/// Entries in address order; neighbours of one type that come from one entry of
/// the host's map are one.
pub(super) fn entries(trim: Trim<'_>) -> impl Iterator<Item = E820Entry> + '_ {
    let mut segments = Segments::new(trim);
    let mut pending = segments.next();
    core::iter::from_fn(move || {
        let mut current = pending?;
        loop {
            pending = segments.next();
            match pending {
                Some(next) if current.continues_in(&next) => current.frames.end = next.frames.end,
                _ => return current.entry(trim.map),
            }
        }
    })
}

/// A stretch of an entry of the host's map that has one type.
#[derive(Clone, Copy)]
struct Segment {
    of: usize,
    frames: Frames,
    kind: E820Type,
    /// The host's entry unchanged: its borders need not be on pages.
    whole: bool,
}

impl Segment {
    fn continues_in(&self, next: &Self) -> bool {
        // A whole entry is its only segment.
        self.of == next.of && self.kind == next.kind && self.frames.end == next.frames.start
    }

    fn entry(&self, map: &[E820Entry]) -> Option<E820Entry> {
        let range: GpaRange =
            if self.whole { map.get(self.of)?.range } else { self.frames.range()? };
        Some(E820Entry { range, kind: self.kind })
    }
}

struct Segments<'t> {
    trim: Trim<'t>,
    /// The next entry of the host's map.
    of: usize,
    /// Pieces not yet written, the current one first.
    pieces: &'t [Piece],
    keep: &'t [GpaRange],
    /// Where the current piece goes on, and its free pages that are still to keep.
    at: Option<(Pfn, u64)>,
    /// Pages given so far.
    given: u64,
    total: u64,
}

impl<'t> Segments<'t> {
    fn new(trim: Trim<'t>) -> Self {
        Self {
            trim,
            of: 0,
            pieces: trim.pieces,
            keep: trim.keep,
            at: None,
            given: 0,
            total: trim.pages(),
        }
    }

    fn next(&mut self) -> Option<Segment> {
        loop {
            if let Some((piece, rest)) = self.pieces.split_first()
                && piece.entry < self.of
            {
                match self.within(piece) {
                    Some(segment) => return Some(segment),
                    None => {
                        self.given = self.given.saturating_add(piece.share);
                        self.pieces = rest;
                        self.at = None;
                        continue;
                    }
                }
            }
            let of = self.of;
            let entry = self.trim.map.get(of)?;
            self.of = of.saturating_add(1);
            let frames = Frames::inside(entry.range);
            if entry.kind != E820Type::RAM {
                return Some(Segment { of, frames, kind: entry.kind, whole: true });
            }
            // Xen marks a region that it has no page left for unchanged, and
            // drops one without a whole page before that.
            if self.trim.rule == Rule::FirstFit && self.given == self.total {
                while let Some((piece, rest)) = self.pieces.split_first()
                    && piece.entry == of
                {
                    self.pieces = rest;
                }
                return Some(Segment { of, frames, kind: E820Type::UNUSABLE, whole: true });
            }
        }
    }

    /// The next segment of the current piece: ranges to keep, and between them
    /// the free pages, of which the first are kept.
    fn within(&mut self, piece: &Piece) -> Option<Segment> {
        let (at, budget) =
            self.at.unwrap_or((piece.frames.start, piece.share.saturating_sub(piece.kept)));
        if at >= piece.frames.end {
            return None;
        }
        while let Some((first, rest)) = self.keep.split_first()
            && Frames::inside(*first).end <= at
        {
            self.keep = rest;
        }
        let end = piece.frames.end;
        let next_kept = self.keep.first().map(|range| Frames::inside(*range));
        let (kind, segment_end, budget) = match next_kept {
            Some(kept) if kept.start <= at => (E820Type::RAM, kept.end.min(end), budget),
            _ => {
                let free_end = next_kept.map_or(end, |kept| kept.start.min(end));
                let free = free_end.pages_from(at);
                if budget == 0 {
                    (E820Type::UNUSABLE, free_end, 0)
                } else {
                    let taken = free.min(budget);
                    (E820Type::RAM, at.up(taken), budget.saturating_sub(taken))
                }
            }
        };
        self.at = Some((segment_end, budget));
        let frames = Frames { start: at, end: segment_end };
        Some(Segment { of: piece.entry, frames, kind, whole: false })
    }
}
