//! Decoded tables as human-readable text.

use std::fmt::Write;

use super::content::{Cell, Decoded, Entry, Item};
use crate::text_table::{Align, TextTable};

pub(super) fn render(tables: &[Decoded]) -> String {
    tables.iter().map(table).collect::<Vec<_>>().join("\n")
}

fn table(table: &Decoded) -> String {
    let mut out = head(table);
    if !table.content.fields.is_empty() {
        let _infallible = writeln!(out, "  {}", fields(&table.content.fields));
    }
    if let Some((_, items)) = &table.content.list {
        list(items, &mut out);
    }
    for error in &table.errors {
        let _infallible = writeln!(out, "  error: {error}");
    }
    out
}

/// The lines of file and header.
fn head(table: &Decoded) -> String {
    let mut out =
        format!("{}: {}, {} bytes", table.file.display(), table.signature.trim_end(), table.length);
    if let Some(address) = table.address {
        let _infallible = write!(out, " at {address:#x}");
    }
    if let Some(header) = &table.header {
        let _infallible = write!(
            out,
            ", revision {}, OEM {} {} revision {:#x}",
            header.revision, header.oem_id, header.oem_table_id, header.oem_revision
        );
    }
    out.push('\n');
    out
}

fn fields(fields: &[(&str, Cell)]) -> String {
    let fields = fields.iter().map(|(name, cell)| format!("{name} {}", text(cell)));
    fields.collect::<Vec<_>>().join(", ")
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Decimal(number) => number.to_string(),
        Cell::Hex(number) | Cell::Address(Some(number)) => format!("{number:#x}"),
        Cell::Address(None) => "none".to_owned(),
        Cell::Flag(Some(true)) => "yes".to_owned(),
        Cell::Flag(Some(false)) => "no".to_owned(),
        Cell::Flag(None) => "unknown".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Numbers(numbers) => format!("[{}]", joined(numbers)),
        Cell::Matrix(rows) => {
            let rows: Vec<_> = rows.iter().map(|row| joined(row)).collect();
            format!("[{}]", rows.join(" | "))
        }
        Cell::Row(row) => row.iter().map(u8::to_string).collect::<Vec<_>>().join(" "),
    }
}

fn joined(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
}

/// All elements of a list have one form.
fn list(items: &[Item], out: &mut String) {
    let entries: Vec<_> = items.iter().filter_map(as_entry).collect();
    let rows: Vec<_> = items.iter().filter_map(as_row).collect();
    if !entries.is_empty() {
        out.push_str(&entry_table(&entries));
    } else if !rows.is_empty() {
        out.push_str(&matrix(&rows));
    } else {
        for item in items {
            if let Item::Cell(cell) = item {
                let _infallible = writeln!(out, "  {}", text(cell));
            }
        }
    }
}

fn as_entry(item: &Item) -> Option<&Entry> {
    if let Item::Entry(entry) = item { Some(entry) } else { None }
}

fn as_row(item: &Item) -> Option<&[u8]> {
    if let Item::Cell(Cell::Row(row)) = item { Some(row) } else { None }
}

fn entry_table(entries: &[&Entry]) -> String {
    let mut table =
        TextTable::new([("offset", Align::Right), ("type", Align::Left), ("content", Align::Left)]);
    for entry in entries {
        let name = format!("{:#x} {}", entry.kind, entry.name);
        table.row([format!("{:#x}", entry.offset), name, fields(&entry.fields)]);
    }
    table.render()
}

fn matrix(rows: &[&[u8]]) -> String {
    let mut columns = vec![("PXM".to_owned(), Align::Right)];
    columns.extend((0..rows.len()).map(|to| (to.to_string(), Align::Right)));
    let mut table = TextTable::with_columns(columns);
    for (from, row) in rows.iter().enumerate() {
        table.row([from.to_string()].into_iter().chain(row.iter().map(u8::to_string)));
    }
    table.render()
}
