//! Xen 4.20 as the host: stricter than Linux on memory.

use heapless::Vec;

use super::{
    Consumer, Kind, Severity, Tables,
    linux::{beyond, distances, overlap, overlaps},
    memory::{Extent, domains, extents},
};
use crate::{Distance, Gpa, GpaRange, ProximityDomain, Slit, Srat, SratEntry, UncoveredRam, srat};

/// MAX_NUMNODES with the default CONFIG_NR_NUMA_NODES.
const MAX_NUMNODES: usize = 64;
/// NR_NODE_MEMBLKS.
const MAX_MEMBLKS: usize = 128;

pub(super) fn check(tables: &Tables<'_>, report: &mut impl FnMut(Severity, Kind)) {
    let srat = tables.srat.and_then(|bytes| Srat::parse(bytes).ok());
    let slit = tables.slit.and_then(|bytes| Slit::parse(bytes).ok());
    if let Some(srat) = &srat {
        entries(srat, report);
        memory(tables, srat, report);
    }
    if let Some(slit) = &slit {
        distances(slit, report);
        let pairs = slit.rows().flatten().filter(|d| **d == Distance::UNREACHABLE.get()).count();
        if pairs > 0 {
            report(Severity::Note, Kind::Unreachable { pairs });
        }
        if let Some(srat) = &srat {
            // The SLIT is indexed by PXM with no bound.
            beyond(slit, srat, Severity::Error, report);
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

fn memory(tables: &Tables<'_>, srat: &Srat<'_>, report: &mut impl FnMut(Severity, Kind)) {
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
        report(Severity::Error, kind);
    }
    let filled = extents(srat).filter(|extent| !extent.is_empty());
    overlaps(filled.clone(), |first, second| {
        let harmless = first.domain == second.domain && first.hot_pluggable == second.hot_pluggable;
        let severity = if harmless { Severity::Note } else { Severity::Error };
        report(severity, overlap(first, second));
    });
    let spans = spans(srat);
    interleaved(srat, &spans, report);

    let Some(ram) = tables.ram(Consumer::Xen) else { return };
    let covered =
        spans.iter().filter_map(|span| GpaRange::new(Gpa(span.start), Gpa(span.end)).ok());
    let found = UncoveredRam::new(ram, covered);
    if let Some(first) = found.first {
        let kind = Kind::NotCovered { uncovered: found.uncovered, ram: found.ram, first: first.0 };
        report(Severity::Error, kind);
    }
}

/// A node from its first address to its last: holes between its ranges count as
/// covered, and hot-pluggable ranges as not there.
struct Span {
    domain: ProximityDomain,
    start: u64,
    end: u64,
}

fn spans(srat: &Srat<'_>) -> Vec<Span, MAX_NUMNODES> {
    let mut spans = Vec::<Span, MAX_NUMNODES>::new();
    for extent in extents(srat).filter(|extent| !extent.hot_pluggable && !extent.is_empty()) {
        let Extent { domain, start, end, .. } = extent;
        match spans.iter_mut().find(|span| span.domain == domain) {
            Some(span) => {
                span.start = span.start.min(start);
                span.end = span.end.max(end);
            }
            // More nodes than fit are an error already.
            None => drop(spans.push(Span { domain, start, end })),
        }
    }
    spans
}

/// A range inside another node's span, unless it is reported as an overlap.
fn interleaved(srat: &Srat<'_>, spans: &[Span], report: &mut impl FnMut(Severity, Kind)) {
    let filled = extents(srat).filter(|extent| !extent.is_empty());
    for Extent { start, end, domain, .. } in filled.clone() {
        let around = |span: &&Span| span.domain != domain && span.start < start && end < span.end;
        let overlapped =
            |other: Extent| other.domain != domain && other.start < end && start < other.end;
        if let Some(span) = spans.iter().find(around)
            && !filled.clone().any(overlapped)
        {
            let kind = Kind::MemoryInterleaved { start, end, domain, around: span.domain };
            return report(Severity::Error, kind);
        }
    }
}
