//! Decoded tables as text for people.

use std::fmt::Write;

use super::content::{Content, Decoded, Entry, Value, hex};
use crate::text_table::{Align, TextTable};

pub(super) fn render(tables: &[Decoded]) -> String {
    tables.iter().map(table).collect::<Vec<_>>().join("\n")
}

fn table(table: &Decoded) -> String {
    let mut out = head(table);
    match &table.content {
        Content::Rsdp { .. }
        | Content::Facs { .. }
        | Content::Fadt { .. }
        | Content::Unknown {} => {}
        Content::Xsdt { tables } => {
            for address in tables {
                let _infallible = writeln!(out, "  table at {address:#x}");
            }
        }
        Content::Madt { entries, .. } | Content::Srat { entries } => out.push_str(&rows(entries)),
        Content::Slit { distances, .. } => out.push_str(&matrix(distances)),
    }
    for error in &table.errors {
        let _infallible = writeln!(out, "  error: {error}");
    }
    out
}

/// The file's line, the header's, and what the fixed part says.
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
    let address =
        |address: Option<u64>| address.map_or_else(|| "none".to_owned(), |a| format!("{a:#x}"));
    let _infallible = match &table.content {
        Content::Rsdp { revision, oem_id, rsdt, xsdt } => {
            writeln!(
                out,
                "  revision {revision}, OEM {oem_id}, RSDT {rsdt:#x}, XSDT {}",
                address(*xsdt)
            )
        }
        Content::Madt { local_apic_address, pcat_compat, .. } => writeln!(
            out,
            "  local APICs at {local_apic_address:#x}, 8259 PICs: {}",
            if *pcat_compat { "yes" } else { "no" }
        ),
        Content::Slit { localities, .. } => writeln!(out, "  {localities} localities"),
        Content::Fadt { version, hardware_reduced, dsdt, facs } => writeln!(
            out,
            "  ACPI {version}, hardware-reduced: {}, DSDT {}, FACS {}",
            if *hardware_reduced == Some(true) { "yes" } else { "no" },
            address(*dsdt),
            address(*facs)
        ),
        Content::Facs { version, hardware_signature } => {
            writeln!(out, "  version {version}, hardware signature {hardware_signature:#010x}")
        }
        Content::Xsdt { .. } | Content::Srat { .. } | Content::Unknown {} => Ok(()),
    };
    out
}

fn rows(entries: &[Entry]) -> String {
    let mut table =
        TextTable::new([("offset", Align::Right), ("type", Align::Left), ("content", Align::Left)]);
    for entry in entries {
        let fields: Vec<String> = entry
            .fields
            .iter()
            .map(|(name, value)| match value {
                Value::Number(number) => format!("{name} {number}"),
                Value::Hex(number) => format!("{name} {number:#x}"),
                Value::Bytes(bytes) => format!("{name} {}", hex(bytes)),
            })
            .collect();
        let name = format!("{:#x} {}", entry.kind, entry.name);
        table.row([format!("{:#x}", entry.offset), name, fields.join(", ")]);
    }
    table.render()
}

fn matrix(distances: &[Vec<u8>]) -> String {
    let mut columns = vec![("PXM".to_owned(), Align::Right)];
    columns.extend((0..distances.len()).map(|to| (to.to_string(), Align::Right)));
    let mut table = TextTable::with_columns(columns);
    for (from, row) in distances.iter().enumerate() {
        table.row([from.to_string()].into_iter().chain(row.iter().map(u8::to_string)));
    }
    table.render()
}
