//! The memory entries of an SRAT as consumers see them, and the RAM that they cover, both
//! in ascending order of address.

use core::iter::Peekable;

use crate::{Gpa, GpaRange, ProximityDomain, Srat, SratEntry, SubTable, UncoveredRam, sort};

/// An enabled memory entry.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub(super) offset: usize,
    pub(super) start: u64,
    /// First address past it; 2^64 - 1 where the entry passes 2^64.
    pub(super) end: u64,
    pub(super) domain: ProximityDomain,
    pub(super) hot_pluggable: bool,
    /// The length as it stands in the entry.
    pub(super) length: u64,
}

impl Extent {
    pub(super) fn passes_end(&self) -> bool {
        self.start.checked_add(self.length).is_none()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(super) fn range(&self) -> Option<GpaRange> {
        GpaRange::new(Gpa(self.start), Gpa(self.end)).ok()
    }

    /// A revision below 2 has 8 bits of domain.
    fn of(entry: SubTable<'_>, revision: u8) -> Option<Self> {
        let mask = if revision < 2 { 0xFF } else { u32::MAX };
        match SratEntry::parse(entry).ok()? {
            SratEntry::Memory { domain, base, length, flags } if flags & 1 != 0 => Some(Self {
                offset: entry.offset,
                start: base,
                end: base.saturating_add(length),
                domain: ProximityDomain(domain.0 & mask),
                hot_pluggable: flags & 2 != 0,
                length,
            }),
            _ => None,
        }
    }
}

/// The enabled memory entries in the order of the table.
pub(super) fn extents<'a>(srat: &Srat<'a>) -> impl Iterator<Item = Extent> + Clone + use<'a> {
    let revision = srat.table().revision();
    srat.sub_tables().filter_map(move |entry| Extent::of(entry.ok()?, revision))
}

/// Words of scratch space that [`by_address`] and [`Ram::new`] take together.
pub(super) fn scratch_len(srat: &Srat<'_>, map_entries: usize) -> usize {
    extents(srat).count().saturating_add(map_entries).saturating_mul(2)
}

/// Sorts what `items` names by `key`, and returns it with the rest of the scratch space.
fn sorted(
    scratch: &mut [u32],
    items: impl Iterator<Item = usize> + Clone,
    key: impl Fn(u32) -> u64,
) -> (&[u32], &mut [u32]) {
    let count = items.clone().count();
    let (space, rest) = scratch.split_at_mut_checked(count.saturating_mul(2)).unwrap_or_default();
    let (places, spare) = space.split_at_mut_checked(count).unwrap_or_default();
    for (slot, item) in places.iter_mut().zip(items) {
        *slot = u32::try_from(item).unwrap_or(u32::MAX);
    }
    (sort::by_key(places, spare, key), rest)
}

/// The memory entries in ascending order of address, empty ones left out, and the rest of
/// the scratch space. Entries from the same address keep their order.
pub(super) fn by_address<'a, 's>(
    srat: &'s Srat<'a>,
    scratch: &'s mut [u32],
) -> (impl Iterator<Item = Extent> + Clone + use<'a, 's>, &'s mut [u32]) {
    let at = |offset: &u32| {
        let entry = srat.sub_table_at(usize::try_from(*offset).ok()?)?;
        Extent::of(entry, srat.table().revision())
    };
    let filled = extents(srat).filter(|extent| !extent.is_empty()).map(|extent| extent.offset);
    let start = |offset| at(&offset).map_or(0, |extent| extent.start);
    let (offsets, rest) = sorted(scratch, filled, start);
    (offsets.iter().filter_map(at), rest)
}

/// RAM in ascending order of address, no byte of it twice: a log may have a map twice.
#[derive(Clone)]
pub(super) struct Ram<'a> {
    map: &'a [crate::E820Entry],
    places: core::slice::Iter<'a, u32>,
    /// Where the RAM before ends.
    end: u64,
}

impl<'a> Ram<'a> {
    /// The entries of the map that are RAM by `is_ram`.
    pub(super) fn new(
        map: &'a [crate::E820Entry],
        is_ram: impl Fn(&crate::E820Entry) -> bool,
        scratch: &'a mut [u32],
    ) -> Self {
        let entry = |place: u32| map.get(usize::try_from(place).ok()?);
        let of_ram = map.iter().enumerate().filter(|(_, it)| is_ram(it)).map(|(place, _)| place);
        let start = |place| entry(place).map_or(0, |entry| entry.range.start().0);
        let (places, _) = sorted(scratch, of_ram, start);
        Self { map, places: places.iter(), end: 0 }
    }

