//! A machine as human-readable tables: nodes, CPUs with ids, memory, distances.

use std::collections::{BTreeMap, BTreeSet};

use acpi_gen::{Distance, MemoryRange, ProcessorState, ProximityDomain, Slit, Topology};
use hv_glue_topology::cpulist;

use crate::text_table::{Align, TextTable};

/// A distance matrix of more nodes than this does not fit a terminal's width.
const WIDEST_MATRIX: usize = 24;

/// Nodes with their vCPUs, ids and memory, then distances.
pub(crate) fn machine(topology: &Topology<'_>, slit: Option<&Slit<'_>>) -> String {
    let domains = domains(topology);
    let mut out = nodes(topology, &domains);
    if let Some(slit) = slit {
        out.push('\n');
        out.push_str(&distances(slit, &domains));
    }
    out
}

/// "1 node", "2 nodes".
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The domains that processors and memory have, ascending.
pub(crate) fn domains(topology: &Topology<'_>) -> Vec<ProximityDomain> {
    let description = topology.description();
    let of_processors = description.processors.iter().filter_map(|p| p.domain);
    let all: BTreeSet<_> =
        of_processors.chain(description.memory.iter().map(|m| m.domain)).collect();
    all.into_iter().collect()
}

/// What a domain has.
#[derive(Default)]
struct Node<'a> {
    present: Vec<u32>,
    absent: Vec<u32>,
    ids: Vec<u32>,
    memory: Vec<&'a MemoryRange>,
}

fn nodes(topology: &Topology<'_>, domains: &[ProximityDomain]) -> String {
    let description = topology.description();
    let mut nodes: BTreeMap<ProximityDomain, Node<'_>> = BTreeMap::new();
    for processor in description.processors {
        let Some(domain) = processor.domain else { continue };
        let node = nodes.entry(domain).or_default();
        match processor.state {
            ProcessorState::Enabled => node.present.push(processor.uid.0),
            ProcessorState::OnlineCapable => node.absent.push(processor.uid.0),
        }
        node.ids.push(processor.apic_id.0);
    }
    for memory in description.memory {
        nodes.entry(memory.domain).or_default().memory.push(memory);
    }
    let mut table = TextTable::new([
        ("PXM", Align::Right),
        ("vCPUs", Align::Left),
        ("hot-plug", Align::Left),
        ("APIC ids", Align::Left),
        ("size", Align::Right),
        ("memory", Align::Left),
    ]);
    for domain in domains {
        let Some(node) = nodes.get_mut(domain) else { continue };
        node.ids.sort_unstable();
        let total: u64 = node.memory.iter().map(|m| m.range.size()).fold(0, u64::saturating_add);
        let mut memory = node.memory.iter();
        table.row([
            domain.0.to_string(),
            dash_if_empty(cpulist::compress(&node.present)),
            dash_if_empty(cpulist::compress(&node.absent)),
            dash_if_empty(cpulist::compress(&node.ids)),
            size(total),
            memory.next().map_or_else(|| "-".to_owned(), |first| range(first)),
        ]);
        for more in memory {
            table.row([const { String::new() }; 5].into_iter().chain([range(more)]));
        }
    }
    table.render()
}

fn dash_if_empty(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

fn range(memory: &MemoryRange) -> String {
    let mut text = format!("{:#x}-{:#x}", memory.range.start().0, memory.range.end().0);
    if memory.hot_pluggable {
        text.push_str(" hot-pluggable");
    }
    if memory.non_volatile {
        text.push_str(" non-volatile");
    }
    text
}

/// A human-readable size: at most two decimals, cut off.
pub(crate) fn size(bytes: u64) -> String {
    let units = [(40_u32, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB"), (0, "B")];
    let (shift, unit) =
        units.into_iter().find(|&(shift, _)| bytes >> shift > 0).unwrap_or((0, "B"));
    let whole = bytes >> shift;
    let rest = u128::from(bytes).saturating_sub(u128::from(whole) << shift);
    match rest.saturating_mul(100) >> shift {
        0 => format!("{whole} {unit}"),
        hundredths => format!("{whole}.{hundredths:02} {unit}"),
    }
}

fn distances(slit: &Slit<'_>, domains: &[ProximityDomain]) -> String {
    if domains.len() > WIDEST_MATRIX {
        return distance_counts(slit, domains);
    }
    let mut columns = vec![("distance".to_owned(), Align::Right)];
    columns.extend(domains.iter().map(|to| (to.0.to_string(), Align::Right)));
    let mut table = TextTable::with_columns(columns);
    for &from in domains {
        let row =
            domains.iter().map(|&to| distance_text(slit.distance(from, to).unwrap_or_default()));
        table.row([from.0.to_string()].into_iter().chain(row));
    }
    table.render()
}

fn distance_text(distance: u8) -> String {
    if distance == Distance::UNREACHABLE.get() { "none".to_owned() } else { distance.to_string() }
}

/// How often each distance stands between two different nodes.
fn distance_counts(slit: &Slit<'_>, domains: &[ProximityDomain]) -> String {
    let mut counts: BTreeMap<u8, usize> = BTreeMap::new();
    for &from in domains {
        for &to in domains.iter().filter(|&&to| to != from) {
            let count = counts.entry(slit.distance(from, to).unwrap_or_default()).or_default();
            *count = count.saturating_add(1);
        }
    }
    let mut table = TextTable::new([("distance", Align::Right), ("pairs of nodes", Align::Right)]);
    for (distance, count) in counts {
        table.row([distance_text(distance), count.to_string()]);
    }
    table.render()
}
