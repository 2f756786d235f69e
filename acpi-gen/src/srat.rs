//! SRAT: which proximity domain each processor and each range of memory is in.
//! ACPI 6.5, 5.2.16.

use zerocopy::little_endian::{U32, U64};

use crate::{
    ApicId, Error, MemoryRange, Processor, ProximityDomain, Show, SubTable, Table, Topology, Value,
    acpi_table::{AcpiTable, Contents},
    entry::{at, entries, split},
    subtable::SubTables,
    table::{self, HEADER_LEN},
    wire::wire,
};

/// Signature of the SRAT.
pub const SIGNATURE: [u8; 4] = *b"SRAT";
/// Revision 3: below it, Linux and Xen read 8 bits of a proximity domain.
const REVISION: u8 = 3;
/// Offset of the first entry.
const ENTRIES: usize = HEADER_LEN.saturating_add(size_of::<RawSrat>());

const ENABLED: u32 = 1;
const HOT_PLUGGABLE: u32 = 1 << 1;
const NON_VOLATILE: u32 = 1 << 2;
/// New in ACPI 6.6: memory for the use of which the firmware has a purpose, as of devices.
const SPECIFIC_PURPOSE: u32 = 1 << 3;

wire! { RawSrat: 12 {
    reserved1: U32 = 0,
    reserved8: U64 = 4,
} }

entries! {
    /// One SRAT entry, with what its bytes hold.
    pub SratEntry of SIGNATURE;

    named {
        3, "GICC Affinity";
        4, "GIC Interrupt Translation Service Affinity";
        7, "RISC-V Interrupt Controller Affinity";
    }

    /// Type 0, ACPI 6.5, 5.2.16.1.
    LOCAL_APIC: LocalApic = 0, 16 bytes, "Local APIC Affinity" {
        /// All four bytes; a revision 1 table means the lowest only.
        domain: ProximityDomain = split(2, 9) => Decimal "pxm",
        /// APIC ID.
        apic_id: u8 = at(3) => Decimal,
        /// Bit 0 enabled.
        flags: u32 = at(4) => Hex,
        /// Clock domain.
        clock_domain: u32 = at(12) => Decimal,
    }
    /// Type 1, ACPI 6.5, 5.2.16.2.
    MEMORY: Memory = 1, 40 bytes, "Memory Affinity" {
        /// Proximity domain; a revision 1 table means the lowest byte only.
        domain: ProximityDomain = at(2) => Decimal "pxm",
        /// First address.
        base: u64 = at(8) => Hex,
        /// Size in bytes; may be anything, 0 and past 2^64 included.
        length: u64 = at(16) => Hex "size",
        /// Bit 0 enabled, bit 1 hot-pluggable, bit 2 non-volatile, bit 3 specific-purpose
        /// (ACPI 6.6).
        flags: u32 = at(28) => Hex,
    }
    /// Type 2, ACPI 6.5, 5.2.16.3.
    X2APIC: X2Apic = 2, 24 bytes, "Local x2APIC Affinity" {
        /// Proximity domain.
        domain: ProximityDomain = at(4) => Decimal "pxm",
        /// x2APIC ID.
        apic_id: ApicId = at(8) => Decimal,
        /// Bit 0 enabled.
        flags: u32 = at(12) => Hex,
        /// Clock domain.
        clock_domain: u32 = at(16) => Decimal,
    }
    /// Type 5, ACPI 6.5, 5.2.16.6.
    INITIATOR: GenericInitiator = 5, 32 bytes, "Generic Initiator Affinity" {
        /// 0 ACPI, 1 PCI.
        handle_type: u8 = at(3) => Decimal,
        /// Proximity domain.
        domain: ProximityDomain = at(4) => Decimal "pxm",
        /// ACPI: hardware ID (8 bytes), UID (4). PCI: segment (2), bus, device and function.
        handle: [u8; 16] = at(8) => Bytes,
        /// Bit 0 enabled, bit 1 architectural transactions.
        flags: u32 = at(24) => Hex,
    }
    /// Type 6, ACPI 6.5, 5.2.16.7.
    PORT: GenericPort = 6, 32 bytes, "Generic Port Affinity" {
        /// 0 ACPI, 1 PCI.
        handle_type: u8 = at(3) => Decimal,
        /// Proximity domain.
        domain: ProximityDomain = at(4) => Decimal "pxm",
        /// As for type 5.
        handle: [u8; 16] = at(8) => Bytes,
        /// Bit 0 enabled, bit 1 architectural transactions.
        flags: u32 = at(24) => Hex,
    }
}

