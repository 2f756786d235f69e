//! Finding room in a guest's RAM beside what is there already.

use acpi_gen::{Gpa, GpaRange};

use crate::bytes::align_up;
use crate::region::Map;
use crate::{FOUR_GIB, ONE_MIB};

/// What a place must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// In bytes, not 0.
    pub(crate) size: u64,
    /// A power of two.
    pub(crate) align: u64,
    /// The lowest start.
    pub(crate) from: Gpa,
    /// The highest end.
    pub(crate) limit: Gpa,
}

/// The RAM below 4 GiB without the first MiB and without what is taken. A search
/// is linear in the regions and at worst quadratic in the taken ranges.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Space<'a> {
    pub(crate) map: Map<'a>,
    /// Ranges that the caller keeps.
    pub(crate) reserved: &'a [GpaRange],
    /// Ranges that are in use until the guest is entered.
    pub(crate) busy: &'a [GpaRange],
    /// What has been placed so far.
    pub(crate) placed: [Option<GpaRange>; 3],
}

impl Space<'_> {
    /// What shares addresses with `range`, if anything does.
    pub(crate) fn taken_by(&self, range: GpaRange, also: &[Option<GpaRange>]) -> Option<GpaRange> {
        let low = GpaRange::new(Gpa(0), ONE_MIB).ok();
        let mut taken = self.reserved.iter().chain(self.busy).copied();
        let mut placed =
            low.iter().chain(self.placed.iter().flatten()).chain(also.iter().flatten());
        taken
            .find(|it| it.overlaps(range))
            .or_else(|| placed.find(|it| it.overlaps(range)).copied())
    }

    /// Whether `range` is RAM.
    pub(crate) fn is_ram(&self, range: GpaRange) -> bool {
        self.map.ram().any(|ram| ram.start() <= range.start() && range.end() <= ram.end())
    }

    /// The lowest place.
    pub(crate) fn lowest(&self, wish: Wish) -> Option<GpaRange> {
        self.map.ram().find_map(|ram| {
            let mut from = ram.start().max(wish.from).0;
            let limit = ram.end().min(wish.limit).min(FOUR_GIB);
            loop {
                let start = align_up(from, wish.align)?;
                let range = GpaRange::with_size(Gpa(start), wish.size).ok()?;
                if range.end() > limit {
                    return None;
                }
                match self.taken_by(range, &[]) {
                    // Above `from`, so each round goes on past one taken range.
                    Some(taken) => from = taken.end().0,
                    None => return Some(range),
                }
            }
        })
    }

    /// The highest place; `also` is taken too.
    pub(crate) fn highest(&self, wish: Wish, also: &[Option<GpaRange>]) -> Option<GpaRange> {
        self.map.ram().rev().find_map(|ram| {
            let floor = ram.start().max(wish.from);
            let mut end = ram.end().min(wish.limit).min(FOUR_GIB).0;
            loop {
                let start = end.checked_sub(wish.size)? & !wish.align.checked_sub(1)?;
                if start < floor.0 {
                    return None;
                }
                let range = GpaRange::with_size(Gpa(start), wish.size).ok()?;
                match self.taken_by(range, also) {
                    // Below `end`, so each round goes on past one taken range.
                    Some(taken) => end = taken.start().0,
                    None => return Some(range),
                }
            }
        })
    }
}
