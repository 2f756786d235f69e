//! SPCR: the serial port of the console. Microsoft's Serial Port Console Redirection Table.

use crate::{Error, Show, Table, acpi_table::AcpiTable, entry::fields};

const SIGNATURE: [u8; 4] = *b"SPCR";
/// Bytes of revision 1; later ones have more fields.
const FIXED: usize = 80;

/// The decoder.
pub(crate) struct Spcr;

impl AcpiTable for Spcr {
    const SIGNATURE: [u8; 4] = SIGNATURE;
    const IS_EMITTED: bool = false;

    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error> {
        let table = Table::parse_as(bytes, SIGNATURE, FIXED)?;
        fields!(table.bytes(), to, {
            interface_type: u8 = at(36) => Decimal,
            address_space: u8 = at(40) => Decimal,
            bit_width: u8 = at(41) => Decimal,
            bit_offset: u8 = at(42) => Decimal,
            access_size: u8 = at(43) => Decimal,
            register_address: u64 = at(44) => Hex,
            interrupt_type: u8 = at(52) => Hex,
            irq: u8 = at(53) => Decimal,
            gsi: u32 = at(54) => Decimal,
            baud_rate: u8 = at(58) => Decimal,
            parity: u8 = at(59) => Decimal,
            stop_bits: u8 = at(60) => Decimal,
            flow_control: u8 = at(61) => Hex,
            terminal_type: u8 = at(62) => Decimal,
            language: u8 = at(63) => Decimal,
            pci_device_id: u16 = at(64) => Hex,
            pci_vendor_id: u16 = at(66) => Hex,
            pci_bus: u8 = at(68) => Decimal,
            pci_device: u8 = at(69) => Decimal,
            pci_function: u8 = at(70) => Decimal,
            pci_flags: u32 = at(71) => Hex,
            pci_segment: u8 = at(75) => Decimal,
            uart_clock: u32 = at(76) => Decimal,
            precise_baud_rate: u32 = at(80) => Decimal,
            namespace_length: u16 = at(84) => Decimal,
            namespace_offset: u16 = at(86) => Decimal,
        });
        Ok(())
    }
}
