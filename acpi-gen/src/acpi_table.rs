//! What a table of a set implements, what it is made from, and where it is placed.

use heapless::Vec;

use crate::{AcpiVersion, Error, Gpa, Show, Topology};

/// The most tables that a set has, as [`KnownTable`](crate::KnownTable) lists them.
pub const MAX_TABLES: usize = 8;

/// What a set is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contents<'a> {
    pub(crate) topology: &'a Topology<'a>,
    /// The FADT's version, in a complete set.
    pub(crate) version: Option<AcpiVersion>,
    /// The FADT's hypervisor vendor identity.
    pub(crate) hypervisor_vendor: [u8; 8],
    /// The set's own tables that the XSDT lists.
    pub(crate) listed: usize,
    /// Addresses of further tables for the XSDT.
    pub(crate) other_tables: &'a [Gpa],
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

    /// Whether a set has it.
    fn is_in(contents: &Contents<'_>) -> bool;

    /// Its length in bytes; it contains no address.
    fn len(contents: &Contents<'_>) -> Result<usize, Error>;

    /// Writes it to the start of `buffer`. `placed` has all addresses, and `before` the
    /// bytes of the tables that are in front of it.
    fn emit(
        contents: &Contents<'_>,
        placed: &Placed,
        before: &[u8],
        buffer: &mut [u8],
    ) -> Result<usize, Error>;

    /// Parses the table and hands what follows the common header to a decoder.
    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error>;
}

/// Where the tables of a set are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    base: Gpa,
    len: usize,
    tables: Vec<PlacedTable, MAX_TABLES>,
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

impl Placed {
    /// The RSDP's address: what `hvm_start_info.rsdp_paddr` takes.
    #[must_use]
    pub fn rsdp(&self) -> Gpa {
        self.base
    }

    /// Address of the set's first byte.
    #[must_use]
    pub const fn base(&self) -> Gpa {
        self.base
    }

    /// Bytes of the whole set.
    #[expect(clippy::len_without_is_empty, reason = "no set is empty: it has an RSDP")]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// The tables as they lie in memory.
    #[must_use]
    pub fn tables(&self) -> &[PlacedTable] {
        &self.tables
    }

    /// The table with this signature.
    #[must_use]
    pub fn table(&self, signature: [u8; 4]) -> Option<&PlacedTable> {
        self.tables.iter().find(|place| place.signature == signature)
    }

    /// A table's address; that of the set for a table that it does not have.
    pub(crate) fn address(&self, signature: [u8; 4]) -> Gpa {
        self.table(signature).map_or(self.base, |place| place.address)
    }

    /// A set without tables, at this address.
    pub(crate) const fn empty(base: Gpa) -> Self {
        Self { base, len: 0, tables: Vec::new() }
    }

    /// Gives a table of `len` bytes the next place.
    pub(crate) fn push<T: AcpiTable>(&mut self, len: usize) {
        let signature = T::SIGNATURE;
        let offset = self.len.checked_next_multiple_of(T::ALIGN).unwrap_or(usize::MAX);
        let address = Gpa(self.base.0.saturating_add(u64::try_from(offset).unwrap_or(u64::MAX)));
        self.len = offset.saturating_add(len);
        // Cannot fail: each known table is pushed at most once.
        let pushed = self.tables.push(PlacedTable {
            signature,
            offset,
            len,
            address,
            is_listed: T::IS_LISTED,
            is_signed: T::IS_SIGNED,
        });
        debug_assert!(pushed.is_ok());
    }
}
