//! MSCT: the most domains and memory that there can be. ACPI 6.5, 5.2.19.

use crate::{
    Error, Show, Table,
    acpi_table::AcpiTable,
    entry::{Field, at, fields, too_short},
    subtable::SubTables,
};

const SIGNATURE: [u8; 4] = *b"MSCT";
/// Bytes in front of the first entry.
const FIXED: usize = 56;
/// Bytes of an entry.
const ENTRY: usize = 22;

/// The decoder.
pub(crate) struct Msct;

impl AcpiTable for Msct {
    const SIGNATURE: [u8; 4] = SIGNATURE;
    const IS_EMITTED: bool = false;

    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error> {
        let table = Table::parse_as(bytes, SIGNATURE, FIXED)?;
        fields!(table.bytes(), to, {
            entries_offset: u32 = at(36) => Hex,
            max_domain: u32 = at(40) => Decimal,
            max_clock_domain: u32 = at(44) => Decimal,
            max_address: u64 = at(48) => Hex,
        });
        let offset = u32::read(table.bytes(), at(36)).and_then(|at| usize::try_from(at).ok());
        // Entries cannot start inside the fixed part.
        let offset = offset.filter(|offset| *offset >= FIXED);
        // Where an entry of another table has its type, these have a revision.
        SubTables::new(&table, offset.unwrap_or(FIXED)).show(to, |entry, to| {
            if entry.bytes.len() < ENTRY {
                return to.error(too_short(SIGNATURE, entry, ENTRY));
            }
            to.entry(entry.offset, entry.kind, "Maximum Proximity Domain Information");
            fields!(entry.bytes, to, {
                first_pxm: u32 = at(2) => Decimal,
                last_pxm: u32 = at(6) => Decimal,
                max_processors: u32 = at(10) => Decimal,
                max_memory: u64 = at(14) => Hex,
            });
        });
        Ok(())
    }
}
