//! Linux 6.12 on x86; where 6.1 differs, the rule says so.

use super::{
    Consumer, Kind, Severity, Tables, io_apics,
    memory::{Extent, Merged, WithRam, by_address, domains, extents, overlaps, uncovered},
    processors::{Usable, usable, with_affinity},
};
use crate::{
    ApicId, Distance, FadtView, Gpa, GpaRange, Madt, ProximityDomain, Slit, Srat, SratEntry,
    bits::BitSet256, madt, slit, sort, srat,
};

/// MAX_PXM_DOMAINS with Debian's CONFIG_NODES_SHIFT of 10, and so MAX_NUMNODES.
const MAX_PXM_DOMAINS: u32 = 1024;
/// NR_NODE_MEMBLKS, twice MAX_NUMNODES.
const MAX_MEMBLKS: usize = 2048;
/// MAX_LOCAL_APIC of x86-64.
const MAX_LOCAL_APIC: u32 = 32768;
const PAGE: u64 = 4096;
/// What is never RAM to Linux, whatever the map says (trim_bios_range): the first
/// page, and the BIOS area.
const NEVER_RAM: [(u64, u64); 2] = [(0, PAGE), (0xA_0000, 0x10_0000)];

pub(super) fn check(
    tables: &Tables<'_>,
    scratch: &mut [u32],
    report: &mut impl FnMut(Severity, Kind),
) {
    let madt = tables.madt.and_then(|bytes| Madt::parse(bytes).ok());
    let fadt = tables.fadt.and_then(|bytes| FadtView::parse(bytes).ok());
    let srat = tables.srat.and_then(|bytes| Srat::parse(bytes).ok());
    let slit = tables.slit.and_then(|bytes| Slit::parse(bytes).ok());
    if let Some(madt) = &madt {
        processors(tables, madt, fadt, srat.as_ref(), scratch, report);
        io_apics::check(madt, report);
    }
    // "multiple APIC/MADT found, using 0"; of SRAT and SLIT without a word.
    for signature in [madt::SIGNATURE, srat::SIGNATURE, slit::SIGNATURE] {
        if tables.repeated.contains(&signature) {
            report(Severity::Error, Kind::SeveralTables { signature });
        }
    }
    if let Some(srat) = &srat {
        affinity(srat, report);
        memory(tables, srat, scratch, report);
    }
    if let Some(slit) = &slit {
        distances(slit, report);
        if let Some(srat) = &srat {
            let domains = domains(srat).chain(initiator_domains(srat));
            beyond(slit, domains, Severity::Note, report);
        }
    }
}

fn processors(
    tables: &Tables<'_>,
    madt: &Madt<'_>,
    fadt: Option<FadtView<'_>>,
    srat: Option<&Srat<'_>>,
    scratch: &mut [u32],
    report: &mut impl FnMut(Severity, Kind),
) {
    let usable = usable(madt, fadt);
    let enabled = usable.clone().filter(|cpu| cpu.enabled);
    if enabled.clone().next().is_none() {
        return report(Severity::Error, Kind::NoUsableProcessor);
    }

    // A type 9 entry below 255 that repeats a type 0 entry is ignored to no harm.
    let any_type0 = usable.clone().any(|cpu| cpu.type0);
    let ignored = |cpu: &Usable| any_type0 && !cpu.type0 && cpu.apic_id.0 < 0xFF;
    if let Some(first) = usable.clone().find(ignored) {
        let mut type0 = BitSet256::EMPTY;
        for cpu in usable.clone().filter(|cpu| cpu.type0) {
            type0.insert(cpu.apic_id.0.to_le_bytes()[0]);
        }
        let mut repeats = |cpu: Usable| !type0.insert(cpu.apic_id.0.to_le_bytes()[0]);
        let harmless = usable.clone().filter(ignored).all(&mut repeats);
        let severity = if harmless { Severity::Note } else { Severity::Error };
        let count = usable.clone().filter(ignored).count();
        report(severity, Kind::X2ApicIgnored { count, first: first.apic_id });
    }

    let taken = usable.clone().filter(|cpu| !ignored(cpu));
    let mut present = taken.clone().filter(|cpu| cpu.enabled).map(|cpu| cpu.apic_id);
    let boot = tables.assumed_boot_processor();
    if let Some(first) = present.next()
        && first != boot
        && present.any(|id| id == boot)
    {
        report(Severity::Note, Kind::BootProcessorNotFirst { first, boot });
    }

    // A CPU to come that has such an ID cannot be added.
    for cpu in taken.clone().filter(|cpu| cpu.apic_id.0 >= MAX_LOCAL_APIC) {
        let kind = Kind::ApicIdTooHigh { id: cpu.apic_id, limit: MAX_LOCAL_APIC };
        report(Severity::Error, kind);
    }
    let high =
        taken.clone().map(|cpu| cpu.apic_id).filter(|id| (255..MAX_LOCAL_APIC).contains(&id.0));
    if let Some(highest) = high.clone().max() {
        let kind = Kind::ApicIdNeedsRemapping { count: high.count(), highest };
        report(Severity::Note, kind);
    }

    let (ids, marks) = scratch.split_at_mut(scratch.len() / 2);
    if let Some(srat) = srat {
        let known = sort::dedup(sorted(ids, usable));
        unknown(known, srat, report);
    }
    let ids = sorted(ids, taken.filter(|cpu| cpu.enabled));
    if let Some(id) = sort::first_duplicate(ids) {
        report(Severity::Error, Kind::DuplicateApicId { id: ApicId(id) });
    }
    if let Some(srat) = srat {
        unplaced(sort::dedup(ids), marks, srat, report);
    }
}

