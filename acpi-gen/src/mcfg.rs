//! MCFG: where PCI configuration space is in memory. PCI Firmware Specification 3.3, 4.1.2.

use crate::{
    Error, Show, SubTable, Table,
    acpi_table::AcpiTable,
    entry::{fields, too_short},
    table::HEADER_LEN,
};

const SIGNATURE: [u8; 4] = *b"MCFG";
/// Offset of the first entry, behind 8 reserved bytes.
const ENTRIES: usize = HEADER_LEN.saturating_add(8);
/// Bytes of an entry.
const ENTRY: usize = 16;

/// The decoder.
pub(crate) struct Mcfg;

impl AcpiTable for Mcfg {
    const SIGNATURE: [u8; 4] = SIGNATURE;
    const IS_EMITTED: bool = false;

    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error> {
        let table = Table::parse_as(bytes, SIGNATURE, ENTRIES)?;
        to.list("entries");
        let mut offset = ENTRIES;
        for bytes in table.from(ENTRIES).chunks(ENTRY) {
            // They have no type.
            let entry = SubTable { offset, kind: 0, bytes };
            if bytes.len() < ENTRY {
                to.error(too_short(SIGNATURE, entry, ENTRY));
                break;
            }
            to.entry(offset, entry.kind, "Configuration Space");
            fields!(bytes, to, {
                base: u64 = at(0) => Hex,
                segment: u16 = at(8) => Decimal,
                first_bus: u8 = at(10) => Decimal,
                last_bus: u8 = at(11) => Decimal,
            });
            offset = offset.saturating_add(ENTRY);
        }
        Ok(())
    }
}
