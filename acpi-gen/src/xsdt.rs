//! XSDT: the addresses of all other tables. ACPI 6.5, 5.2.8.

use zerocopy::little_endian::U64;

use crate::{
    Error, Gpa, KnownTable, Oem, Placed, Show, Table, TableSet, Value,
    known_table::AcpiTable,
    table::{self, HEADER_LEN},
    walk::ListedTables,
};

/// Signature of the XSDT.
pub const SIGNATURE: [u8; 4] = *b"XSDT";
const REVISION: u8 = 1;

/// The length in bytes of an XSDT with this many addresses.
///
/// # Errors
/// [`Error::TableTooLarge`] where it passes 4 GiB.
pub fn len(tables: usize) -> Result<usize, Error> {
    table::table_len(SIGNATURE, HEADER_LEN, &[(tables, size_of::<U64>())])
}

/// Writes the XSDT to the start of `buffer` and returns its length: the
/// addresses of `own`, then those of `foreign`. Neither may hold a DSDT or FACS,
/// which the FADT points to.
///
/// # Errors
/// [`Error::BufferTooSmall`], with the buffer untouched, and those of [`len`].
pub fn emit(oem: &Oem, own: &[Gpa], foreign: &[Gpa], buffer: &mut [u8]) -> Result<usize, Error> {
    let len = len(own.len().saturating_add(foreign.len()))?;
    write(oem, len, own.iter().chain(foreign).copied(), buffer)
}

fn write(
    oem: &Oem,
    len: usize,
    addresses: impl Iterator<Item = Gpa>,
    buffer: &mut [u8],
) -> Result<usize, Error> {
    let kind = table::Kind { signature: SIGNATURE, revision: REVISION };
    table::emit(kind, oem, len, buffer, |to| {
        addresses.for_each(|address| to.put(&U64::new(address.0)));
    })
}

/// A parsed XSDT, as a bounded view.
#[derive(Clone, Copy, Debug)]
pub struct Xsdt<'a> {
    table: Table<'a>,
}

impl<'a> Xsdt<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// Those of [`Table::parse`], and [`Error::WrongSignature`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Table::parse_as(bytes, SIGNATURE, HEADER_LEN).map(|table| Self { table })
    }

    /// The table's header and bytes.
    #[must_use]
    pub const fn table(&self) -> &Table<'a> {
        &self.table
    }

    /// The addresses in order; a rest of less than 8 bytes is left alone.
    pub fn addresses(&self) -> impl Iterator<Item = Gpa> + use<'a> {
        ListedTables::of(SIGNATURE, self.table.bytes())
    }
}

impl AcpiTable for Xsdt<'_> {
    const SIGNATURE: [u8; 4] = SIGNATURE;
    const IS_LISTED: bool = false;

    fn is_in(_: &TableSet<'_>) -> bool {
        true
    }

    fn len(set: &TableSet<'_>) -> Result<usize, Error> {
        let listed = |table: &KnownTable| table.is_listed() && table.is_in(set);
        let own = KnownTable::ALL.iter().filter(|table| listed(table)).count();
        len(own.saturating_add(set.other_tables().len()))
    }

    fn emit(
        set: &TableSet<'_>,
        placed: &Placed,
        _: &[u8],
        buffer: &mut [u8],
    ) -> Result<usize, Error> {
        let listed = KnownTable::ALL.into_iter().filter(|table| table.is_listed());
        let own = listed.filter_map(|table| placed.table(table.signature()));
        let addresses = own.map(|table| table.address).chain(set.other_tables().iter().copied());
        write(&set.topology().description().oem, <Self as AcpiTable>::len(set)?, addresses, buffer)
    }

    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error> {
        let xsdt = Xsdt::parse(bytes)?;
        to.list("tables");
        xsdt.addresses().for_each(|address| to.item(Value::Hex(address.0)));
        Ok(())
    }
}
