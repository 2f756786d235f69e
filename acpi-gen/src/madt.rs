//! MADT ("APIC"): which processors and interrupt controllers there are.
//! ACPI 6.5, 5.2.12.

use zerocopy::{
    FromBytes,
    little_endian::{U16, U32},
};

use crate::{
    ApicId, Error, InterruptOverride, IoApic, LocalNmi, NmiTarget, Polarity, Processor,
    ProcessorState, ProcessorUid, SubTable, SubTables, Table, Topology, Trigger,
    table::{self, HEADER_LEN},
    wire::{Writer, wire},
};

/// Signature of the MADT.
pub const SIGNATURE: [u8; 4] = *b"APIC";
/// Where every x86 processor finds its local APIC at reset.
const LOCAL_APIC_ADDRESS: u32 = 0xFEE0_0000;
/// Offset of the first entry.
const ENTRIES: usize = HEADER_LEN.saturating_add(size_of::<RawMadt>());
/// Flags bit 0 of the table.
const PCAT_COMPAT: u32 = 1;

wire! { RawMadt: 8 {
    local_apic_address: U32 = 0,
    flags: U32 = 4,
} }
wire! { RawLocalApic: 8 {
    kind: u8 = 0, len: u8 = 1, uid: u8 = 2, apic_id: u8 = 3, flags: U32 = 4,
} }
wire! { RawIoApic: 12 {
    kind: u8 = 0, len: u8 = 1, id: u8 = 2, reserved: u8 = 3, address: U32 = 4, gsi_base: U32 = 8,
} }
wire! { RawOverride: 10 {
    kind: u8 = 0, len: u8 = 1, bus: u8 = 2, source: u8 = 3, gsi: U32 = 4, flags: U16 = 8,
} }
wire! { RawLocalApicNmi: 6 {
    kind: u8 = 0, len: u8 = 1, uid: u8 = 2, flags: U16 = 3, lint: u8 = 5,
} }
wire! { RawX2Apic: 16 {
    kind: u8 = 0, len: u8 = 1, reserved: U16 = 2, x2apic_id: U32 = 4, flags: U32 = 8, uid: U32 = 12,
} }
wire! { RawX2ApicNmi: 12 {
    kind: u8 = 0, len: u8 = 1, flags: U16 = 2, uid: U32 = 4, lint: u8 = 8, reserved: [u8; 3] = 9,
} }

/// One MADT entry. Fields hold what the bytes hold: a type 0 entry's UID and ID
/// are 8 bits wide, so a value that does not fit cannot be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MadtEntry<'a> {
    /// Type 0, ACPI 6.5, 5.2.12.2.
    LocalApic {
        /// ACPI UID.
        uid: u8,
        /// APIC ID; 0xFF means "ignore".
        apic_id: u8,
        /// Bit 0 enabled, bit 1 online-capable.
        flags: u32,
    },
    /// Type 1, ACPI 6.5, 5.2.12.3.
    IoApic(IoApic),
    /// Type 2, ACPI 6.5, 5.2.12.5.
    InterruptOverride {
        /// Bus, 0 for ISA.
        bus: u8,
        /// Bus-relative IRQ.
        source: u8,
        /// Global system interrupt.
        gsi: u32,
        /// MPS INTI flags: polarity in bits 1:0, trigger mode in bits 3:2.
        flags: u16,
    },
    /// Type 4, ACPI 6.5, 5.2.12.7.
    LocalApicNmi {
        /// ACPI UID; 0xFF for all processors.
        uid: u8,
        /// MPS INTI flags.
        flags: u16,
        /// LINT input.
        lint: u8,
    },
    /// Type 9, ACPI 6.5, 5.2.12.12.
    X2Apic {
        /// ACPI UID.
        uid: ProcessorUid,
        /// x2APIC ID; 0xFFFFFFFF means "ignore".
        apic_id: ApicId,
        /// Bit 0 enabled, bit 1 online-capable.
        flags: u32,
    },
    /// Type 0xA, ACPI 6.5, 5.2.12.13.
    X2ApicNmi {
        /// ACPI UID; 0xFFFFFFFF for all processors.
        uid: ProcessorUid,
        /// MPS INTI flags.
        flags: u16,
        /// LINT input.
        lint: u8,
    },
    /// Any other type, as bytes.
    Other(SubTable<'a>),
}

