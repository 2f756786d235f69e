//! XSDT: the addresses of all other tables. ACPI 6.5, 5.2.8.

use zerocopy::{FromBytes, little_endian::U64};

use crate::{
    Error, Gpa, Oem, Table,
    table::{self, HEADER_LEN},
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
    let kind = table::Kind { signature: SIGNATURE, revision: REVISION };
    table::emit(kind, oem, len, buffer, |to| {
        for address in own.iter().chain(foreign) {
            to.put(&U64::new(address.0));
        }
    })
}

/// An XSDT that somebody wrote, as a bounded view.
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
        self.table
            .from(HEADER_LEN)
            .chunks_exact(size_of::<U64>())
            .filter_map(|bytes| U64::read_from_bytes(bytes).ok())
            .map(|address| Gpa(address.get()))
    }
}
