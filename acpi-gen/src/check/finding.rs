//! Findings, with the numbers that the consumer itself would print.

use super::Consumer;
use crate::{ApicId, Error, ProcessorUid, ProximityDomain};

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
    /// A table of which the set has another one before it.
    SeveralTables {
        /// Its signature.
        signature: [u8; 4],
    },
    /// Processors of other architectures only: nothing is checked.
    NotX86 {
        /// The table by which they are.
        signature: [u8; 4],
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
    /// The processor that is assumed to boot is not the first enabled one.
    BootProcessorNotFirst {
        /// ID of the first enabled entry.
        first: ApicId,
        /// ID of the processor that is assumed to boot.
        boot: ApicId,
    },
    /// Processors whose APIC ID or UID is past what the consumer has room for.
    ProcessorsBeyondLimit {
        /// How many.
        count: usize,
        /// IDs of the first of them.
        first: (ApicId, ProcessorUid),
        /// The first APIC ID and the first UID that are too high.
        limits: (u32, u32),
    },
    /// More processors than the consumer is built for.
    TooManyProcessors {
        /// How many there are.
        count: usize,
        /// How many it takes.
        limit: usize,
    },
    /// More entries of a MADT type than the consumer reads.
    EntriesIgnored {
        /// The type.
        kind: u8,
        /// How many there are.
        count: usize,
        /// How many it reads.
        limit: usize,
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
    /// Affinity entries that Linux passes over while its APIC driver takes no such ID.
    AffinityNeedsX2Apic {
        /// How many.
        count: usize,
        /// The highest.
        highest: ApicId,
    },
    /// An enabled processor that no device of the DSDT has the UID of.
    UidWithoutDevice {
        /// How many there are.
        count: usize,
        /// UID of the first of them.
        first: ProcessorUid,
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
    /// A generic initiator that gets no node: entries of processors and initiators that
    /// follow are not read.
    InitiatorWithoutNode {
        /// Offset of its entry.
        offset: usize,
        /// Its domain, which is too high; `None` for a disabled entry.
        domain: Option<ProximityDomain>,
        /// Enabled entries that are not read.
        unread: usize,
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
    /// Memory entries flagged hot-pluggable.
    HotPluggable {
        /// How many.
        count: usize,
        /// First address of the first of them.
        base: u64,
    },
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
        /// Domain of the entry that starts first.
        first: ProximityDomain,
        /// Domain of the other.
        second: ProximityDomain,
    },
    /// A node's memory is between two ranges of another node, hot-pluggable ones included.
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
    /// A MADT revision and FADT version that the consumer's table has no row for.
    NoRevisionPair {
        /// The MADT's revision.
        madt: u8,
        /// The FADT's major and minor version.
        fadt: (u8, u8),
    },
    /// A MADT entry of a type that the specification reserves.
    ReservedType {
        /// Offset of the entry.
        offset: usize,
        /// The type.
        kind: u8,
    },
    /// An I/O APIC at address 0, or at the address of one before it.
    IoApicAddress {
        /// Its ID.
        id: u8,
        /// Its address.
        address: u32,
    },
    /// An I/O APIC whose interrupts are, or may be, those of one before it.
    IoApicGsi {
        /// Its ID.
        id: u8,
        /// Its first global system interrupt.
        gsi_base: u32,
        /// The first one of the other.
        other: u32,
    },
    /// Two I/O APICs with one ID, or one at address 0.
    IoApic {
        /// Its ID.
        id: u8,
        /// Its address.
        address: u32,
    },
}
