//! HMAT: which initiators reach which memory how fast. ACPI 6.5, 5.2.28; revision 1 is
//! that of ACPI 6.2.

use crate::{
    Error, Show, SubTable, Table, Value,
    acpi_table::AcpiTable,
    entry::{Field, at, fields, too_short},
    subtable::{Head, SubTables},
    table::HEADER_LEN,
};

const SIGNATURE: [u8; 4] = *b"HMAT";
/// Offset of the first structure, behind 4 reserved bytes.
const ENTRIES: usize = HEADER_LEN.saturating_add(4);

/// The decoder.
pub(crate) struct Hmat;

impl AcpiTable for Hmat {
    const SIGNATURE: [u8; 4] = SIGNATURE;
    const IS_EMITTED: bool = false;

    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error> {
        let table = Table::parse_as(bytes, SIGNATURE, ENTRIES)?;
        let entries = SubTables::with_head(&table, ENTRIES, Head::Words);
        entries.show(to, |entry, to| match entry.kind {
            0 => domain(entry, table.revision(), to),
            1 => matrix(entry, to),
            2 => cache(entry, to),
            _ => entry.show_unknown(to),
        });
        Ok(())
    }
}

fn domain(entry: SubTable<'_>, revision: u8, to: &mut impl Show) {
    if entry.bytes.len() < 40 {
        return to.error(too_short(SIGNATURE, entry, 40));
    }
    to.entry(entry.offset, entry.kind, "Memory Proximity Domain Attributes");
    fields!(entry.bytes, to, {
        flags: u16 = at(8) => Hex,
        initiator_pxm: u32 = at(12) => Decimal,
        memory_pxm: u32 = at(16) => Decimal,
    });
    if revision < 2 {
        fields!(entry.bytes, to, { base: u64 = at(24) => Hex, size: u64 = at(32) => Hex });
    }
}

/// System Locality Latency and Bandwidth Information: a value for each pair.
fn matrix(entry: SubTable<'_>, to: &mut impl Show) {
    let count = |place| {
        let count = u32::read(entry.bytes, at(place)).unwrap_or(0);
        usize::try_from(count).unwrap_or(usize::MAX)
    };
    let (initiators, targets) = (count(12), count(16));
    let values = initiators.saturating_mul(targets).saturating_mul(2);
    let lists = initiators.saturating_add(targets).saturating_mul(4);
    let needed = lists.saturating_add(values).saturating_add(32);
    let parts = entry.bytes.split_at_checked(32).and_then(|(_, rest)| {
        let (of_initiators, rest) = rest.split_at_checked(initiators.saturating_mul(4))?;
        let (of_targets, rest) = rest.split_at_checked(targets.saturating_mul(4))?;
        Some((of_initiators, of_targets, rest.get(..values)?))
    });
    let Some((of_initiators, of_targets, values)) = parts else {
        return to.error(too_short(SIGNATURE, entry, needed));
    };
    to.entry(entry.offset, entry.kind, "System Locality Latency and Bandwidth");
    fields!(entry.bytes, to, {
        flags: u8 = at(8) => Hex,
        data_type: u8 = at(9) => Decimal,
        min_transfer_size: u8 = at(10) => Decimal,
        base_unit: u64 = at(24) => Decimal,
    });
    to.field("initiator_pxms", Value::Numbers(of_initiators, 4));
    to.field("target_pxms", Value::Numbers(of_targets, 4));
    to.field("values", Value::Matrix(values, 2, targets));
}

fn cache(entry: SubTable<'_>, to: &mut impl Show) {
    let handles = u16::read(entry.bytes, at(30)).map_or(0, usize::from);
    let needed = handles.saturating_mul(2).saturating_add(32);
    let Some(handles) = entry.bytes.get(32..needed) else {
        return to.error(too_short(SIGNATURE, entry, needed));
    };
    to.entry(entry.offset, entry.kind, "Memory Side Cache Information");
    fields!(entry.bytes, to, {
        memory_pxm: u32 = at(8) => Decimal,
        size: u64 = at(16) => Hex,
        attributes: u32 = at(24) => Hex,
        address_mode: u16 = at(28) => Decimal,
    });
    to.field("smbios_handles", Value::Numbers(handles, 2));
}
