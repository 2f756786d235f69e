//! CEDT: CXL host bridges and memory windows. CXL 3.1, 9.18.1.

use crate::{
    Error, Show, SubTable, Table, Value,
    acpi_table::AcpiTable,
    entry::{Field, at, fields, too_short},
    subtable::{Head, SubTables},
    table::HEADER_LEN,
};

const SIGNATURE: [u8; 4] = *b"CEDT";

/// The decoder.
pub(crate) struct Cedt;

impl AcpiTable for Cedt {
    const SIGNATURE: [u8; 4] = SIGNATURE;
    const IS_EMITTED: bool = false;

    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error> {
        let table = Table::parse_as(bytes, SIGNATURE, HEADER_LEN)?;
        let entries = SubTables::with_head(&table, HEADER_LEN, Head::ByteAndWord);
        entries.show(to, |entry, to| match entry.kind {
            0 => host_bridge(entry, to),
            1 => window(entry, to),
            2 => xor_maps(entry, to),
            3 => downstream_port(entry, to),
            _ => entry.show_unknown(to),
        });
        Ok(())
    }
}

fn host_bridge(entry: SubTable<'_>, to: &mut impl Show) {
    if entry.bytes.len() < 32 {
        return to.error(too_short(SIGNATURE, entry, 32));
    }
    to.entry(entry.offset, entry.kind, "CXL Host Bridge");
    fields!(entry.bytes, to, {
        uid: u32 = at(4) => Decimal,
        cxl_version: u32 = at(8) => Decimal,
        base: u64 = at(16) => Hex,
        size: u64 = at(24) => Hex,
    });
}

/// A fixed memory window with its 2^n targets, or 3 * 2^(n - 8) from 8 on.
fn window(entry: SubTable<'_>, to: &mut impl Show) {
    let ways = u8::read(entry.bytes, at(24)).unwrap_or(0);
    let targets = match ways {
        0..=4 => 1_usize.checked_shl(ways.into()),
        8..=10 => 3_usize.checked_shl(u32::from(ways).saturating_sub(8)),
        _ => None,
    };
    let needed = targets.unwrap_or(0).saturating_mul(4).saturating_add(36);
    let Some(targets) = entry.bytes.get(36..needed) else {
        return to.error(too_short(SIGNATURE, entry, needed));
    };
    to.entry(entry.offset, entry.kind, "CXL Fixed Memory Window");
    fields!(entry.bytes, to, {
        base: u64 = at(8) => Hex,
        size: u64 = at(16) => Hex,
        interleave_ways: u8 = at(24) => Decimal,
        interleave_arithmetic: u8 = at(25) => Decimal,
        granularity: u32 = at(28) => Decimal,
        restrictions: u16 = at(32) => Hex,
        qtg_id: u16 = at(34) => Decimal,
    });
    to.field("targets", Value::Numbers(targets, 4));
}

fn xor_maps(entry: SubTable<'_>, to: &mut impl Show) {
    let maps = u8::read(entry.bytes, at(7)).map_or(0, usize::from);
    let needed = maps.saturating_mul(8).saturating_add(8);
    let Some(maps) = entry.bytes.get(8..needed) else {
        return to.error(too_short(SIGNATURE, entry, needed));
    };
    to.entry(entry.offset, entry.kind, "CXL XOR Interleave Math");
    fields!(entry.bytes, to, { granularity: u8 = at(6) => Decimal });
    to.field("xor_maps", Value::Numbers(maps, 8));
}

fn downstream_port(entry: SubTable<'_>, to: &mut impl Show) {
    if entry.bytes.len() < 16 {
        return to.error(too_short(SIGNATURE, entry, 16));
    }
    to.entry(entry.offset, entry.kind, "RCEC Downstream Port Association");
    fields!(entry.bytes, to, {
        segment: u16 = at(4) => Decimal,
        bdf: u16 = at(6) => Hex,
        protocol: u8 = at(8) => Decimal,
    });
    // Not aligned, and cut off in the first version of the structure.
    fields!(entry.bytes, to, { base: u64 = at(9) => Hex });
}