/// The SRAT's length in bytes.
///
/// # Errors
/// [`Error::TableTooLarge`] where it passes 4 GiB.
pub fn len(topology: &Topology<'_>) -> Result<usize, Error> {
    let (type0, type2) = topology.affinity_counts();
    table::table_len(
        SIGNATURE,
        ENTRIES,
        &[
            (type0, SratEntry::LOCAL_APIC.len),
            (type2, SratEntry::X2APIC.len),
            (topology.description().memory.len(), SratEntry::MEMORY.len),
        ],
    )
}

/// Writes the SRAT to the start of `buffer` and returns its length: processors
/// that have a domain in their order, then memory by address.
///
/// # Errors
/// [`Error::BufferTooSmall`], with the buffer untouched, and those of [`len`].
pub fn emit(topology: &Topology<'_>, buffer: &mut [u8]) -> Result<usize, Error> {
    let description = topology.description();
    let kind = table::HeaderFields { signature: SIGNATURE, revision: REVISION };
    table::emit(kind, &description.oem, len(topology)?, buffer, |to| {
        to.put(&RawSrat { reserved1: U32::new(1), reserved8: U64::ZERO });
        for processor in description.processors {
            if let Some(domain) = processor.domain {
                processor_entry(topology, processor, domain).write(to);
            }
        }
        for memory in description.memory {
            memory_entry(memory).write(to);
        }
    })
}

#[inline(always)]
fn processor_entry(
    topology: &Topology<'_>,
    processor: &Processor,
    domain: ProximityDomain,
) -> SratEntry<'static> {
    let apic_id = processor.apic_id;
    if topology.uses_type0(processor)
        // Validation has seen that it fits.
        && let Ok(apic_id) = u8::try_from(apic_id.0)
    {
        return SratEntry::LocalApic { domain, apic_id, flags: ENABLED, clock_domain: 0 };
    }
    SratEntry::X2Apic { domain, apic_id, flags: ENABLED, clock_domain: 0 }
}

fn memory_entry(memory: &MemoryRange) -> SratEntry<'static> {
    let mut flags = ENABLED;
    if memory.hot_pluggable {
        flags |= HOT_PLUGGABLE;
    }
    if memory.non_volatile {
        flags |= NON_VOLATILE;
    }
    SratEntry::Memory {
        domain: memory.domain,
        base: memory.range.start().0,
        length: memory.range.size(),
        flags,
    }
}

/// A parsed SRAT, as a bounded view.
#[derive(Clone, Copy, Debug)]
pub struct Srat<'a> {
    table: Table<'a>,
}

impl<'a> Srat<'a> {
    /// Reads the fixed part; entries are read as they are iterated.
    ///
    /// # Errors
    /// Those of [`Table::parse`], and [`Error::WrongSignature`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Table::parse_as(bytes, SIGNATURE, ENTRIES).map(|table| Self { table })
    }

    /// The table's header and bytes.
    #[must_use]
    pub const fn table(&self) -> &Table<'a> {
        &self.table
    }

    /// The entries as bytes.
    pub(crate) fn sub_tables(&self) -> SubTables<'a> {
        SubTables::new(&self.table, ENTRIES)
    }

    /// The entry that starts at this offset of the table.
    pub(crate) fn sub_table_at(&self, offset: usize) -> Option<SubTable<'a>> {
        SubTables::new(&self.table, offset).next()?.ok()
    }

    /// The entries; after an error that ends the list there is nothing, while an
    /// entry too short for its type is passed over to the next.
    pub fn entries(&self) -> impl Iterator<Item = Result<SratEntry<'a>, Error>> + use<'a> {
        self.sub_tables().map(|entry| entry.and_then(SratEntry::parse))
    }
}

impl AcpiTable for Srat<'_> {
    const SIGNATURE: [u8; 4] = SIGNATURE;
    const IS_SIGNED: bool = true;

    fn is_in(contents: &Contents<'_>) -> bool {
        contents.topology.localities() > 0
    }

    fn len(contents: &Contents<'_>) -> Result<usize, Error> {
        len(&contents.topology)
    }

    fn emit(contents: &Contents<'_>, _: &[u8], buffer: &mut [u8]) -> Result<usize, Error> {
        emit(&contents.topology, buffer)
    }

    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error> {
        Srat::parse(bytes)?.sub_tables().show(to, |entry, to| {
            SratEntry::show(entry, to);
            if let Ok(SratEntry::Memory { flags, .. }) = SratEntry::parse(entry)
                && flags & SPECIFIC_PURPOSE != 0
            {
                to.field("specific_purpose", Value::Flag(Some(true)));
            }
        });
        Ok(())
    }
}
