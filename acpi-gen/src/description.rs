//! What a caller says of a machine: plain values over borrowed slices, not yet
//! checked. [`Topology::new`](crate::Topology::new) checks them.

use crate::{ApicId, Distance, GpaRange, ProcessorUid, ProximityDomain, Revisions};

/// A whole machine, or a guest, in the caller's own slices.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    /// Processors in the order of their tables; the boot processor is first
    /// (Linux takes the first MADT entry for it).
    pub processors: &'a [Processor],
    /// Memory in ascending order of address, without overlap.
    pub memory: &'a [MemoryRange],
    /// Distances between the domains that processors and memory name.
    pub distances: Distances<'a>,
    /// I/O APICs of the MADT; a PVH guest has none.
    pub io_apics: &'a [IoApic],
    /// ISA interrupts that are wired otherwise than 1:1.
    pub overrides: &'a [InterruptOverride],
    /// NMI inputs of local APICs.
    pub nmis: &'a [LocalNmi],
    /// Which MADT and SRAT entries stand for processors.
    pub entries: Entries,
    /// Table revisions.
    pub revisions: Revisions,
    /// MADT flag PCAT_COMPAT: the machine also has two 8259 PICs. ACPI 6.5, table 5.20.
    pub pcat_compat: bool,
    /// The OEM fields of every header.
    pub oem: Oem,
}

impl Description<'_> {
    /// An empty machine with the defaults of the formats: ACPI 6.5, x2APIC
    /// entries, OEM "XEN" / "VNUMA". A start for struct update syntax.
    pub const EMPTY: Self = Self {
        processors: &[],
        memory: &[],
        distances: Distances::DEFAULT,
        io_apics: &[],
        overrides: &[],
        nmis: &[],
        entries: Entries::X2Apic,
        revisions: Revisions::Acpi(crate::AcpiVersion::V6_5),
        pcat_compat: false,
        oem: Oem::DEFAULT,
    };
}

/// A logical processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processor {
    /// ACPI UID; in Xen the vCPU number.
    pub uid: ProcessorUid,
    /// Its local APIC's ID.
    pub apic_id: ApicId,
    /// Its proximity domain; without one it has no SRAT entry and no `_PXM`.
    pub domain: Option<ProximityDomain>,
    /// Present at boot, or only later.
    pub state: ProcessorState,
}

impl Processor {
    /// A processor that is present at boot; a plan gives it its APIC id.
    #[must_use]
    pub const fn on(domain: ProximityDomain, uid: ProcessorUid) -> Self {
        Self { uid, apic_id: ApicId(0), domain: Some(domain), state: ProcessorState::Enabled }
    }
}

/// Whether a processor is present at boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessorState {
    /// Usable at boot: MADT flags 1.
    Enabled,
    /// Absent at boot, may be added: MADT flags 2 from MADT revision 5 on, and 0
    /// before, where that bit is reserved. ACPI 6.5, table 5.22.
    OnlineCapable,
}

/// A range of memory in one proximity domain: one SRAT memory affinity structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryRange {
    /// Addresses in bytes.
    pub range: GpaRange,
    /// The node that the memory is on.
    pub domain: ProximityDomain,
    /// SRAT flag bit 1: memory may be added or removed here at run time.
    pub hot_pluggable: bool,
    /// SRAT flag bit 2: the contents survive a power cycle.
    pub non_volatile: bool,
}

/// Distances between proximity domains. Pairs not named are 10 on the diagonal
/// and 20 elsewhere; nothing is mirrored, as asymmetry is legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distances<'a> {
    /// The domains of the matrix' rows and columns, ascending.
    pub domains: &'a [ProximityDomain],
    /// Row by row, `domains.len()` squared: the entry at `i * domains.len() + j`
    /// is the distance from `domains[i]` to `domains[j]`.
    pub matrix: &'a [Distance],
}

impl Distances<'_> {
    /// 10 and 20 everywhere.
    pub const DEFAULT: Self = Self { domains: &[], matrix: &[] };
}

/// An I/O APIC. ACPI 6.5, 5.2.12.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoApic {
    /// Its APIC ID.
    pub id: u8,
    /// 32-bit physical address of its registers, not 0.
    pub address: u32,
    /// The first global system interrupt that it serves.
    pub gsi_base: u32,
}

