//! HPET: the high precision event timers. IA-PC HPET Specification 1.0a, 3.2.4.

use crate::{Error, Show, Table, acpi_table::AcpiTable, entry::fields};

const SIGNATURE: [u8; 4] = *b"HPET";
/// Bytes of the table.
const LEN: usize = 56;

/// The decoder.
pub(crate) struct Hpet;

impl AcpiTable for Hpet {
    const SIGNATURE: [u8; 4] = SIGNATURE;
    const IS_EMITTED: bool = false;

    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error> {
        let table = Table::parse_as(bytes, SIGNATURE, LEN)?;
        fields!(table.bytes(), to, {
            hardware_id: u32 = at(36) => Hex,
            address_space: u8 = at(40) => Decimal,
            bit_width: u8 = at(41) => Decimal,
            bit_offset: u8 = at(42) => Decimal,
            access_size: u8 = at(43) => Decimal,
            register_address: u64 = at(44) => Hex,
            number: u8 = at(52) => Decimal,
            minimum_tick: u16 = at(53) => Decimal,
            flags: u8 = at(55) => Hex,
        });
        Ok(())
    }
}