impl<'a> MadtEntry<'a> {
    /// Reads an entry. Bytes behind a type's fixed part are left alone.
    ///
    /// # Errors
    /// [`Error::EntryLength`] where the entry is shorter than its type takes.
    pub fn parse(entry: SubTable<'a>) -> Result<Self, Error> {
        let bytes = entry.bytes;
        let parsed = match entry.kind {
            0 => RawLocalApic::ref_from_prefix(bytes).ok().map(|(raw, _)| Self::LocalApic {
                uid: raw.uid,
                apic_id: raw.apic_id,
                flags: raw.flags.get(),
            }),
            1 => RawIoApic::ref_from_prefix(bytes).ok().map(|(raw, _)| {
                Self::IoApic(IoApic {
                    id: raw.id,
                    address: raw.address.get(),
                    gsi_base: raw.gsi_base.get(),
                })
            }),
            2 => RawOverride::ref_from_prefix(bytes).ok().map(|(raw, _)| Self::InterruptOverride {
                bus: raw.bus,
                source: raw.source,
                gsi: raw.gsi.get(),
                flags: raw.flags.get(),
            }),
            4 => RawLocalApicNmi::ref_from_prefix(bytes).ok().map(|(raw, _)| Self::LocalApicNmi {
                uid: raw.uid,
                flags: raw.flags.get(),
                lint: raw.lint,
            }),
            9 => RawX2Apic::ref_from_prefix(bytes).ok().map(|(raw, _)| Self::X2Apic {
                uid: ProcessorUid(raw.uid.get()),
                apic_id: ApicId(raw.x2apic_id.get()),
                flags: raw.flags.get(),
            }),
            0xA => RawX2ApicNmi::ref_from_prefix(bytes).ok().map(|(raw, _)| Self::X2ApicNmi {
                uid: ProcessorUid(raw.uid.get()),
                flags: raw.flags.get(),
                lint: raw.lint,
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
            Self::LocalApic { uid, apic_id, flags } => {
                to.put(&RawLocalApic { kind: 0, len: 8, uid, apic_id, flags: U32::new(flags) });
            }
            Self::IoApic(IoApic { id, address, gsi_base }) => to.put(&RawIoApic {
                kind: 1,
                len: 12,
                id,
                reserved: 0,
                address: U32::new(address),
                gsi_base: U32::new(gsi_base),
            }),
            Self::InterruptOverride { bus, source, gsi, flags } => to.put(&RawOverride {
                kind: 2,
                len: 10,
                bus,
                source,
                gsi: U32::new(gsi),
                flags: U16::new(flags),
            }),
            Self::LocalApicNmi { uid, flags, lint } => {
                to.put(&RawLocalApicNmi { kind: 4, len: 6, uid, flags: U16::new(flags), lint });
            }
            Self::X2Apic { uid, apic_id, flags } => to.put(&RawX2Apic {
                kind: 9,
                len: 16,
                reserved: U16::ZERO,
                x2apic_id: U32::new(apic_id.0),
                flags: U32::new(flags),
                uid: U32::new(uid.0),
            }),
            Self::X2ApicNmi { uid, flags, lint } => to.put(&RawX2ApicNmi {
                kind: 0xA,
                len: 12,
                flags: U16::new(flags),
                uid: U32::new(uid.0),
                lint,
                reserved: [0; 3],
            }),
            Self::Other(entry) => to.put(entry.bytes),
        }
    }
}

/// What an entry of this type takes at least.
const fn fixed_len(kind: u8) -> u8 {
    match kind {
        0 => 8,
        1 | 0xA => 12,
        2 => 10,
        4 => 6,
        9 => 16,
        _ => 2,
    }
}

/// The MADT's length in bytes.
///
/// # Errors
/// [`Error::TableTooLarge`] where it passes 4 GiB.
pub fn len(topology: &Topology<'_>) -> Result<usize, Error> {
    let description = topology.description();
    let type0 = topology.type0_count();
    let nmi4 = description.nmis.iter().filter(|nmi| topology.nmi_is_type4(nmi)).count();
    table::table_len(
        SIGNATURE,
        ENTRIES,
        &[
            (type0, size_of::<RawLocalApic>()),
            (description.processors.len().saturating_sub(type0), size_of::<RawX2Apic>()),
            (description.io_apics.len(), size_of::<RawIoApic>()),
            (description.overrides.len(), size_of::<RawOverride>()),
            (nmi4, size_of::<RawLocalApicNmi>()),
            (description.nmis.len().saturating_sub(nmi4), size_of::<RawX2ApicNmi>()),
        ],
    )
}

/// Writes the MADT to the start of `buffer` and returns its length: processors
/// in their order, I/O APICs, overrides, NMIs.
///
/// # Errors
/// [`Error::BufferTooSmall`], with the buffer untouched, and those of [`len`].
pub fn emit(topology: &Topology<'_>, buffer: &mut [u8]) -> Result<usize, Error> {
    let description = topology.description();
    let revision = description.revisions.madt();
    let kind = table::Kind { signature: SIGNATURE, revision };
    table::emit(kind, &description.oem, len(topology)?, buffer, |to| {
        to.put(&RawMadt {
            local_apic_address: U32::new(LOCAL_APIC_ADDRESS),
            flags: U32::new(if description.pcat_compat { PCAT_COMPAT } else { 0 }),
        });
        let absent = if description.revisions.knows_online_capable() { 2 } else { 0 };
        for processor in description.processors {
            processor_entry(topology, processor, absent).write(to);
        }
        for io_apic in description.io_apics {
            MadtEntry::IoApic(*io_apic).write(to);
        }
        for over in description.overrides {
            override_entry(over).write(to);
        }
        for nmi in description.nmis {
            nmi_entry(topology, nmi).write(to);
        }
    })
}

#[inline(always)]
fn processor_entry(
    topology: &Topology<'_>,
    processor: &Processor,
    absent: u32,
) -> MadtEntry<'static> {
    // Bit 1 must be 0 where bit 0 is 1 (ACPI 6.5, table 5.22).
    let flags = match processor.state {
        ProcessorState::Enabled => 1,
        ProcessorState::OnlineCapable => absent,
    };
    let (uid, apic_id) = (processor.uid, processor.apic_id);
    if topology.uses_type0(processor)
        // Validation has seen that both fit.
        && let (Ok(uid), Ok(apic_id)) = (u8::try_from(uid.0), u8::try_from(apic_id.0))
    {
        return MadtEntry::LocalApic { uid, apic_id, flags };
    }
    MadtEntry::X2Apic { uid, apic_id, flags }
}

fn override_entry(over: &InterruptOverride) -> MadtEntry<'static> {
    MadtEntry::InterruptOverride {
        bus: 0,
        source: over.source,
        gsi: over.gsi,
        flags: inti_flags(over.polarity, over.trigger),
    }
}

