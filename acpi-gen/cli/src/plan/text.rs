//! The plan as human-readable output.

use std::fmt::Write;
use std::path::Path;

use hv_glue::{Layout, PAGE_SIZE};

use super::dom0::{Plan, Tables};
use super::json;
use crate::host_file::HostFile;
use crate::summary;
use crate::text_table::{Align, TextTable};

pub(super) fn render(
    host: &HostFile,
    plan: &Plan<'_>,
    tables: &Tables,
    out: Option<&Path>,
) -> String {
    let dom0 = &plan.dom0;
    let bytes = host.nr_pages.saturating_mul(PAGE_SIZE);
    let mut text = format!(
        "{}: dom0 with {} and {}\n{}\n{}",
        host.path().display(),
        summary::counted(dom0.processors().len(), "vCPU"),
        summary::size(bytes),
        dom0.gate(),
        tables.machine,
    );
    if let Some(layout) = dom0.layout() {
        let _infallible = write!(text, "\nmemory by block\n{}", blocks(host, plan, layout));
    }
    let _infallible = write!(text, "\nmemory map\n{}", map(plan));
    if dom0.is_by_node() {
        let size = |pages: u64| summary::size(pages.saturating_mul(PAGE_SIZE));
        let _infallible = writeln!(
            text,
            "  {} below 4 GiB, at least {}",
            size(dom0.low_pages()),
            size(dom0.low_floor())
        );
    }
    if dom0.merged() > 0 {
        let nodes = usize::try_from(dom0.merged()).unwrap_or(usize::MAX);
        let _infallible = writeln!(
            text,
            "  each piece of {} is kept whole or not at all, to keep the map short",
            summary::counted(nodes, "node")
        );
    }
    if let Some(reason) = dom0.first_fit() {
        let _infallible = writeln!(text, "  in address order, as Xen does: {reason}");
    }
    let _infallible = write!(text, "\nallocations\n{}", allocations(plan));
    if let Some(out) = out {
        let written = tables.image.render();
        let _infallible = write!(text, "\nwritten to {}\n{written}", out.display());
    }
    text
}

fn blocks(host: &HostFile, plan: &Plan<'_>, layout: &Layout) -> String {
    let mut table = TextTable::new([
        ("PXM", Align::Right),
        ("node", Align::Right),
        ("block", Align::Left),
        ("RAM", Align::Right),
        ("dom0's", Align::Right),
        ("%", Align::Right),
    ]);
    for block in layout.memory() {
        let (all, kept) = plan.pages(host, block.range);
        let percent = kept.saturating_mul(100).saturating_add(all / 2).checked_div(all);
        table.row([
            block.domain.0.to_string(),
            layout.pnode(block.domain).map_or_else(|| "-".to_owned(), |node| node.0.to_string()),
            format!("{:#x}-{:#x}", block.range.start().0, block.range.end().0),
            summary::size(all.saturating_mul(PAGE_SIZE)),
            summary::size(kept.saturating_mul(PAGE_SIZE)),
            percent.map_or_else(|| "-".to_owned(), |percent| percent.to_string()),
        ]);
    }
    table.render()
}

fn map(plan: &Plan<'_>) -> String {
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

fn allocations(plan: &Plan<'_>) -> String {
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
