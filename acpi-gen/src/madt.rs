//! MADT ("APIC"): which processors and interrupt controllers there are.
//! ACPI 6.5, 5.2.12.

use zerocopy::{FromBytes, little_endian::U32};

use crate::{
    ApicId, Error, InterruptOverride, IntiFlags, IoApic, LocalNmi, NmiTarget, Processor,
    ProcessorState, ProcessorUid, Show, Table, Topology, Value,
    acpi_table::{AcpiTable, Contents},
    entry::{at, entries},
    subtable::SubTables,
    table::{self, HEADER_LEN},
    wire::wire,
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

entries! {
    /// One MADT entry. Fields hold what the bytes hold: a type 0 entry's UID and ID
    /// are 8 bits wide, so a value that does not fit cannot be named.
    pub MadtEntry of SIGNATURE;

    named {
        0xB, "GIC CPU Interface";
        0xC, "GIC Distributor";
        0xD, "GIC MSI Frame";
        0xE, "GIC Redistributor";
        0xF, "GIC Interrupt Translation Service";
        0x11, "Core Programmable Interrupt Controller";
        0x12, "Legacy I/O Programmable Interrupt Controller";
        0x13, "HyperTransport Programmable Interrupt Controller";
        0x14, "Extend I/O Programmable Interrupt Controller";
        0x15, "MSI Programmable Interrupt Controller";
        0x16, "Bridge I/O Programmable Interrupt Controller";
        0x17, "LPC Programmable Interrupt Controller";
        0x18, "RISC-V Interrupt Controller";
        0x19, "RISC-V Incoming MSI Controller";
        0x1A, "RISC-V Advanced Platform-Level Interrupt Controller";
        0x1B, "RISC-V Platform-Level Interrupt Controller";
    }

    /// Type 0, ACPI 6.5, 5.2.12.2.
    LOCAL_APIC: LocalApic = 0, 8 bytes, "Local APIC" {
        /// ACPI UID.
        uid: u8 = at(2) => Decimal,
        /// APIC ID; 0xFF means "ignore".
        apic_id: u8 = at(3) => Decimal,
        /// Bit 0 enabled, bit 1 online-capable.
        flags: u32 = at(4) => Hex,
    }
    /// Type 1, ACPI 6.5, 5.2.12.3.
    IO_APIC: IoApic = 1, 12 bytes, "I/O APIC" {
        /// Its APIC ID.
        id: u8 = at(2) => Decimal,
        /// 32-bit physical address of its registers.
        address: u32 = at(4) => Hex,
        /// The first global system interrupt that it serves.
        gsi_base: u32 = at(8) => Decimal,
    }
    /// Type 2, ACPI 6.5, 5.2.12.5.
    INTERRUPT_OVERRIDE: InterruptOverride = 2, 10 bytes, "Interrupt Source Override" {
        /// Bus, 0 for ISA.
        bus: u8 = at(2) => Decimal,
        /// Bus-relative IRQ.
        source: u8 = at(3) => Decimal,
        /// Global system interrupt.
        gsi: u32 = at(4) => Decimal,
        /// MPS INTI flags, see [`IntiFlags`].
        flags: u16 = at(8) => Hex,
    }
    /// Type 3, ACPI 6.5, 5.2.12.6.
    NMI_SOURCE: NmiSource = 3, 8 bytes, "NMI Source" {
        /// MPS INTI flags.
        flags: u16 = at(2) => Hex,
        /// Global system interrupt.
        gsi: u32 = at(4) => Decimal,
    }
    /// Type 4, ACPI 6.5, 5.2.12.7.
    LOCAL_APIC_NMI: LocalApicNmi = 4, 6 bytes, "Local APIC NMI" {
        /// ACPI UID; 0xFF for all processors.
        uid: u8 = at(2) => Decimal,
        /// MPS INTI flags.
        flags: u16 = at(3) => Hex,
        /// LINT input.
        lint: u8 = at(5) => Decimal,
    }
    /// Type 5, ACPI 6.5, 5.2.12.8.
    LOCAL_APIC_ADDRESS: LocalApicAddress = 5, 12 bytes, "Local APIC Address Override" {
        /// 64-bit physical address of the local APICs' registers.
        address: u64 = at(4) => Hex,
    }
    /// Type 6, ACPI 6.5, 5.2.12.9.
    IO_SAPIC: IoSapic = 6, 16 bytes, "I/O SAPIC" {
        /// Its ID.
        id: u8 = at(2) => Decimal,
        /// The first global system interrupt that it serves.
        gsi_base: u32 = at(4) => Decimal,
        /// 64-bit physical address of its registers.
        address: u64 = at(8) => Hex,
    }
    /// Type 7, ACPI 6.5, 5.2.12.10; its UID as a string follows.
    LOCAL_SAPIC: LocalSapic = 7, 16 bytes, "Local SAPIC" {
        /// ACPI processor ID.
        processor: u8 = at(2) => Decimal,
        /// SAPIC ID.
        id: u8 = at(3) => Decimal,
        /// SAPIC EID.
        eid: u8 = at(4) => Decimal,
        /// Bit 0 enabled.
        flags: u32 = at(8) => Hex,
        /// ACPI UID.
        uid: ProcessorUid = at(12) => Decimal,
    }
    /// Type 8, ACPI 6.5, 5.2.12.11.
    PLATFORM_INTERRUPT: PlatformInterrupt = 8, 16 bytes, "Platform Interrupt Source" {
        /// MPS INTI flags.
        flags: u16 = at(2) => Hex,
        /// 1 PMI, 2 INIT, 3 corrected platform error.
        interrupt_type: u8 = at(4) => Decimal,
        /// Processor ID of the destination.
        processor: u8 = at(5) => Decimal,
        /// Processor EID of the destination.
        eid: u8 = at(6) => Decimal,
        /// I/O SAPIC vector.
        vector: u8 = at(7) => Decimal,
        /// Global system interrupt.
        gsi: u32 = at(8) => Decimal,
        /// Bit 0: the processor that gets a CPEI may be another one.
        platform_flags: u32 = at(12) => Hex,
    }
    /// Type 9, ACPI 6.5, 5.2.12.12.
    X2APIC: X2Apic = 9, 16 bytes, "Local x2APIC" {
        /// ACPI UID.
        uid: ProcessorUid = at(12) => Decimal,
        /// x2APIC ID; 0xFFFFFFFF means "ignore".
        apic_id: ApicId = at(4) => Decimal,
        /// Bit 0 enabled, bit 1 online-capable.
        flags: u32 = at(8) => Hex,
    }
    /// Type 0xA, ACPI 6.5, 5.2.12.13.
    X2APIC_NMI: X2ApicNmi = 0xA, 12 bytes, "Local x2APIC NMI" {
        /// ACPI UID; 0xFFFFFFFF for all processors.
        uid: ProcessorUid = at(4) => Decimal,
        /// MPS INTI flags.
        flags: u16 = at(2) => Hex,
        /// LINT input.
        lint: u8 = at(8) => Decimal,
    }
    /// Type 0x10, ACPI 6.5, 5.2.12.19; from ACPI 6.6 on a reset vector follows.
    WAKEUP: MultiprocessorWakeup = 0x10, 16 bytes, "Multiprocessor Wakeup" {
        /// Version of the mailbox.
        version: u16 = at(2) => Decimal,
        /// Physical address of the mailbox, a page.
        mailbox: u64 = at(8) => Hex,
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
            (type0, MadtEntry::LOCAL_APIC.len),
            (description.processors.len().saturating_sub(type0), MadtEntry::X2APIC.len),
            (description.io_apics.len(), MadtEntry::IO_APIC.len),
            (description.overrides.len(), MadtEntry::INTERRUPT_OVERRIDE.len),
            (nmi4, MadtEntry::LOCAL_APIC_NMI.len),
            (description.nmis.len().saturating_sub(nmi4), MadtEntry::X2APIC_NMI.len),
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
    let kind = table::HeaderFields { signature: SIGNATURE, revision };
    table::emit(kind, &description.oem, len(topology)?, buffer, |to| {
        to.put(&RawMadt {
            local_apic_address: U32::new(LOCAL_APIC_ADDRESS),
            flags: U32::new(if description.pcat_compat { PCAT_COMPAT } else { 0 }),
        });
        let absent = if description.revisions.knows_online_capable() { 2 } else { 0 };
        for processor in description.processors {
            processor_entry(topology, processor, absent).write(to);
        }
        for &IoApic { id, address, gsi_base } in description.io_apics {
            MadtEntry::IoApic { id, address, gsi_base }.write(to);
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
        flags: IntiFlags { polarity: over.polarity, trigger: over.trigger }.bits(),
    }
}

fn nmi_entry(topology: &Topology<'_>, nmi: &LocalNmi) -> MadtEntry<'static> {
    let flags = IntiFlags { polarity: nmi.polarity, trigger: nmi.trigger }.bits();
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

/// A parsed MADT, as a bounded view.
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
    const fn local_apic_address(&self) -> u32 {
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
    pub(crate) fn sub_tables(&self) -> SubTables<'a> {
        SubTables::new(&self.table, ENTRIES)
    }

    /// The entries; after an error that ends the list there is nothing, while an
    /// entry too short for its type is passed over to the next.
    pub fn entries(&self) -> impl Iterator<Item = Result<MadtEntry<'a>, Error>> + use<'a> {
        self.sub_tables().map(|entry| entry.and_then(MadtEntry::parse))
    }
}

impl AcpiTable for Madt<'_> {
    const SIGNATURE: [u8; 4] = SIGNATURE;
    const IS_SIGNED: bool = true;

    fn is_in(_: &Contents<'_>) -> bool {
        true
    }

    fn len(contents: &Contents<'_>) -> Result<usize, Error> {
        len(&contents.topology)
    }

    fn emit(contents: &Contents<'_>, _: &[u8], buffer: &mut [u8]) -> Result<usize, Error> {
        emit(&contents.topology, buffer)
    }

    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error> {
        let madt = Madt::parse(bytes)?;
        to.field("local_apic_address", Value::Hex(madt.local_apic_address().into()));
        to.field("pcat_compat", Value::Flag(Some(madt.pcat_compat())));
        madt.sub_tables().show(to, MadtEntry::show);
        Ok(())
    }
}
