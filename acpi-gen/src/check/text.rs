//! Findings in words.

use core::fmt;

use super::{Consumer, Finding, Kind, Severity};

/// RAM that may lie in no node before Linux drops an SRAT for it
/// (numa_register_meminfo in 6.12, likewise numa_meminfo_cover_memory in 6.1).
const LINUX_SLACK: u64 = 1 << 20;

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Note => "note",
        })
    }
}

impl fmt::Display for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linux => "Linux",
            Self::Xen => "Xen",
            Self::Fwts => "fwts",
        })
    }
}

/// `severity: consumer: what it is`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.severity, self.consumer, self.words())
    }
}

impl Finding {
    /// What it is and what it costs, without severity and consumer.
    #[must_use]
    pub fn words(&self) -> impl fmt::Display + use<> {
        Words(*self)
    }
}

struct Words(Finding);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { consumer, severity, kind } = self.0;
        kind.fmt(f)?;
        match (severity, consumer, kind) {
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
            (Severity::Error, Consumer::Xen, Kind::DuplicateApicId { .. }) => {
                f.write_str(": it hangs when it starts that CPU again")
            }
            (Severity::Note, Consumer::Xen, Kind::DuplicateApicId { .. }) => {
                f.write_str(": that of the CPU that boots, which it does not start")
            }
            (
                Severity::Error,
                Consumer::Linux | Consumer::Xen,
                Kind::MemoryOverlap { .. } | Kind::Unreadable(_),
            ) => f.write_str(": the table is not used"),
            (Severity::Note, Consumer::Linux, Kind::MemoryOverlap { first, second, .. })
                if first != second =>
            {
                f.write_str(": the table is not used if there is RAM in both entries")
            }
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
            Self::SeveralTables { signature } => {
                let signature = signature.escape_ascii();
                write!(
                    f,
                    "{signature}: more than one: the first is used, the others are passed over"
                )
            }
            Self::NotX86 { signature } => {
                write!(f, "{}: not x86, not checked", signature.escape_ascii())
            }
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
            Self::BootProcessorNotFirst { first, boot } => write!(
                f,
                "APIC: the first enabled entry has APIC id {}: if the CPU with APIC id {} boots, it is not first (\"APIC enumeration order not specification compliant\")",
                first.0, boot.0
            ),
            Self::ProcessorsBeyondLimit { count, first: (id, uid), limits } => write!(
                f,
                "APIC: {count} enabled CPUs (the first: APIC id {}, UID {}) are ignored: ids must be below {} and UIDs below {} (\"beyond limit\")",
                id.0, uid.0, limits.0, limits.1
            ),
            Self::TooManyProcessors { count, limit } => write!(
                f,
                "APIC: {count} enabled CPUs: those beyond {limit} are ignored (\"NR_CPUS limit of {limit} reached\")"
            ),
            Self::EntriesIgnored { kind, count, limit } => write!(
                f,
                "APIC: {count} entries of type {kind:#x}: those beyond {limit} are ignored"
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
            Self::AffinityNeedsX2Apic { count, highest } => write!(
                f,
                "SRAT: {count} affinity entries have APIC ids above 254 (the highest: {}): without x2APIC mode they are ignored (\"X2APIC {:#06x} ignored\")",
                highest.0, highest.0
            ),
            Self::UidWithoutDevice { count, first } => write!(
                f,
                "APIC: {count} enabled CPUs (the first: UID {}) have no processor device in the DSDT (\"no matching processor\")",
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
            Self::InitiatorWithoutNode { offset, domain, unread } => {
                write!(f, "SRAT: generic initiator at {offset:#x} ")?;
                match domain {
                    Some(domain) => write!(
                        f,
                        "has PXM {} (\"Too many proximity domains\"): it gets no node",
                        domain.0
                    )?,
                    None => f.write_str("is disabled")?,
                }
                match unread {
                    0 => Ok(()),
                    _ => write!(f, ": {unread} CPU and initiator entries behind it are not read"),
                }
            }
            Self::TooManyDomains { limit } => write!(
                f,
                "SRAT: Too many proximity domains: more than {limit} nodes, the SRAT is not used"
            ),
            Self::TooManyMemoryEntries { count, limit } => {
                write!(f, "SRAT: {count} memory entries, room for {limit}: the SRAT is not used")
            }
            Self::NoMemory => f.write_str("SRAT: no enabled memory entry: the SRAT is not used"),
            Self::HotPluggable { count, base } => write!(
                f,
                "SRAT: {count} memory entries (the first from {base:#x}) are hot-pluggable: a kernel without CONFIG_MEMORY_HOTPLUG passes them over"
            ),
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
                write!(
                    f,
                    "APIC: revision {madt} is not in sync with FADT {}.{} (SPECMADTFADTRevisions)",
                    fadt.0, fadt.1
                )
            }
            Self::NoRevisionPair { madt, fadt } => write!(
                f,
                "APIC: no row for revision {madt} with FADT {}.{}: it aborts its test of the MADT",
                fadt.0, fadt.1
            ),
            Self::ReservedType { offset, kind } => write!(
                f,
                "APIC: entry at {offset:#x} has the type {kind:#x}, which is reserved (SPECMADTSubReservedID)"
            ),
            Self::IoApicAddress { id, address: 0 } => {
                write!(f, "APIC: I/O APIC {id} has address 0x0: it is not used")
            }
            Self::IoApicAddress { id, address } => write!(
                f,
                "APIC: I/O APIC {id} has the address of one before it: it is not used (\"address {address:#x} conflicts with IOAPIC\")"
            ),
            Self::IoApicGsi { id, gsi_base, other } if gsi_base == other => write!(
                f,
                "APIC: I/O APIC {id} has the first GSI {gsi_base} of one before it: it is not used (\"GSI range for new IOAPIC conflicts\")"
            ),
            Self::IoApicGsi { id, gsi_base, other } => write!(
                f,
                "APIC: I/O APIC {id} has GSIs from {gsi_base} on and one before it from {other} on: it is not used if the lower one has {} inputs or more (\"GSI range for new IOAPIC conflicts\")",
                gsi_base.abs_diff(other).saturating_add(1)
            ),
            Self::IoApic { id, address } => {
                write!(
                    f,
                    "APIC: I/O APIC {id} at {address:#x}: ids must differ, addresses not be 0"
                )
            }
        }
    }
}