fn nmi_entry(topology: &Topology<'_>, nmi: &LocalNmi) -> MadtEntry<'static> {
    let flags = inti_flags(nmi.polarity, nmi.trigger);
    let lint = nmi.lint;
    if topology.nmi_is_type4(nmi) {
        let uid = match nmi.target {
            NmiTarget::All => u8::MAX,
            NmiTarget::Uid(uid) => u8::try_from(uid.0).unwrap_or(u8::MAX),
        };
        return MadtEntry::LocalApicNmi { uid, flags, lint };
    }
    let uid = match nmi.target {
        NmiTarget::All => ProcessorUid(u32::MAX),
        NmiTarget::Uid(uid) => uid,
    };
    MadtEntry::X2ApicNmi { uid, flags, lint }
}

const fn inti_flags(polarity: Polarity, trigger: Trigger) -> u16 {
    let polarity = match polarity {
        Polarity::Conforming => 0,
        Polarity::High => 1,
        Polarity::Low => 3,
    };
    let trigger = match trigger {
        Trigger::Conforming => 0,
        Trigger::Edge => 1 << 2,
        Trigger::Level => 3 << 2,
    };
    polarity | trigger
}

/// A MADT that somebody wrote, as a bounded view.
#[derive(Clone, Copy, Debug)]
pub struct Madt<'a> {
    table: Table<'a>,
    fixed: &'a RawMadt,
}

impl<'a> Madt<'a> {
    /// Reads the fixed part; entries are read as they are iterated.
    ///
    /// # Errors
    /// Those of [`Table::parse`], and [`Error::WrongSignature`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let table = Table::parse_as(bytes, SIGNATURE, ENTRIES)?;
        match RawMadt::ref_from_prefix(table.from(HEADER_LEN)) {
            Ok((fixed, _)) => Ok(Self { table, fixed }),
            Err(_) => Err(Error::TableTruncated {
                signature: SIGNATURE,
                needed: ENTRIES,
                have: table.bytes().len(),
            }),
        }
    }

    /// The table's header and bytes.
    #[must_use]
    pub const fn table(&self) -> &Table<'a> {
        &self.table
    }

    /// Physical address of the local APICs' registers.
    #[must_use]
    pub const fn local_apic_address(&self) -> u32 {
        self.fixed.local_apic_address.get()
    }

    /// Flags; bit 0 is PCAT_COMPAT, the rest is reserved.
    #[must_use]
    pub const fn flags(&self) -> u32 {
        self.fixed.flags.get()
    }

    /// Whether the machine also has two 8259 PICs.
    #[must_use]
    pub const fn pcat_compat(&self) -> bool {
        self.flags() & PCAT_COMPAT != 0
    }

    /// The entries as bytes.
    #[must_use]
    pub fn sub_tables(&self) -> SubTables<'a> {
        SubTables::new(&self.table, ENTRIES)
    }

    /// The entries; after an error that ends the list there is nothing, while an
    /// entry too short for its type is passed over to the next.
    pub fn entries(&self) -> impl Iterator<Item = Result<MadtEntry<'a>, Error>> + use<'a> {
        self.sub_tables().map(|entry| entry.and_then(MadtEntry::parse))
    }
}