/// An interrupt source override for the ISA bus. ACPI 6.5, 5.2.12.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterruptOverride {
    /// ISA IRQ.
    pub source: u8,
    /// Global system interrupt that it arrives on.
    pub gsi: u32,
    /// Polarity of the line.
    pub polarity: Polarity,
    /// Trigger mode of the line.
    pub trigger: Trigger,
}

/// A local APIC input that NMI is wired to. ACPI 6.5, 5.2.12.7 and 5.2.12.13.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalNmi {
    /// Which processors.
    pub target: NmiTarget,
    /// LINT input, 0 or 1.
    pub lint: u8,
    /// Polarity of the line.
    pub polarity: Polarity,
    /// Trigger mode of the line.
    pub trigger: Trigger,
    /// Type 4 or type 0xA.
    pub form: NmiForm,
}

/// The processors that a [`LocalNmi`] speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NmiTarget {
    /// All of the machine: UID 0xFF or 0xFFFFFFFF.
    All,
    /// One processor.
    Uid(ProcessorUid),
}

/// Which structure a [`LocalNmi`] becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NmiForm {
    /// The form of the processor's own entry; for all processors, type 0xA where
    /// any of them has an x2APIC entry (as QEMU has it).
    AsProcessors,
    /// Type 4, as another firmware's MADT had it.
    LocalApic,
    /// Type 0xA, as another firmware's MADT had it.
    X2Apic,
}

/// MPS INTI polarity, bits 1:0. ACPI 6.5, table 5.26.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polarity {
    /// 0: as the bus has it (ISA: active high).
    Conforming,
    /// 1: active high.
    High,
    /// 3: active low.
    Low,
}

/// MPS INTI trigger mode, bits 3:2. ACPI 6.5, table 5.26.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// 0: as the bus has it (ISA: edge).
    Conforming,
    /// 1: edge-triggered.
    Edge,
    /// 3: level-triggered.
    Level,
}

/// The MPS INTI flags of an interrupt. ACPI 6.5, table 5.26.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntiFlags {
    /// Bits 1:0.
    pub polarity: Polarity,
    /// Bits 3:2.
    pub trigger: Trigger,
}

impl IntiFlags {
    /// The flags as bits.
    #[must_use]
    pub(crate) const fn bits(self) -> u16 {
        let polarity = match self.polarity {
            Polarity::Conforming => 0,
            Polarity::High => 1,
            Polarity::Low => 3,
        };
        let trigger = match self.trigger {
            Trigger::Conforming => 0,
            Trigger::Edge => 1 << 2,
            Trigger::Level => 3 << 2,
        };
        polarity | trigger
    }

    /// The flags of these bits; `None` if polarity or trigger mode is the reserved
    /// value 2, or if a bit above 3 is set.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Option<Self> {
        let polarity = match bits & 3 {
            0 => Polarity::Conforming,
            1 => Polarity::High,
            3 => Polarity::Low,
            _ => return None,
        };
        let trigger = match bits >> 2 {
            0 => Trigger::Conforming,
            1 => Trigger::Edge,
            3 => Trigger::Level,
            _ => return None,
        };
        Some(Self { polarity, trigger })
    }
}

/// Which entries stand for processors in MADT and SRAT. A mix with type 9 below
/// 255 would be legal and useless: Linux ignores such entries where a usable
/// type 0 entry exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entries {
    /// Type 9 in the MADT and type 2 in the SRAT for all.
    X2Apic,
    /// Type 0 in both below ID 255, type 9 and 2 from 255.
    Hybrid,
}

/// The OEM fields of the table headers. ACPI 6.5, 5.2.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oem {
    /// OEMID, padded with NUL or spaces.
    pub id: [u8; 6],
    /// OEM Table ID, padded with NUL or spaces.
    pub table_id: [u8; 8],
    /// OEM Revision.
    pub revision: u32,
}

impl Oem {
    /// "XEN", "VNUMA", 1.
    pub const DEFAULT: Self = Self { id: *b"XEN\0\0\0", table_id: *b"VNUMA\0\0\0", revision: 1 };
}
