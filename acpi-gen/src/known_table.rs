//! The list of tables that this library knows: the set, the decoder and the proof
//! that nothing panics iterate over it, so a new table is one module and one line here.

use crate::{
    Error, FadtView, Madt, PlacedTable, Rsdp, Show, Slit, Srat,
    acpi_table::{AcpiTable, Contents},
    cedt::Cedt,
    dsdt::Dsdt,
    facs::Facs,
    hmat::Hmat,
    hpet::Hpet,
    mcfg::Mcfg,
    msct::Msct,
    pptt::Pptt,
    spcr::Spcr,
    xsdt::Xsdt,
};

/// Declares [`KnownTable`], in the order in which a set has the tables.
macro_rules! known_tables {
    ($($(#[$meta:meta])* $Name:ident: $Table:ty,)*) => {
        /// A table that this library knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum KnownTable {
            $($(#[$meta])* $Name,)*
        }

        impl KnownTable {
            /// All of them, first those of a set, in its order.
            pub const ALL: [Self; [$(Self::$Name),*].len()] = [$(Self::$Name),*];

            /// Its signature; "RSDP" for the RSDP.
            #[must_use]
            pub const fn signature(self) -> [u8; 4] {
                match self { $(Self::$Name => <$Table>::SIGNATURE,)* }
            }

            /// Whether it starts with the common header.
            #[must_use]
            pub const fn has_header(self) -> bool {
                match self { $(Self::$Name => <$Table>::HAS_HEADER,)* }
            }

            /// Parses `bytes` as this table and hands what follows the common header to a
            /// decoder. What cannot be parsed of a table's entries is one of its errors.
            ///
            /// # Errors
            /// Those of the table's `parse`.
            pub fn show(self, bytes: &[u8], to: &mut impl Show) -> Result<(), Error> {
                match self { $(Self::$Name => <$Table>::show(bytes, to),)* }
            }

            pub(crate) fn is_in(self, contents: &Contents<'_>) -> bool {
                match self { $(Self::$Name => <$Table>::is_in(contents),)* }
            }

            /// How many of them a set can have.
            pub(crate) const fn emitted() -> usize {
                let mut count = 0_usize;
                $(if <$Table>::IS_EMITTED {
                    count = count.saturating_add(1);
                })*
                count
            }

            pub(crate) const fn is_listed(self) -> bool {
                match self { $(Self::$Name => <$Table>::IS_LISTED,)* }
            }

            /// The alignment of a set with this table, in bytes.
            pub(crate) const fn align(self) -> usize {
                match self { $(Self::$Name => <$Table>::ALIGN,)* }
            }

            /// Its place behind the first `end` bytes of a set.
            pub(crate) fn place(
                self,
                contents: &Contents<'_>,
                end: usize,
            ) -> Result<PlacedTable, Error> {
                match self { $(Self::$Name => PlacedTable::next::<$Table>(contents, end),)* }
            }

            pub(crate) fn emit(
                self,
                contents: &Contents<'_>,
                before: &[u8],
                buffer: &mut [u8],
            ) -> Result<usize, Error> {
                match self { $(Self::$Name => <$Table>::emit(contents, before, buffer),)* }
            }
        }
    };
}

known_tables! {
    /// Root System Description Pointer.
    Rsdp: Rsdp<'_>,
    /// Extended System Description Table.
    Xsdt: Xsdt<'_>,
    /// Fixed ACPI Description Table.
    Fadt: FadtView<'_>,
    /// Multiple APIC Description Table.
    Madt: Madt<'_>,
    /// System Resource Affinity Table.
    Srat: Srat<'_>,
    /// System Locality Distance Information Table.
    Slit: Slit<'_>,
    /// Differentiated System Description Table.
    Dsdt: Dsdt,
    /// Firmware ACPI Control Structure.
    Facs: Facs<'_>,
    /// Heterogeneous Memory Attribute Table.
    Hmat: Hmat,
    /// Processor Properties Topology Table.
    Pptt: Pptt,
    /// Maximum System Characteristics Table.
    Msct: Msct,
    /// CXL Early Discovery Table.
    Cedt: Cedt,
    /// PCI Express Memory-Mapped Configuration Space Description Table.
    Mcfg: Mcfg,
    /// Serial Port Console Redirection Table.
    Spcr: Spcr,
    /// High Precision Event Timer Table.
    Hpet: Hpet,
}

impl KnownTable {
    /// The table that these bytes start with.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&crate::rsdp::SIGNATURE_IN_MEMORY) {
            return Some(Self::Rsdp);
        }
        let signature = bytes.first_chunk::<4>()?;
        Self::ALL.into_iter().find(|table| table.signature() == *signature)
    }
}
