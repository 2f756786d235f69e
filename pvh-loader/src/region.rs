//! The guest's memory map: regions with a kind, sorted, merged, and with the
//! tables' place cut out of the RAM. Xen public/arch-x86/hvm/start_info.h;
//! ACPI 6.5, 15 gives the same kinds.

use core::fmt;

use acpi_gen::{Gpa, GpaRange};

use crate::Error;
use crate::error::Span;

/// The most entries that a map may have: Linux's PVH entry copies 128
/// (E820_MAX_ENTRIES_ZEROPAGE) and leaves out the rest without a word.
pub const MAX_MAP_ENTRIES: usize = 128;

/// What a region is, `XEN_HVM_MEMMAP_TYPE_*`. Other values are carried as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct RegionKind(pub u32);

impl RegionKind {
    /// Usable RAM.
    pub const RAM: Self = Self(1);
    /// Not to be used.
    pub const RESERVED: Self = Self(2);
    /// ACPI tables, usable once they have been read.
    pub const ACPI: Self = Self(3);
    /// ACPI non-volatile storage.
    pub const NVS: Self = Self(4);
    /// RAM with errors.
    pub const UNUSABLE: Self = Self(5);
    /// Memory that is not enabled.
    pub const DISABLED: Self = Self(6);
    /// Persistent memory.
    pub const PMEM: Self = Self(7);
}

impl fmt::Display for RegionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::RAM => f.write_str("RAM"),
            Self::RESERVED => f.write_str("reserved"),
            Self::ACPI => f.write_str("ACPI"),
            Self::NVS => f.write_str("NVS"),
            Self::UNUSABLE => f.write_str("unusable"),
            Self::DISABLED => f.write_str("disabled"),
            Self::PMEM => f.write_str("persistent"),
            Self(kind) => write!(f, "kind {kind}"),
        }
    }
}

/// One entry of the memory map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Where it lies.
    pub range: GpaRange,
    /// What it is.
    pub kind: RegionKind,
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Span(self.range), self.kind)
    }
}

/// The entries that [`memory_map`] needs to be lent for `regions` regions: the
/// tables' place may cut one into three.
#[must_use]
pub const fn map_len(regions: usize) -> usize {
    regions.saturating_add(2)
}

/// Builds the memory map from `regions`, in any order, and from the place of the
/// tables, which becomes [`RegionKind::ACPI`]. Regions of one kind that touch
/// become one. The sort is by insertion, as maps come nearly sorted.
///
/// # Errors
/// [`Error::ListTooShort`] where `list` is shorter than [`map_len`] says,
/// [`Error::RegionsOverlap`], and [`Error::MapTooLong`] above [`MAX_MAP_ENTRIES`].
pub fn memory_map<'m>(
    regions: &[Region],
    tables: Option<GpaRange>,
    list: &'m mut [Option<Region>],
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
        map.cut(Region { range: tables, kind: RegionKind::ACPI })?;
    }
    map.merge();
    if map.len > MAX_MAP_ENTRIES {
        return Err(Error::MapTooLong { entries: map.len, max: MAX_MAP_ENTRIES });
    }
    let Builder { list, len } = map;
    let list: &'m [Option<Region>] = list;
    Ok(Map { list: list.get(..len).unwrap_or_default() })
}

/// A sorted and merged memory map in lent memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Map<'m> {
    list: &'m [Option<Region>],
}

impl<'m> Map<'m> {
    /// The regions in ascending order.
    pub fn regions(self) -> impl DoubleEndedIterator<Item = Region> + use<'m> {
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
        self.regions().filter(|region| region.kind == RegionKind::RAM).map(|region| region.range)
    }
}

/// The first `len` entries of `list` are regions in ascending order.
struct Builder<'m> {
    list: &'m mut [Option<Region>],
    len: usize,
}

impl Builder<'_> {
    /// Puts a region where its start belongs. The caller has seen to the room.
    fn insert(&mut self, region: Region) {
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
    fn cut(&mut self, piece: Region) -> Result<(), Error> {
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
            self.insert(Region { range, kind: whole.kind });
        }
        Ok(())
    }

    /// Makes one region of those of one kind that touch.
    fn merge(&mut self) {
        let mut kept = 0_usize;
        let mut last: Option<Region> = None;
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

fn start(region: Option<Region>) -> Option<Gpa> {
    region.map(|region| region.range.start())
}

fn join(lower: Region, upper: Region) -> Option<Region> {
    if lower.kind != upper.kind || lower.range.end() != upper.range.start() {
        return None;
    }
    let range = GpaRange::new(lower.range.start(), upper.range.end()).ok()?;
    Some(Region { range, kind: lower.kind })
}