/// The processors' IDs in ascending order.
fn sorted(ids: &mut [u32], processors: impl Iterator<Item = Usable>) -> &mut [u32] {
    sort::collected(ids, processors.map(|cpu| cpu.apic_id.0))
}

/// Affinity entries of processors that the MADT does not have, whether present at
/// boot or to come. `ids` ascend.
fn unknown(ids: &[u32], srat: &Srat<'_>, report: &mut impl FnMut(Severity, Kind)) {
    let unknown = || with_affinity(srat).filter(|id| ids.binary_search(&id.0).is_err());
    if let Some(first) = unknown().next() {
        let kind = Kind::AffinityOfUnknownProcessor { count: unknown().count(), first };
        report(Severity::Note, kind);
    }
}

/// Processors present at boot that no affinity entry places. `ids` ascend, each
/// once; `marks` has a word for each.
fn unplaced(
    ids: &[u32],
    marks: &mut [u32],
    srat: &Srat<'_>,
    report: &mut impl FnMut(Severity, Kind),
) {
    marks.fill(0);
    for id in with_affinity(srat) {
        if let Some(mark) = ids.binary_search(&id.0).ok().and_then(|at| marks.get_mut(at)) {
            *mark = 1;
        }
    }
    let unplaced = || ids.iter().zip(marks.iter()).filter(|(_, mark)| **mark == 0);
    if let Some((id, _)) = unplaced().next() {
        let kind = Kind::ProcessorsWithoutNode { count: unplaced().count(), first: ApicId(*id) };
        report(Severity::Note, kind);
    }
}

fn affinity(srat: &Srat<'_>, report: &mut impl FnMut(Severity, Kind)) {
    let narrow = srat.table().revision() < 2;
    let highest = domains(srat).max();
    match highest {
        Some(domain) if narrow && domain.0 > 0xFF => {
            let kind = Kind::NarrowDomains { revision: srat.table().revision(), domain };
            report(Severity::Error, kind);
        }
        Some(domain) if !narrow && domain.0 >= MAX_PXM_DOMAINS => {
            report(Severity::Error, Kind::DomainTooHigh { domain, limit: MAX_PXM_DOMAINS });
        }
        _ => {}
    }
    initiators(srat, report);
    // Until x2APIC mode is on, apic_id_valid() takes no ID above 254.
    let high = with_affinity(srat).filter(|id| id.0 >= 0xFF);
    if let Some(highest) = high.clone().max() {
        report(Severity::Note, Kind::AffinityNeedsX2Apic { count: high.count(), highest });
    }
}

/// acpi_parse_gi_affinity() fails for an initiator that it can give no node, and for a
/// disabled one: entries of processors and initiators behind it are counted, but not read.
fn initiators(srat: &Srat<'_>, report: &mut impl FnMut(Severity, Kind)) {
    let mut entries = srat.sub_tables().flatten();
    let without_node = entries.find_map(|entry| match SratEntry::parse(entry) {
        Ok(SratEntry::GenericInitiator { flags, .. }) if flags & 1 == 0 => {
            Some((entry.offset, None))
        }
        Ok(SratEntry::GenericInitiator { domain, .. }) if domain.0 >= MAX_PXM_DOMAINS => {
            Some((entry.offset, Some(domain)))
        }
        _ => None,
    });
    let Some((offset, domain)) = without_node else { return };
    let unread = entries.filter(|entry| match SratEntry::parse(*entry) {
        Ok(
            SratEntry::LocalApic { flags, .. }
            | SratEntry::X2Apic { flags, .. }
            | SratEntry::GenericInitiator { flags, .. },
        ) => flags & 1 != 0,
        _ => false,
    });
    let unread = unread.count();
    if domain.is_some() || unread > 0 {
        let severity = if unread > 0 { Severity::Error } else { Severity::Note };
        report(severity, Kind::InitiatorWithoutNode { offset, domain, unread });
    }
}

