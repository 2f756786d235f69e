//! PPTT: processors, packages and caches as a tree. ACPI 6.5, 5.2.30.

use crate::{
    Error, Show, SubTable, Table, Value,
    acpi_table::AcpiTable,
    entry::{Field, at, fields, too_short},
    subtable::SubTables,
    table::HEADER_LEN,
};

const SIGNATURE: [u8; 4] = *b"PPTT";

/// The decoder.
pub(crate) struct Pptt;

impl AcpiTable for Pptt {
    const SIGNATURE: [u8; 4] = SIGNATURE;
    const IS_EMITTED: bool = false;

    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error> {
        let table = Table::parse_as(bytes, SIGNATURE, HEADER_LEN)?;
        SubTables::new(&table, HEADER_LEN).show(to, |entry, to| match entry.kind {
            0 => processor(entry, to),
            1 => cache(entry, to),
            2 => id(entry, to),
            _ => entry.show_unknown(to),
        });
        Ok(())
    }
}

fn processor(entry: SubTable<'_>, to: &mut impl Show) {
    let count = u32::read(entry.bytes, at(16)).and_then(|count| usize::try_from(count).ok());
    let needed = count.unwrap_or(0).saturating_mul(4).saturating_add(20);
    let Some(resources) = entry.bytes.get(20..needed) else {
        return to.error(too_short(SIGNATURE, entry, needed));
    };
    to.entry(entry.offset, entry.kind, "Processor Hierarchy Node");
    fields!(entry.bytes, to, {
        flags: u32 = at(4) => Hex,
        parent: u32 = at(8) => Hex,
        processor_uid: u32 = at(12) => Decimal,
    });
    to.field("private_resources", Value::Numbers(resources, 4));
}

/// The cache's ID is new in revision 3.
fn cache(entry: SubTable<'_>, to: &mut impl Show) {
    if entry.bytes.len() < 24 {
        return to.error(too_short(SIGNATURE, entry, 24));
    }
    to.entry(entry.offset, entry.kind, "Cache");
    fields!(entry.bytes, to, {
        flags: u32 = at(4) => Hex,
        next_level: u32 = at(8) => Hex,
        size: u32 = at(12) => Hex,
        sets: u32 = at(16) => Decimal,
        associativity: u8 = at(20) => Decimal,
        attributes: u8 = at(21) => Hex,
        line_size: u16 = at(22) => Decimal,
        cache_id: u32 = at(24) => Decimal,
    });
}

/// Up to ACPI 6.2.
fn id(entry: SubTable<'_>, to: &mut impl Show) {
    if entry.bytes.len() < 30 {
        return to.error(too_short(SIGNATURE, entry, 30));
    }
    to.entry(entry.offset, entry.kind, "ID");
    fields!(entry.bytes, to, {
        vendor: [u8; 4] = at(4) => Bytes,
        level_1: u64 = at(8) => Hex,
        level_2: u64 = at(16) => Hex,
        major: u16 = at(24) => Decimal,
        minor: u16 = at(26) => Decimal,
        spin: u16 = at(28) => Decimal,
    });
}