    /// The first address past all RAM.
    pub(super) fn end(self) -> u64 {
        self.last().map_or(0, |range| range.end().0)
    }
}

impl Iterator for Ram<'_> {
    type Item = GpaRange;

    fn next(&mut self) -> Option<GpaRange> {
        loop {
            let range = self.map.get(usize::try_from(*self.places.next()?).ok()?)?.range;
            let start = range.start().0.max(self.end);
            self.end = self.end.max(range.end().0);
            if let Ok(range) = GpaRange::new(Gpa(start), range.end()) {
                return Some(range);
            }
        }
    }
}

/// Tells which of ascending ranges have RAM in them.
pub(super) struct WithRam<I: Iterator<Item = GpaRange>>(Peekable<I>);

impl<I: Iterator<Item = GpaRange>> WithRam<I> {
    /// `ram` ascends and has no byte twice.
    pub(super) fn new(ram: I) -> Self {
        Self(ram.peekable())
    }

    /// Whether there is RAM in an entry; its address is not below that of the one before.
    pub(super) fn is_in(&mut self, extent: &Extent) -> bool {
        while self.0.next_if(|ram| ram.end().0 <= extent.start).is_some() {}
        self.0.peek().is_some_and(|ram| ram.start().0 < extent.end)
    }
}

/// Reports each of ascending entries that shares addresses with one before it: with one of
/// another domain if there is such a one.
pub(super) fn overlaps(
    extents: impl Iterator<Item = Extent>,
    mut report: impl FnMut(&Extent, &Extent),
) {
    // The entry that reaches furthest, and of the entries of other domains the one that does.
    let (mut furthest, mut other): (Option<Extent>, Option<Extent>) = (None, None);
    for extent in extents {
        let apart = |before: &Extent| before.domain != extent.domain;
        let reaches = |before: &Extent| before.end > extent.start;
        let of_other = [furthest, other].into_iter().flatten().find(apart);
        if let Some(before) = of_other.filter(reaches).or(furthest.filter(reaches)) {
            report(&before, &extent);
        }
        match furthest {
            Some(far) if extent.end <= far.end => {
                if apart(&far) && other.is_none_or(|other| other.end < extent.end) {
                    other = Some(extent);
                }
            }
            before => {
                other = before.filter(apart).or(other);
                furthest = Some(extent);
            }
        }
    }
}

/// Two ascending lists of ranges as one.
#[derive(Clone)]
pub(super) struct Merged<A: Iterator<Item = GpaRange>, B: Iterator<Item = GpaRange>> {
    a: Peekable<A>,
    b: Peekable<B>,
}

impl<A: Iterator<Item = GpaRange>, B: Iterator<Item = GpaRange>> Merged<A, B> {
    pub(super) fn new(a: A, b: B) -> Self {
        Self { a: a.peekable(), b: b.peekable() }
    }
}

impl<A: Iterator<Item = GpaRange>, B: Iterator<Item = GpaRange>> Iterator for Merged<A, B> {
    type Item = GpaRange;

    fn next(&mut self) -> Option<GpaRange> {
        match (self.a.peek(), self.b.peek()) {
            (Some(a), Some(b)) if b.start() < a.start() => self.b.next(),
            (None, _) => self.b.next(),
            _ => self.a.next(),
        }
    }
}

/// How much of the RAM no ascending range covers.
pub(super) fn uncovered(
    ram: impl Iterator<Item = GpaRange>,
    covered: impl Iterator<Item = GpaRange> + Clone,
) -> Option<super::Kind> {
    let UncoveredRam { ram, uncovered, first } = UncoveredRam::new(ram, covered);
    first.map(|Gpa(first)| super::Kind::NotCovered { uncovered, ram, first })
}

/// The domains that enabled entries of processors and memory name, unmasked.
pub(super) fn domains<'a>(
    srat: &Srat<'a>,
) -> impl Iterator<Item = ProximityDomain> + Clone + use<'a> {
    srat.sub_tables().filter_map(|entry| match SratEntry::parse(entry.ok()?).ok()? {
        SratEntry::LocalApic { domain, flags, .. }
        | SratEntry::Memory { domain, flags, .. }
        | SratEntry::X2Apic { domain, flags, .. }
            if flags & 1 != 0 =>
        {
            Some(domain)
        }
        _ => None,
    })
}