fn memory(
    tables: &Tables<'_>,
    srat: &Srat<'_>,
    scratch: &mut [u32],
    report: &mut impl FnMut(Severity, Kind),
) {
    for extent in extents(srat) {
        if extent.passes_end() {
            let kind = Kind::MemoryPastEnd { base: extent.start, length: extent.length };
            report(Severity::Note, kind);
        } else if extent.is_empty() {
            report(Severity::Note, Kind::EmptyMemory { offset: extent.offset });
        }
    }
    let mut hot_pluggable = extents(srat).filter(|extent| extent.hot_pluggable);
    if let Some(first) = hot_pluggable.next() {
        let count = hot_pluggable.count().saturating_add(1);
        report(Severity::Note, Kind::HotPluggable { count, base: first.start });
    }
    // What is left counts: the others are passed over with a warning.
    let counted = extents(srat).filter(|extent| !extent.passes_end() && !extent.is_empty());
    let count = counted.count();
    if extents(srat).next().is_none() {
        return report(Severity::Error, Kind::NoMemory);
    }
    if count > MAX_MEMBLKS {
        let kind = Kind::TooManyMemoryEntries { count, limit: MAX_MEMBLKS };
        return report(Severity::Error, kind);
    }
    let (entries, scratch) = by_address(srat, scratch);
    let entries = entries.filter(|extent| !extent.passes_end());
    let Some(ram) = tables.ram(Consumer::Linux, scratch) else {
        // Entries without RAM are ignored first. One that is not hot-pluggable has RAM.
        return overlaps(entries, |first, second| {
            let certain = !first.hot_pluggable && !second.hot_pluggable;
            report(severity(first, second, certain), overlap(first, second));
        });
    };
    let mut with_ram = WithRam::new(ram.clone());
    let end = ram.clone().end();
    // What is past the end of RAM is cut off.
    let with_ram = entries
        .clone()
        .filter(|extent| with_ram.is_in(extent))
        .map(|extent| Extent { end: extent.end.min(end), ..extent });
    overlaps(with_ram, |first, second| {
        report(severity(first, second, true), overlap(first, second));
    });

    let range = |(start, end)| GpaRange::new(Gpa(start), Gpa(end)).ok();
    let whole_pages = |ram: GpaRange| {
        let (start, end) = (ram.start().0, ram.end().0);
        let start = start.checked_next_multiple_of(PAGE).unwrap_or(end);
        range((start, end & !PAGE.wrapping_sub(1)))
    };
    let covered = entries.filter_map(|extent| extent.range());
    let covered = Merged::new(covered, NEVER_RAM.into_iter().filter_map(range));
    // Above 1 MiB the SRAT is dropped; below, 6.1, 6.12 and 7.2 take it and do not boot.
    if let Some(kind) = uncovered(ram.filter_map(whole_pages), covered) {
        report(Severity::Error, kind);
    }
}

/// An overlap inside a node costs nothing, nor does one that may be without RAM.
fn severity(first: &Extent, second: &Extent, has_ram: bool) -> Severity {
    if first.domain != second.domain && has_ram { Severity::Error } else { Severity::Note }
}

pub(super) fn overlap(first: &Extent, second: &Extent) -> Kind {
    Kind::MemoryOverlap {
        start: first.start.max(second.start),
        end: first.end.min(second.end),
        first: first.domain,
        second: second.domain,
    }
}

/// The first entry for which slit_valid() drops the table: rows of domains that
/// nothing has are judged like all others.
pub(super) fn distances(slit: &Slit<'_>, report: &mut impl FnMut(Severity, Kind)) {
    for (from, row) in (0_u32..).zip(slit.rows()) {
        for (to, &value) in (0_u32..).zip(row) {
            let local = Distance::LOCAL.get();
            if (from == to) != (value == local) || value < local {
                let (from, to) = (ProximityDomain(from), ProximityDomain(to));
                return report(Severity::Error, Kind::Distance { from, to, value });
            }
        }
    }
}

/// A SLIT that ends before the highest domain.
pub(super) fn beyond(
    slit: &Slit<'_>,
    domains: impl Iterator<Item = ProximityDomain>,
    severity: Severity,
    report: &mut impl FnMut(Severity, Kind),
) {
    if let Some(domain) = domains.max()
        && usize::try_from(domain.0).is_ok_and(|domain| domain >= slit.localities())
    {
        report(severity, Kind::SlitTooSmall { localities: slit.localities(), domain });
    }
}

/// The domains of enabled generic initiators that get a node.
fn initiator_domains<'a>(srat: &Srat<'a>) -> impl Iterator<Item = ProximityDomain> + use<'a> {
    srat.sub_tables().filter_map(|entry| match SratEntry::parse(entry.ok()?).ok()? {
        SratEntry::GenericInitiator { domain, flags, .. }
            if flags & 1 != 0 && domain.0 < MAX_PXM_DOMAINS =>
        {
            Some(domain)
        }
        _ => None,
    })
}
