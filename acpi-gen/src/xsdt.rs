//! XSDT: the addresses of all other tables. ACPI 6.5, 5.2.8.

use zerocopy::little_endian::U64;

use crate::{
    Error, Gpa, Oem, Show, Table, Value,
    acpi_table::{AcpiTable, Contents},
    table::{self, HEADER_LEN},
};

/// Signature of the XSDT.
pub const SIGNATURE: [u8; 4] = *b"XSDT";
/// Signature of the RSDT, in which ACPI 1.0 has 32-bit addresses. ACPI 6.5, 5.2.7.
pub const RSDT: [u8; 4] = *b"RSDT";
const REVISION: u8 = 1;

/// The length in bytes of an XSDT with this many addresses.
///
/// # Errors
/// [`Error::TableTooLarge`] where it passes 4 GiB.
fn len(tables: usize) -> Result<usize, Error> {
    table::table_len(SIGNATURE, HEADER_LEN, &[(tables, size_of::<U64>())])
}

/// Writes the XSDT to the start of `buffer` and returns its length.
fn write(
    oem: &Oem,
    len: usize,
    addresses: impl Iterator<Item = Gpa>,
    buffer: &mut [u8],
) -> Result<usize, Error> {
    let kind = table::HeaderFields { signature: SIGNATURE, revision: REVISION };
    table::emit(kind, oem, len, buffer, |to| {
        addresses.for_each(|address| to.put(&U64::new(address.0)));
    })
}

/// The addresses that an XSDT or RSDT lists; a rest that is no address is left out.
#[derive(Clone, Copy, Debug)]
pub struct ListedTables<'a> {
    rest: &'a [u8],
    /// Bytes of an address.
    width: usize,
}

impl<'a> ListedTables<'a> {
    /// The list in a table with this signature: any but [`RSDT`] has 64-bit addresses.
    #[must_use]
    pub fn of(signature: [u8; 4], table: &'a [u8]) -> Self {
        let rest = table.get(HEADER_LEN..).unwrap_or_default();
        Self { rest, width: if signature == RSDT { size_of::<u32>() } else { size_of::<u64>() } }
    }
}

impl Iterator for ListedTables<'_> {
    type Item = Gpa;

    fn next(&mut self) -> Option<Gpa> {
        let (address, rest) = self.rest.split_at_checked(self.width)?;
        self.rest = rest;
        let mut bytes = [0; size_of::<u64>()];
        for (byte, from) in bytes.iter_mut().zip(address) {
            *byte = *from;
        }
        Some(Gpa(u64::from_le_bytes(bytes)))
    }
}

/// A parsed XSDT, as a bounded view.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Xsdt<'a> {
    table: Table<'a>,
}

impl<'a> Xsdt<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// Those of [`Table::parse`], and [`Error::WrongSignature`].
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Table::parse_as(bytes, SIGNATURE, HEADER_LEN).map(|table| Self { table })
    }

    /// The table's header and bytes.
    pub(crate) const fn table(&self) -> &Table<'a> {
        &self.table
    }

    /// The addresses in order; a rest of less than 8 bytes is left alone.
    fn addresses(&self) -> impl Iterator<Item = Gpa> + use<'a> {
        ListedTables::of(SIGNATURE, self.table.bytes())
    }
}

impl AcpiTable for Xsdt<'_> {
    const SIGNATURE: [u8; 4] = SIGNATURE;
    const IS_LISTED: bool = false;

    fn is_in(_: &Contents<'_>) -> bool {
        true
    }

    fn len(contents: &Contents<'_>) -> Result<usize, Error> {
        len(contents.listed.saturating_add(contents.other_tables.len()))
    }

    fn emit(contents: &Contents<'_>, _: &[u8], buffer: &mut [u8]) -> Result<usize, Error> {
        let own = contents.placed.iter().filter(|table| table.is_listed);
        let addresses = own.map(|table| table.address).chain(contents.other_tables.iter().copied());
        let len = <Self as AcpiTable>::len(contents)?;
        write(&contents.topology.description().oem, len, addresses, buffer)
    }

    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error> {
        let xsdt = Xsdt::parse(bytes)?;
        to.list("tables");
        xsdt.addresses().for_each(|address| to.item(Value::Hex(address.0)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_addresses_than_the_length_field_holds_are_refused() {
        let signature = SIGNATURE;
        assert_eq!(len(536_870_907), Ok(4_294_967_292));
        let too_large = Error::TableTooLarge { signature, len: 4_294_967_300 };
        assert_eq!(len(536_870_908), Err(too_large));
    }
}
