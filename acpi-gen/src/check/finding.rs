//! Findings, with the numbers that the consumer itself would print.

use core::fmt;

use super::Consumer;
use crate::{ApicId, Error, ProximityDomain};

/// RAM that may lie in no node before Linux drops an SRAT for it
/// (numa_register_meminfo in 6.12, likewise numa_meminfo_cover_memory in 6.1).
const LINUX_SLACK: u64 = 1 << 20;

/// How much a finding costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The consumer takes the tables as they are, with a remark.
    Note,
    /// The consumer drops a table or a CPU, or does not boot; for fwts, a test fails.
    Error,
}

/// One thing that one consumer would find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Who finds it.
    pub consumer: Consumer,
    /// What it costs.
    pub severity: Severity,
    /// What it is.
    pub kind: Kind,
}

/// What was found. Entries are named by their offset in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A table, or an entry of one, that cannot be read.
    Unreadable(Error),
    /// A table whose bytes do not sum up to 0.
    Checksum {
        /// The table; "RSDP" for the RSDP.
        signature: [u8; 4],
        /// What they sum up to.
        sum: u8,
    },
    /// No entry of the MADT is a usable processor.
    NoUsableProcessor,
    /// Several usable entries with one APIC ID.
    DuplicateApicId {
        /// The ID.
        id: ApicId,
    },
    /// Type 9 entries below 255 beside usable type 0 entries.
    X2ApicIgnored {
        /// How many.
        count: usize,
        /// ID of the first of them.
        first: ApicId,
    },
    /// An APIC ID past what the kernel has room for.
    ApicIdTooHigh {
        /// The ID.
        id: ApicId,
        /// The first ID that is too high.
        limit: u32,
    },
    /// IDs that need interrupt remapping or the extended-destination-id feature.
    ApicIdNeedsRemapping {
        /// How many.
        count: usize,
        /// The highest.
        highest: ApicId,
    },
    /// The entry that comes first is taken for the boot processor, but another
    /// one has a lower UID.
    BootProcessorNotFirst {
        /// ID of the first entry.
        first: ApicId,
        /// ID of the one with the lowest UID.
        lowest_uid: ApicId,
    },
    /// Usable processors that the SRAT does not place on a node.
    ProcessorsWithoutNode {
        /// How many.
        count: usize,
        /// ID of the first of them.
        first: ApicId,
    },
    /// Processors of the SRAT that the MADT does not list as usable.
    AffinityOfUnknownProcessor {
        /// How many.
        count: usize,
        /// ID of the first of them.
        first: ApicId,
    },
    /// A processor's flags that contradict themselves or the table's revision.
    ProcessorFlags {
        /// Offset of the entry.
        offset: usize,
        /// The flags.
        flags: u32,
        /// The table's revision.
        revision: u8,
    },
    /// A proximity domain past what the consumer has room for.
    DomainTooHigh {
        /// The domain.
        domain: ProximityDomain,
        /// The first domain that is too high.
        limit: u32,
    },
    /// More different domains than the consumer has nodes.
    TooManyDomains {
        /// Nodes that it has.
        limit: usize,
    },
    /// More memory entries than the consumer has room for.
    TooManyMemoryEntries {
        /// Entries that there are.
        count: usize,
        /// Entries that it takes.
        limit: usize,
    },
    /// No memory entry is enabled.
    NoMemory,
    /// An enabled memory entry without a length.
    EmptyMemory {
        /// Offset of the entry.
        offset: usize,
    },
    /// A memory entry that passes 2^64.
    MemoryPastEnd {
        /// Its first address.
        base: u64,
        /// Its length.
        length: u64,
    },
    /// Two memory entries that share addresses.
    MemoryOverlap {
        /// First address that they share.
        start: u64,
        /// First address past what they share.
        end: u64,
        /// Domain of the entry that comes first in the table.
        first: ProximityDomain,
        /// Domain of the other.
        second: ProximityDomain,
    },
    /// A node's memory lies between two ranges of another node.
    MemoryInterleaved {
        /// First address of the range in between.
        start: u64,
        /// First address past it.
        end: u64,
        /// Its domain.
        domain: ProximityDomain,
        /// The domain around it.
        around: ProximityDomain,
    },
    /// RAM that no memory entry covers.
    NotCovered {
        /// Bytes that are not covered.
        uncovered: u64,
        /// Bytes of RAM.
        ram: u64,
        /// First address that is not covered.
        first: u64,
    },
    /// A revision below 2, with which only 8 bits of a domain are read.
    NarrowDomains {
        /// The SRAT's revision.
        revision: u8,
        /// The highest domain that the bytes hold.
        domain: ProximityDomain,
    },
    /// An entry that is longer than its type; this consumer wants it exact.
    EntryTooLong {
        /// The table.
        signature: [u8; 4],
        /// Offset of the entry.
        offset: usize,
        /// Its length.
        len: usize,
        /// The length that it should have.
        exact: usize,
    },
    /// A SLIT that the consumer drops whole for one entry.
    Distance {
        /// Row.
        from: ProximityDomain,
        /// Column.
        to: ProximityDomain,
        /// The entry.
        value: u8,
    },
    /// A SLIT that ends before the highest domain of the SRAT.
    SlitTooSmall {
        /// Its localities.
        localities: usize,
        /// The highest domain.
        domain: ProximityDomain,
    },
    /// Pairs at distance 255.
    Unreachable {
        /// How many.
        pairs: usize,
    },
    /// A field that the specification keeps at one value.
    Reserved {
        /// The table.
        signature: [u8; 4],
        /// Offset of the entry, or of the table's field.
        offset: usize,
    },
    /// A MADT revision that no specification pairs with this FADT version.
    RevisionPair {
        /// The MADT's revision.
        madt: u8,
        /// The FADT's major and minor version.
        fadt: (u8, u8),
    },
    /// Two I/O APICs with one ID, or one at address 0.
    IoApic {
        /// Its ID.
        id: u8,
        /// Its address.
        address: u32,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.severity {
            Severity::Error => "error: ",
            Severity::Note => "note: ",
        })?;
        f.write_str(match self.consumer {
            Consumer::Linux => "Linux: ",
            Consumer::Xen => "Xen: ",
            Consumer::Fwts => "fwts: ",
        })?;
        self.kind.fmt(f)?;
        match (self.severity, self.consumer, self.kind) {
            (Severity::Error, Consumer::Linux, Kind::NotCovered { uncovered, .. })
                if uncovered <= LINUX_SLACK =>
            {
                f.write_str(": it will take this SRAT and panic at boot (in free_area_init)")
            }
            (Severity::Error, Consumer::Linux, Kind::NotCovered { uncovered, ram, .. }) => write!(
                f,
                ": it will drop this SRAT (\"no nodes coverage for {}MB of {}MB RAM\"; 6.1: \"nodes only cover {}MB of your {}MB e820 RAM\")",
                uncovered >> 20,
                ram >> 20,
                ram.saturating_sub(uncovered) >> 20,
                ram >> 20
            ),
            (Severity::Error, Consumer::Xen, Kind::NotCovered { .. }) => {
                f.write_str(": it will drop this SRAT (\"No node for RAM range\")")
            }
            (
                Severity::Error,
                Consumer::Linux | Consumer::Xen,
                Kind::MemoryOverlap { .. } | Kind::Unreadable(_),
            ) => f.write_str(": the table is not used"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Unreadable(error) => error.fmt(f),
            Self::Checksum { signature, sum } => write!(
                f,
                "{}: wrong checksum: the bytes sum up to {sum:#04x}, not 0",
                signature.escape_ascii()
            ),
            Self::NoUsableProcessor => f.write_str("APIC: no usable processor"),
            Self::DuplicateApicId { id } => {
                write!(f, "APIC: several usable entries have APIC id {}", id.0)
            }
            Self::X2ApicIgnored { count, first } => write!(
                f,
                "APIC: {count} x2APIC entries with an id below 255 (the first: {}) are ignored, since usable type 0 entries exist",
                first.0
            ),
            Self::ApicIdTooHigh { id, limit } => {
                write!(f, "APIC: APIC id {} is not below {limit}: that CPU is skipped", id.0)
            }
            Self::ApicIdNeedsRemapping { count, highest } => write!(
                f,
                "APIC: {count} CPUs have APIC ids above 254 (the highest: {}): they need interrupt remapping or extended destination ids",
                highest.0
            ),
            Self::BootProcessorNotFirst { first, lowest_uid } => write!(
                f,
                "APIC: the first entry has APIC id {}, but the lowest UID belongs to APIC id {}: the boot processor must come first (\"APIC enumeration order not specification compliant\")",
                first.0, lowest_uid.0
            ),
            Self::ProcessorsWithoutNode { count, first } => write!(
                f,
                "SRAT: {count} usable CPUs (the first: APIC id {}) have no affinity entry",
                first.0
            ),
            Self::AffinityOfUnknownProcessor { count, first } => write!(
                f,
                "SRAT: {count} affinity entries (the first: APIC id {}) are of no usable CPU",
                first.0
            ),
            Self::ProcessorFlags { offset, flags, revision } => write!(
                f,
                "APIC: entry at {offset:#x} has flags {flags:#x}, which revision {revision} does not allow"
            ),
            Self::DomainTooHigh { domain, limit } => write!(
                f,
                "SRAT: Too many proximity domains: PXM {} is not below {limit}, the SRAT is not used",
                domain.0
            ),
            Self::TooManyDomains { limit } => write!(
                f,
                "SRAT: Too many proximity domains: more than {limit} nodes, the SRAT is not used"
            ),
            Self::TooManyMemoryEntries { count, limit } => {
                write!(f, "SRAT: {count} memory entries, room for {limit}: the SRAT is not used")
            }
            Self::NoMemory => f.write_str("SRAT: no enabled memory entry: the SRAT is not used"),
            Self::EmptyMemory { offset } => {
                write!(f, "SRAT: memory entry at {offset:#x} has no length")
            }
            Self::MemoryPastEnd { base, length } => {
                write!(f, "SRAT: memory entry of {length:#x} bytes from {base:#x} passes 2^64")
            }
            Self::MemoryOverlap { start, end, first, second } => write!(
                f,
                "SRAT: [mem {start:#x}-{:#x}] is in PXM {} and in PXM {}",
                end.wrapping_sub(1),
                first.0,
                second.0
            ),
            Self::MemoryInterleaved { start, end, domain, around } => write!(
                f,
                "SRAT: [mem {start:#x}-{:#x}] of PXM {} lies inside PXM {} (\"interleaves with\"): the SRAT is not used",
                end.wrapping_sub(1),
                domain.0,
                around.0
            ),
            Self::NotCovered { uncovered, ram, first } => write!(
                f,
                "SRAT: {} of {} MiB RAM is in no node, from {first:#x}",
                uncovered >> 20,
                ram >> 20
            ),
            Self::NarrowDomains { revision, domain } => write!(
                f,
                "SRAT: revision {revision} holds 8 bits of a proximity domain: PXM {} is read as {}",
                domain.0,
                domain.0 & 0xFF
            ),
            Self::EntryTooLong { signature, offset, len, exact } => write!(
                f,
                "{}: entry at {offset:#x} has the length {len}, not {exact}",
                signature.escape_ascii()
            ),
            Self::Distance { from, to, value } => write!(
                f,
                "SLIT: distance {value} from PXM {} to {}: table looks invalid, not used",
                from.0, to.0
            ),
            Self::SlitTooSmall { localities, domain } => {
                write!(f, "SLIT: {localities} localities, but the SRAT has PXM {}", domain.0)
            }
            Self::Unreachable { pairs } => {
                write!(f, "SLIT: {pairs} pairs at distance 255, unreachable")
            }
            Self::Reserved { signature, offset } => write!(
                f,
                "{}: a reserved field or bit at {offset:#x} is not as the specification keeps it",
                signature.escape_ascii()
            ),
            Self::RevisionPair { madt, fadt } => {
                write!(f, "APIC: revision {madt} is not in sync with FADT {}.{}", fadt.0, fadt.1)
            }
            Self::IoApic { id, address } => {
                write!(
                    f,
                    "APIC: I/O APIC {id} at {address:#x}: ids must differ, addresses not be 0"
                )
            }
        }
    }
}
