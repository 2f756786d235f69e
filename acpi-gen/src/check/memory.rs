//! The memory entries of an SRAT as consumers see them.

use crate::{ProximityDomain, Srat, SratEntry};

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
}

/// The enabled memory entries in the order of the table. A revision below 2 has
/// 8 bits of domain.
pub(super) fn extents<'a>(srat: &Srat<'a>) -> impl Iterator<Item = Extent> + Clone + use<'a> {
    let mask = if srat.table().revision() < 2 { 0xFF } else { u32::MAX };
    srat.sub_tables().filter_map(move |entry| {
        let entry = entry.ok()?;
        match SratEntry::parse(entry).ok()? {
            SratEntry::Memory { domain, base, length, flags } if flags & 1 != 0 => Some(Extent {
                offset: entry.offset,
                start: base,
                end: base.saturating_add(length),
                domain: ProximityDomain(domain.0 & mask),
                hot_pluggable: flags & 2 != 0,
                length,
            }),
            _ => None,
        }
    })
}

/// The domains that enabled entries of all types name, unmasked.
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
