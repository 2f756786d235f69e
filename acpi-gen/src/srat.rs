//! SRAT: which proximity domain each processor and each range of memory is in.
//! ACPI 6.5, 5.2.16.

use zerocopy::{
    FromBytes,
    little_endian::{U16, U32, U64},
};

use crate::{
    ApicId, Error, MemoryRange, Processor, ProximityDomain, SubTable, SubTables, Table, Topology,
    table::{self, HEADER_LEN},
    wire::{Writer, wire},
};

/// Signature of the SRAT.
pub const SIGNATURE: [u8; 4] = *b"SRAT";
/// Revision 3: below it, Linux and Xen read 8 bits of a proximity domain.
pub const REVISION: u8 = 3;
/// Offset of the first entry.
const ENTRIES: usize = HEADER_LEN.saturating_add(size_of::<RawSrat>());

const ENABLED: u32 = 1;
const HOT_PLUGGABLE: u32 = 1 << 1;
const NON_VOLATILE: u32 = 1 << 2;

wire! { RawSrat: 12 {
    reserved1: U32 = 0,
    reserved8: U64 = 4,
} }
wire! { RawApicAffinity: 16 {
    kind: u8 = 0, len: u8 = 1, domain_low: u8 = 2, apic_id: u8 = 3, flags: U32 = 4,
    sapic_eid: u8 = 8, domain_high: [u8; 3] = 9, clock_domain: U32 = 12,
} }
wire! { RawMemoryAffinity: 40 {
    kind: u8 = 0, len: u8 = 1, domain: U32 = 2, reserved6: U16 = 6, base: U64 = 8, length: U64 = 16,
    reserved24: U32 = 24, flags: U32 = 28, reserved32: U64 = 32,
} }
wire! { RawX2ApicAffinity: 24 {
    kind: u8 = 0, len: u8 = 1, reserved2: U16 = 2, domain: U32 = 4, x2apic_id: U32 = 8,
    flags: U32 = 12, clock_domain: U32 = 16, reserved20: U32 = 20,
} }

/// One SRAT entry, with what its bytes hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SratEntry<'a> {
    /// Type 0, ACPI 6.5, 5.2.16.1.
    LocalApic {
        /// All four bytes; a revision 1 table means the lowest only.
        domain: ProximityDomain,
        /// APIC ID.
        apic_id: u8,
        /// Bit 0 enabled.
        flags: u32,
        /// Clock domain.
        clock_domain: u32,
    },
    /// Type 1, ACPI 6.5, 5.2.16.2.
    Memory {
        /// Proximity domain; a revision 1 table means the lowest byte only.
        domain: ProximityDomain,
        /// First address.
        base: u64,
        /// Size in bytes; may be anything, 0 and past 2^64 included.
        length: u64,
        /// Bit 0 enabled, bit 1 hot-pluggable, bit 2 non-volatile.
        flags: u32,
    },
    /// Type 2, ACPI 6.5, 5.2.16.3.
    X2Apic {
        /// Proximity domain.
        domain: ProximityDomain,
        /// x2APIC ID.
        apic_id: ApicId,
        /// Bit 0 enabled.
        flags: u32,
        /// Clock domain.
        clock_domain: u32,
    },
    /// Any other type, as bytes.
    Other(SubTable<'a>),
}

impl<'a> SratEntry<'a> {
    /// Reads an entry. Bytes behind a type's fixed part are left alone.
    ///
    /// # Errors
    /// [`Error::EntryLength`] where the entry is shorter than its type takes.
    pub fn parse(entry: SubTable<'a>) -> Result<Self, Error> {
        let bytes = entry.bytes;
        let parsed = match entry.kind {
            0 => RawApicAffinity::ref_from_prefix(bytes).ok().map(|(raw, _)| {
                let [b1, b2, b3] = raw.domain_high;
                Self::LocalApic {
                    domain: ProximityDomain(u32::from_le_bytes([raw.domain_low, b1, b2, b3])),
                    apic_id: raw.apic_id,
                    flags: raw.flags.get(),
                    clock_domain: raw.clock_domain.get(),
                }
            }),
            1 => RawMemoryAffinity::ref_from_prefix(bytes).ok().map(|(raw, _)| Self::Memory {
                domain: ProximityDomain(raw.domain.get()),
                base: raw.base.get(),
                length: raw.length.get(),
                flags: raw.flags.get(),
            }),
            2 => RawX2ApicAffinity::ref_from_prefix(bytes).ok().map(|(raw, _)| Self::X2Apic {
                domain: ProximityDomain(raw.domain.get()),
                apic_id: ApicId(raw.x2apic_id.get()),
                flags: raw.flags.get(),
                clock_domain: raw.clock_domain.get(),
            }),
            _ => Some(Self::Other(entry)),
        };
        parsed.ok_or_else(|| Error::EntryLength {
            signature: SIGNATURE,
            offset: entry.offset,
            kind: entry.kind,
            len: u8::try_from(bytes.len()).unwrap_or(u8::MAX),
            needed: fixed_len(entry.kind),
        })
    }

    #[inline(always)]
    fn write(&self, to: &mut Writer<'_>) {
        match *self {
            Self::LocalApic { domain, apic_id, flags, clock_domain } => {
                let [domain_low, domain_high @ ..] = domain.0.to_le_bytes();
                to.put(&RawApicAffinity {
                    kind: 0,
                    len: 16,
                    domain_low,
                    apic_id,
                    flags: U32::new(flags),
                    sapic_eid: 0,
                    domain_high,
                    clock_domain: U32::new(clock_domain),
                });
            }
            Self::Memory { domain, base, length, flags } => to.put(&RawMemoryAffinity {
                kind: 1,
                len: 40,
                domain: U32::new(domain.0),
                reserved6: U16::ZERO,
                base: U64::new(base),
                length: U64::new(length),
                reserved24: U32::ZERO,
                flags: U32::new(flags),
                reserved32: U64::ZERO,
            }),
            Self::X2Apic { domain, apic_id, flags, clock_domain } => to.put(&RawX2ApicAffinity {
                kind: 2,
                len: 24,
                reserved2: U16::ZERO,
                domain: U32::new(domain.0),
                x2apic_id: U32::new(apic_id.0),
                flags: U32::new(flags),
                clock_domain: U32::new(clock_domain),
                reserved20: U32::ZERO,
            }),
            Self::Other(entry) => to.put(entry.bytes),
        }
    }
}

/// What an entry of this type takes at least.
const fn fixed_len(kind: u8) -> u8 {
    match kind {
        0 => 16,
        1 => 40,
        2 => 24,
        _ => 2,
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
            (type0, size_of::<RawApicAffinity>()),
            (type2, size_of::<RawX2ApicAffinity>()),
            (topology.description().memory.len(), size_of::<RawMemoryAffinity>()),
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
    let kind = table::Kind { signature: SIGNATURE, revision: REVISION };
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

/// An SRAT that somebody wrote, as a bounded view.
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
    #[must_use]
    pub fn sub_tables(&self) -> SubTables<'a> {
        SubTables::new(&self.table, ENTRIES)
    }

    /// The entries; after an error that ends the list there is nothing, while an
    /// entry too short for its type is passed over to the next.
    pub fn entries(&self) -> impl Iterator<Item = Result<SratEntry<'a>, Error>> + use<'a> {
        self.sub_tables().map(|entry| entry.and_then(SratEntry::parse))
    }
}
