//! The nodes' vCPUs and their APIC ids.

use alloc::format;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use acpi_gen::{ApicId, Processor, ProcessorState, ProcessorUid, ProximityDomain};
use toml::Spanned;

use super::ids::{self, IdScheme};
use super::nodes::NodePlace;
use super::schema::{Apic, Encoding, Node};
use crate::FileError;
use crate::cpulist;
use crate::limits::MOST_VCPUS;
use crate::number::Number;
use crate::source::{Source, Span};

/// Processors in the order of their numbers.
pub(super) struct Processors {
    pub(super) processors: Vec<Processor>,
    /// Where each one's id, or else its number, stands.
    pub(super) spans: Vec<Span>,
    pub(super) scheme: IdScheme,
}

/// A run of vCPUs from one list.
struct Run<'a> {
    vcpus: RangeInclusive<u32>,
    domain: ProximityDomain,
    state: ProcessorState,
    span: Span,
    /// The explicit ids of the run, in its order.
    ids: &'a [Spanned<Number>],
}

pub(super) fn read(
    source: &Source,
    apic: &Apic,
    nodes: &[Node],
    places: &[NodePlace],
) -> Result<Processors, FileError> {
    let mut runs = Vec::new();
    for (node, place) in nodes.iter().zip(places) {
        runs.extend(node_runs(source, apic.encoding, node, place)?);
    }
    runs.sort_by_key(|run| *run.vcpus.start());
    check_numbering(source, &runs)?;

    let mut processors = Vec::new();
    let mut spans = Vec::new();
    let mut explicit = Vec::new();
    for run in &runs {
        for uid in run.vcpus.clone() {
            processors.push(Processor {
                uid: ProcessorUid(uid),
                apic_id: ApicId(0),
                domain: Some(run.domain),
                state: run.state,
            });
            spans.push(run.span.clone());
        }
        explicit.extend(run.ids);
    }
    let scheme = ids::assign(source, apic, places, &mut processors, &mut spans, &explicit)?;
    ids::check_limit(source, apic, scheme, &processors, &spans)?;
    Ok(Processors { processors, spans, scheme })
}

fn node_runs<'a>(
    source: &Source,
    encoding: Encoding,
    node: &'a Node,
    place: &NodePlace,
) -> Result<Vec<Run<'a>>, FileError> {
    let mut lists = Vec::new();
    let mut count = 0_u64;
    for (list, state) in
        [(&node.cpus, ProcessorState::Enabled), (&node.cpus_hotplug, ProcessorState::OnlineCapable)]
    {
        let Some(list) = list else { continue };
        let runs =
            cpulist::parse(list.get_ref()).map_err(|what| source.fail(&list.span(), what))?;
        count = count.saturating_add(cpulist::count(&runs));
        lists.extend(runs.into_iter().map(|vcpus| (vcpus, state, list.span())));
    }
    let mut ids: &[Spanned<Number>] = match (&node.apic_ids, encoding) {
        (None, Encoding::Explicit) if count > 0 => {
            let what = format!(
                "encoding \"explicit\" needs apic_ids with {count} ids in the node with pxm {}",
                place.domain.0
            );
            return Err(source.fail(&place.span, what));
        }
        (Some(ids), Encoding::Explicit) => {
            let given = ids.get_ref().len();
            if u64::try_from(given) != Ok(count) {
                let what = format!(
                    "{given} apic_ids for {count} vCPUs: one for each of cpus, then of cpus_hotplug, is right"
                );
                return Err(source.fail(&ids.span(), what));
            }
            ids.get_ref()
        }
        (Some(ids), _) => {
            let what =
                "apic_ids without encoding = \"explicit\" in [apic]: add it, or leave the ids out";
            return Err(source.fail(&ids.span(), what));
        }
        (None, _) => &[],
    };
    Ok(lists
        .into_iter()
        .map(|(vcpus, state, span)| {
            let len = vcpus.end().saturating_sub(*vcpus.start()).saturating_add(1);
            let len = usize::try_from(len).unwrap_or(usize::MAX).min(ids.len());
            let (of_run, rest) = ids.split_at(len);
            ids = rest;
            Run { vcpus, domain: place.domain, state, span, ids: of_run }
        })
        .collect())
}

/// vCPUs are 0…n-1, each in one list.
fn check_numbering(source: &Source, runs: &[Run<'_>]) -> Result<(), FileError> {
    let mut next = 0_u32;
    let mut before: Option<&Run<'_>> = None;
    for run in runs {
        let (first, last) = (*run.vcpus.start(), *run.vcpus.end());
        if first < next {
            let line = before.map_or(1, |run| source.line(&run.span));
            let what = format!("vCPU {first} is in a list on line {line} already: once is right");
            return Err(source.fail(&run.span, what));
        }
        if first > next {
            let what = format!(
                "vCPU {first} is here but no vCPU {next}: numbers from 0 without gaps, over all nodes, are right"
            );
            return Err(source.fail(&run.span, what));
        }
        next = last.saturating_add(1);
        if next > MOST_VCPUS {
            let what = format!("vCPU {last}: at most {MOST_VCPUS} vCPUs are right");
            return Err(source.fail(&run.span, what));
        }
        before = Some(run);
    }
    Ok(())
}
