//! The plan for people.

use std::fmt::Write;
use std::path::Path;

use acpi_gen::GpaRange;
use hv_glue::e820::E820Type;
use hv_glue::{Frames, PAGE_SIZE};

use super::dom0::{Plan, Tables};
use super::json;
use crate::host_file::HostFile;
use crate::summary;
use crate::text_table::{Align, TextTable};

pub(super) fn render(host: &HostFile, plan: &Plan, tables: &Tables, out: Option<&Path>) -> String {
    let bytes = host.nr_pages.saturating_mul(PAGE_SIZE);
    let mut text = format!(
        "{}: dom0 with {} and {}\n{}\n{}",
        host.path().display(),
        summary::counted(plan.vcpus.len(), "vCPU"),
        summary::size(bytes),
        plan.gate,
        tables.machine,
    );
    if !plan.vmemranges.is_empty() {
        let _infallible = write!(text, "\nmemory by block\n{}", blocks(host, plan));
    }
    let _infallible = write!(text, "\nmemory map\n{}", map(plan));
    if plan.merged > 0 {
        let nodes = usize::try_from(plan.merged).unwrap_or(usize::MAX);
        let _infallible = writeln!(
            text,
            "  each piece of {} is kept whole or not at all, to keep the map short",
            summary::counted(nodes, "node")
        );
    }
    if plan.gate.enabled() && plan.first_fit {
        text.push_str("  no map by node is short enough: in address order, as Xen does\n");
    }
    let _infallible = write!(text, "\nallocations\n{}", allocations(plan));
    if let Some(out) = out {
        let written = tables.image.render();
        let _infallible = write!(text, "\nwritten to {}\n{written}", out.display());
    }
    text
}

/// RAM pages of a map within a range.
fn pages<'a>(map: impl IntoIterator<Item = &'a hv_glue::e820::E820Entry>, within: GpaRange) -> u64 {
    map.into_iter()
        .filter(|entry| entry.kind == E820Type::RAM)
        .map(|entry| Frames::inside(entry.range).intersection(Frames::inside(within)).pages())
        .fold(0, u64::saturating_add)
}

fn blocks(host: &HostFile, plan: &Plan) -> String {
    let mut table = TextTable::new([
        ("PXM", Align::Right),
        ("node", Align::Right),
        ("block", Align::Left),
        ("RAM", Align::Right),
        ("dom0's", Align::Right),
        ("%", Align::Right),
    ]);
    for block in &plan.vmemranges {
        let (all, kept) = (pages(&host.map, block.range), pages(&plan.e820, block.range));
        let percent = kept.saturating_mul(100).saturating_add(all / 2).checked_div(all);
        table.row([
            block.domain.0.to_string(),
            block.pnode.0.to_string(),
            format!("{:#x}-{:#x}", block.range.start().0, block.range.end().0),
            summary::size(all.saturating_mul(PAGE_SIZE)),
            summary::size(kept.saturating_mul(PAGE_SIZE)),
            percent.map_or_else(|| "-".to_owned(), |percent| percent.to_string()),
        ]);
    }
    table.render()
}

fn map(plan: &Plan) -> String {
    let mut table =
        TextTable::new([("range", Align::Left), ("size", Align::Right), ("type", Align::Left)]);
    for entry in &plan.e820 {
        table.row([
            format!("{:#x}-{:#x}", entry.range.start().0, entry.range.end().0),
            summary::size(entry.range.size()),
            json::kind(entry.kind).to_owned(),
        ]);
    }
    table.render()
}

fn allocations(plan: &Plan) -> String {
    let mut table = TextTable::new([
        ("node", Align::Right),
        ("order", Align::Right),
        ("size", Align::Right),
        ("count", Align::Right),
        ("fallback", Align::Left),
    ]);
    for (kind, count) in &plan.allocations {
        table.row([
            kind.pnode.0.to_string(),
            kind.order.0.to_string(),
            summary::size(PAGE_SIZE << kind.order.0.min(51)),
            count.to_string(),
            if kind.fallback { "yes" } else { "no" }.to_owned(),
        ]);
    }
    table.render()
}
