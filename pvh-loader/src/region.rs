//! The guest's memory map: regions with a kind, sorted, merged, and with the
//! tables' place cut out of the RAM. Xen public/arch-x86/hvm/start_info.h;
//! ACPI 6.5, 15 gives the same kinds.

use acpi_gen::{E820Entry, E820Type, Gpa, GpaRange};

use crate::Error;

/// The most entries that a map may have: Linux's PVH entry copies 128
/// (E820_MAX_ENTRIES_ZEROPAGE) and leaves out the rest without a word.
pub(crate) const MAX_MAP_ENTRIES: usize = 128;

/// The entries that [`memory_map`] needs for `regions` regions: the
/// tables' place may cut one into three.
#[must_use]
pub const fn map_len(regions: usize) -> usize {
    regions.saturating_add(2)
}

/// Builds the memory map from `regions`, in any order, and from the place of the
/// tables, which becomes [`E820Type::ACPI`]. Regions of one kind that touch
/// become one. The sort is by insertion, as maps come nearly sorted.
///
/// # Errors
/// [`Error::ListTooShort`] where `list` is shorter than [`map_len`] says,
/// [`Error::RegionsOverlap`], and [`Error::MapTooLong`] above 128 entries.
pub fn memory_map<'m>(
    regions: &[E820Entry],
    tables: Option<GpaRange>,
    list: &'m mut [Option<E820Entry>],
) -> Result<Map<'m>, Error> {
    let needed = map_len(regions.len());
    if list.len() < needed {
        return Err(Error::ListTooShort { list: "memory map", needed, have: list.len() });
    }
    let mut map = Builder { list, len: 0 };
    for &region in regions {
        map.insert(region);
    }
    map.check()?;
    if let Some(tables) = tables {
        map.cut(E820Entry { range: tables, kind: E820Type::ACPI })?;
    }
    map.merge();
    if map.len > MAX_MAP_ENTRIES {
        return Err(Error::MapTooLong { entries: map.len, max: MAX_MAP_ENTRIES });
    }
    let Builder { list, len } = map;
    let list: &'m [Option<E820Entry>] = list;
    Ok(Map { list: list.get(..len).unwrap_or_default() })
}

/// A sorted and merged memory map in caller-provided memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Map<'m> {
    list: &'m [Option<E820Entry>],
}

impl<'m> Map<'m> {
    /// The regions in ascending order.
    pub fn regions(self) -> impl DoubleEndedIterator<Item = E820Entry> + use<'m> {
        self.list.iter().flatten().copied()
    }

    /// The number of regions.
    #[must_use]
    pub const fn len(self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.list.is_empty()
    }

    /// The regions of RAM in ascending order.
    pub(crate) fn ram(self) -> impl DoubleEndedIterator<Item = GpaRange> + use<'m> {
        self.regions().filter(|region| region.kind == E820Type::RAM).map(|region| region.range)
    }
}

/// The first `len` entries of `list` are regions in ascending order.
struct Builder<'m> {
    list: &'m mut [Option<E820Entry>],
    len: usize,
}

impl Builder<'_> {
    /// Puts a region where its start belongs. The caller has seen to the room.
    fn insert(&mut self, region: E820Entry) {
        let mut at = self.len;
        if let Some(slot) = self.list.get_mut(at) {
            *slot = Some(region);
            self.len = self.len.saturating_add(1);
        }
        while let Some(below) = at.checked_sub(1)
            && let Ok([lower, this]) = self.list.get_disjoint_mut([below, at])
            && start(*lower) > start(*this)
        {
            core::mem::swap(lower, this);
            at = below;
        }
    }

    /// Refuses regions that share addresses.
    fn check(&self) -> Result<(), Error> {
        for pair in self.list.get(..self.len).unwrap_or_default().windows(2) {
            if let [Some(first), Some(second)] = *pair
                && first.range.overlaps(second.range)
            {
                return Err(Error::RegionsOverlap { first, second });
            }
        }
        Ok(())
    }

    /// Gives `piece` its own kind, and what is left of the region it lies in its old one.
    fn cut(&mut self, piece: E820Entry) -> Result<(), Error> {
        let holder = self.list.iter_mut().take(self.len).flatten().find(|region| {
            region.range.start() <= piece.range.start() && piece.range.end() <= region.range.end()
        });
        let Some(holder) = holder else {
            return Err(Error::NotGuestMemory { range: piece.range });
        };
        let whole = core::mem::replace(holder, piece);
        let rests = [
            GpaRange::new(whole.range.start(), piece.range.start()),
            GpaRange::new(piece.range.end(), whole.range.end()),
        ];
        for range in rests.into_iter().flatten() {
            self.insert(E820Entry { range, kind: whole.kind });
        }
        Ok(())
    }

    /// Makes one region of those of one kind that touch.
    fn merge(&mut self) {
        let mut kept = 0_usize;
        let mut last: Option<E820Entry> = None;
        for at in 0..self.len {
            let Some(region) = self.list.get(at).copied().flatten() else { continue };
            let joined = last.and_then(|last| join(last, region));
            if joined.is_none() && last.is_some() {
                kept = kept.saturating_add(1);
            }
            last = Some(joined.unwrap_or(region));
            if let Some(slot) = self.list.get_mut(kept) {
                *slot = last;
            }
        }
        self.len = if last.is_some() { kept.saturating_add(1) } else { 0 };
    }
}

fn start(region: Option<E820Entry>) -> Option<Gpa> {
    region.map(|region| region.range.start())
}

fn join(lower: E820Entry, upper: E820Entry) -> Option<E820Entry> {
    if lower.kind != upper.kind || lower.range.end() != upper.range.start() {
        return None;
    }
    let range = GpaRange::new(lower.range.start(), upper.range.end()).ok()?;
    Some(E820Entry { range, kind: lower.kind })
}
