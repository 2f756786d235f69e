//! Xen 4.20 as the host: stricter than Linux on memory and on the number of processors.

use heapless::Vec;

use super::{
    Consumer, Kind, Severity, Tables,
    linux::{beyond, distances, overlap},
    memory::{Extent, by_address, domains, extents, uncovered},
    xen_processors,
};
use crate::{Distance, Gpa, GpaRange, Madt, ProximityDomain, Slit, Srat, SratEntry, srat};

/// MAX_NUMNODES with the default CONFIG_NR_NUMA_NODES.
const MAX_NUMNODES: usize = 64;
/// NR_NODE_MEMBLKS.
const MAX_MEMBLKS: usize = 128;

pub(super) fn check(
    tables: &Tables<'_>,
    scratch: &mut [u32],
    report: &mut impl FnMut(Severity, Kind),
) {
    let srat = tables.srat.and_then(|bytes| Srat::parse(bytes).ok());
    let slit = tables.slit.and_then(|bytes| Slit::parse(bytes).ok());
    if let Some(Ok(madt)) = tables.madt.map(Madt::parse) {
        let boot = tables.assumed_boot_processor();
        xen_processors::check(&madt, boot, scratch, report);
    }
    if let Some(srat) = &srat {
        entries(srat, report);
        memory(tables, srat, scratch, report);
    }
    if let Some(slit) = &slit {
        distances(slit, report);
        let pairs = slit.rows().flatten().filter(|d| **d == Distance::UNREACHABLE.get()).count();
        if pairs > 0 {
            report(Severity::Note, Kind::Unreachable { pairs });
        }
        if let Some(srat) = &srat {
            // The SLIT is indexed by PXM with no bound.
            beyond(slit, domains(srat), Severity::Error, report);
        }
    }
}

fn entries(srat: &Srat<'_>, report: &mut impl FnMut(Severity, Kind)) {
    for entry in srat.sub_tables().flatten() {
        if entry.kind == SratEntry::MEMORY.code && entry.bytes.len() > SratEntry::MEMORY.len {
            let kind = Kind::EntryTooLong {
                signature: srat::SIGNATURE,
                offset: entry.offset,
                len: entry.bytes.len(),
                exact: SratEntry::MEMORY.len,
            };
            report(Severity::Error, kind);
        }
    }
    let revision = srat.table().revision();
    if revision < 2
        && let Some(domain) = domains(srat).max().filter(|domain| domain.0 > 0xFF)
    {
        report(Severity::Error, Kind::NarrowDomains { revision, domain });
    }
    let mask = if revision < 2 { 0xFF } else { u32::MAX };
    let mut seen = Vec::<u32, MAX_NUMNODES>::new();
    for ProximityDomain(domain) in domains(srat) {
        if !seen.contains(&(domain & mask)) && seen.push(domain & mask).is_err() {
            return report(Severity::Error, Kind::TooManyDomains { limit: MAX_NUMNODES });
        }
    }
}

fn memory(
    tables: &Tables<'_>,
    srat: &Srat<'_>,
    scratch: &mut [u32],
    report: &mut impl FnMut(Severity, Kind),
) {
    let count = extents(srat).count();
    if count == 0 {
        return report(Severity::Error, Kind::NoMemory);
    }
    if count > MAX_MEMBLKS {
        let kind = Kind::TooManyMemoryEntries { count, limit: MAX_MEMBLKS };
        return report(Severity::Error, kind);
    }
    for extent in extents(srat).filter(|extent| extent.passes_end()) {
        let kind = Kind::MemoryPastEnd { base: extent.start, length: extent.length };
        report(Severity::Note, kind);
    }
    placed(srat, report);

    let (entries, scratch) = by_address(srat, scratch);
    let spans = spans(entries.map(wrapped));
    let Some(ram) = tables.ram(Consumer::Xen, scratch) else { return };
    let covered =
        spans.iter().filter_map(|span| GpaRange::new(Gpa(span.start), Gpa(span.end)).ok());
    if let Some(kind) = uncovered(ram, covered) {
        report(Severity::Error, kind);
    }
}

/// As Xen takes it: the end of an entry that passes 2^64 wraps.
fn wrapped(extent: Extent) -> Extent {
    Extent { end: extent.start.wrapping_add(extent.length), ..extent }
}

/// A node from its first address to its last: holes between its ranges count as
/// covered, and hot-pluggable ranges as not there.
struct Span {
    domain: ProximityDomain,
    start: u64,
    end: u64,
}

/// Entries ascend by address, and so do the spans.
fn spans(entries: impl Iterator<Item = Extent>) -> Vec<Span, MAX_NUMNODES> {
    let mut spans = Vec::<Span, MAX_NUMNODES>::new();
    for Extent { domain, start, end, .. } in entries.filter(|extent| !extent.hot_pluggable) {
        match spans.iter_mut().find(|span| span.domain == domain) {
            Some(span) => span.end = span.end.max(end),
            // More nodes than fit are an error already.
            None => drop(spans.push(Span { domain, start, end })),
        }
    }
    spans
}

/// Every entry against those before it, as numa_update_node_memblks() does: at most
/// [`MAX_MEMBLKS`]. The SRAT is dropped for the first error, so nothing follows it.
fn placed(srat: &Srat<'_>, report: &mut impl FnMut(Severity, Kind)) {
    // What the nodes have without hot-pluggable entries.
    let mut nodes = Vec::<Span, MAX_NUMNODES>::new();
    for (index, entry) in extents(srat).map(wrapped).enumerate() {
        let Extent { start, end, domain, .. } = entry;
        let node = nodes.iter_mut().find(|node| node.domain == domain);
        // The node as it would be with this entry, hot-pluggable or not.
        let (from, to) = match &node {
            Some(node) => (node.start.min(start), node.end.max(end)),
            None => (start, end),
        };
        let overlaps = |other: &Extent| start < other.end && other.start < end;
        let inside =
            |other: &Extent| other.domain != domain && from <= other.start && other.end <= to;
        let conflict = extents(srat)
            .map(wrapped)
            .take(index)
            .filter(|other| !other.is_empty() && (overlaps(other) || inside(other)))
            .min_by_key(|other| (other.start, other.end));
        if let Some(other) = conflict {
            let itself = other.domain == domain;
            let kind = if overlaps(&other) {
                overlap(&other, &entry)
            } else {
                let Extent { start, end, domain, .. } = other;
                Kind::MemoryInterleaved { start, end, domain, around: entry.domain }
            };
            if !itself || other.hot_pluggable != entry.hot_pluggable {
                return report(Severity::Error, kind);
            }
            report(Severity::Note, kind);
        }
        if entry.hot_pluggable {
            continue;
        }
        match node {
            Some(node) => (node.start, node.end) = (from, to),
            // More nodes than fit are an error already.
            None => drop(nodes.push(Span { domain, start, end })),
        }
    }
}
