//! What a table of a set implements, what it is made from, and where it is placed.

use crate::{AcpiVersion, Error, Gpa, Show, Topology};

/// What a set is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contents<'a> {
    pub(crate) topology: Topology<'a>,
    /// The FADT's version, in a complete set.
    pub(crate) version: Option<AcpiVersion>,
    /// The FADT's hypervisor vendor identity.
    pub(crate) hypervisor_vendor: [u8; 8],
    /// The set's own tables that the XSDT lists.
    pub(crate) listed: usize,
    /// Addresses of further tables for the XSDT.
    pub(crate) other_tables: &'a [Gpa],
    /// The set's address, and where its tables are as soon as that is known.
    pub(crate) base: Gpa,
    pub(crate) placed: &'a [PlacedTable],
}

impl Contents<'_> {
    /// A table's address; that of the set for a table that it does not have.
    pub(crate) fn address(&self, signature: [u8; 4]) -> Gpa {
        let table = self.placed.iter().find(|table| table.signature == signature);
        table.map_or(self.base, |table| table.address)
    }
}

/// A table: its place in a set, its emitter, and its parser in the form of `show`.
pub(crate) trait AcpiTable {
    /// "RSDP" for the RSDP.
    const SIGNATURE: [u8; 4];
    /// Alignment in a set, in bytes; the XSDT's addresses are 8 bytes wide.
    const ALIGN: usize = 8;
    /// Whether it starts with the common header.
    const HAS_HEADER: bool = true;
    /// Whether the XSDT lists it.
    const IS_LISTED: bool = true;
    /// Whether it counts for the FACS' hardware signature.
    const IS_SIGNED: bool = false;

    /// Whether sets can have it; the other tables are decoded only, and need none of the
    /// functions for a set.
    const IS_EMITTED: bool = true;

    /// Whether a set has it.
    fn is_in(_: &Contents<'_>) -> bool {
        false
    }

    /// Its length in bytes; it contains no address.
    fn len(_: &Contents<'_>) -> Result<usize, Error> {
        Ok(0)
    }

    /// Writes it to the start of `buffer`. All tables of the contents have their place, and
    /// the second argument has the bytes of those in front of this one.
    fn emit(_: &Contents<'_>, _: &[u8], _: &mut [u8]) -> Result<usize, Error> {
        Ok(0)
    }

    /// Parses the table and hands what follows the common header to a decoder.
    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error>;
}

/// One table of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacedTable {
    /// The table's signature; "RSDP" for the RSDP.
    pub signature: [u8; 4],
    /// Offset from the set's start in bytes.
    pub offset: usize,
    /// Length in bytes.
    pub len: usize,
    /// Address in the guest.
    pub address: Gpa,
    /// Whether the XSDT lists it.
    pub(crate) is_listed: bool,
    /// Whether it counts for the FACS' hardware signature.
    pub(crate) is_signed: bool,
}

impl PlacedTable {
    /// The place of a table behind the first `end` bytes of its set.
    pub(crate) fn next<T: AcpiTable>(contents: &Contents<'_>, end: usize) -> Result<Self, Error> {
        let offset = end.checked_next_multiple_of(T::ALIGN).unwrap_or(usize::MAX);
        let distance = u64::try_from(offset).unwrap_or(u64::MAX);
        Ok(Self {
            signature: T::SIGNATURE,
            offset,
            len: T::len(contents)?,
            address: Gpa(contents.base.0.saturating_add(distance)),
            is_listed: T::IS_LISTED,
            is_signed: T::IS_SIGNED,
        })
    }

    /// The first offset behind the table.
    pub(crate) const fn end(&self) -> usize {
        self.offset.saturating_add(self.len)
    }
}
