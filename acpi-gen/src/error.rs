//! Everything that can be wrong with a description or a buffer, as values.

use crate::{ApicId, Gpa, GpaRange, ProcessorUid, ProximityDomain};

/// Why a description was refused or a table not written. Nothing was written
/// where one of these comes back. Indices count from 0 in the caller's slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A range whose end is not above its start.
    RangeEmpty {
        /// First address.
        start: Gpa,
        /// First address past the range.
        end: Gpa,
    },
    /// A range that does not end below 2^64.
    RangePastEnd {
        /// First address.
        start: Gpa,
        /// Size in bytes.
        size: u64,
    },
    /// No processors at all.
    NoProcessors,
    /// The first processor is the boot processor and must be enabled.
    BootProcessorAbsent {
        /// Its UID.
        uid: ProcessorUid,
    },
    /// Two processors with one UID.
    DuplicateUid {
        /// The UID.
        uid: ProcessorUid,
        /// Index of the first processor that has it.
        first: usize,
        /// Index of the next one.
        second: usize,
    },
    /// Two processors with one APIC ID.
    DuplicateApicId {
        /// The ID.
        id: ApicId,
        /// Index of the first processor that has it.
        first: usize,
        /// Index of the next one.
        second: usize,
    },
    /// An ID that the MADT reserves for entries to ignore: 0xFFFFFFFF.
    ReservedApicId {
        /// Index of the processor.
        index: usize,
        /// The ID.
        id: ApicId,
    },
    /// A type 0 entry holds 8 bits of UID.
    UidTooLargeForType0 {
        /// Index of the processor.
        index: usize,
        /// Its UID, above 255.
        uid: ProcessorUid,
        /// Its ID, below 255, for which hybrid entries use type 0.
        id: ApicId,
    },
    /// Memory that does not stand in ascending order of address.
    MemoryNotAscending {
        /// Index of the range that starts below the one before it.
        index: usize,
        /// That range.
        range: GpaRange,
        /// The range before it.
        previous: GpaRange,
    },
    /// Two memory ranges that share addresses.
    MemoryOverlap {
        /// Index of the second of the two.
        index: usize,
        /// The first range.
        first: GpaRange,
        /// The second range.
        second: GpaRange,
    },
    /// The distances' domains do not stand in strictly ascending order.
    DistancesNotAscending {
        /// Index of the domain that is not above the one before it.
        index: usize,
        /// That domain.
        domain: ProximityDomain,
    },
    /// A distance matrix that is not square over its domains.
    DistancesNotSquare {
        /// Number of domains.
        domains: usize,
        /// Number of matrix entries; right would be the square of `domains`.
        entries: usize,
    },
    /// A domain that has distances but neither a processor nor memory.
    DistanceOfUnknownDomain {
        /// The domain.
        domain: ProximityDomain,
    },
    /// A distance of 0 to 9, which the SLIT reserves.
    DistanceReserved {
        /// Row.
        from: ProximityDomain,
        /// Column.
        to: ProximityDomain,
        /// The value, below 10.
        value: u8,
    },
    /// A domain whose distance to itself is not 10.
    DiagonalNotLocal {
        /// The domain.
        domain: ProximityDomain,
        /// The value that should be 10.
        value: u8,
    },
    /// Two different domains at distance 10: consumers drop the SLIT.
    RemoteAtLocalDistance {
        /// Row.
        from: ProximityDomain,
        /// Column.
        to: ProximityDomain,
    },
    /// A SLIT has at most 65,535 localities here: one for each domain number up to the highest.
    TooManyLocalities {
        /// The domain that asks for more.
        domain: ProximityDomain,
        /// The most that a domain number may be.
        max: ProximityDomain,
    },
    /// Two I/O APICs with one ID.
    DuplicateIoApicId {
        /// Index of the second one.
        index: usize,
        /// The ID.
        id: u8,
    },
    /// An I/O APIC at address 0.
    IoApicAddressZero {
        /// Its index.
        index: usize,
    },
    /// Two overrides of one ISA interrupt.
    DuplicateOverride {
        /// Index of the second one.
        index: usize,
        /// The ISA interrupt.
        source: u8,
    },
    /// An NMI on an input other than LINT0 and LINT1.
    NmiLint {
        /// Its index.
        index: usize,
        /// The input, above 1.
        lint: u8,
    },
    /// An NMI for a processor that does not exist.
    NmiOfUnknownProcessor {
        /// Its index.
        index: usize,
        /// The UID that no processor has.
        uid: ProcessorUid,
    },
    /// An NMI whose structure cannot hold the UID: the field's highest value means "all".
    NmiUidTooLarge {
        /// Its index.
        index: usize,
        /// The UID.
        uid: ProcessorUid,
        /// The highest UID that fits: 254 for type 4, 0xFFFFFFFE for type 0xA.
        max: ProcessorUid,
    },
    /// The scratch space that validation sorts in is too short.
    ScratchTooSmall {
        /// Words that it takes.
        needed: usize,
        /// Words that the caller provides.
        have: usize,
    },
    /// A table's 32-bit length field cannot hold its length.
    TableTooLarge {
        /// The table's signature.
        signature: [u8; 4],
        /// The length in bytes.
        len: u64,
    },
    /// More processors than the DSDT has names for.
    TooManyProcessorDevices {
        /// Number of processors.
        processors: usize,
        /// The most that it names.
        max: usize,
    },
    /// A complete set was asked for where the revisions say that the FADT is another's.
    FadtNotOurs,
    /// The buffer is too short.
    BufferTooSmall {
        /// Bytes that the output takes.
        needed: usize,
        /// Bytes that the caller provides.
        have: usize,
    },
    /// The base address is not aligned as the tables in the set need it.
    BaseMisaligned {
        /// The address.
        base: Gpa,
        /// The alignment in bytes.
        align: u64,
    },
    /// The bytes end before the table does.
    TableTruncated {
        /// The table's signature, or zeros where not even that is there.
        signature: [u8; 4],
        /// Bytes that the table's header or its length field asks for.
        needed: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// A table's length field is below what its fixed part takes.
    TableLength {
        /// The table's signature.
        signature: [u8; 4],
        /// The length field.
        len: u32,
        /// The least that it may be.
        min: usize,
    },
    /// Another table than the one asked for.
    WrongSignature {
        /// The one asked for.
        expected: [u8; 4],
        /// The one that is there.
        found: [u8; 4],
    },
    /// The RSDP does not begin with "RSD PTR ".
    NotAnRsdp,
    /// An entry's length is below what its type takes, or not a length at all.
    EntryLength {
        /// The table's signature.
        signature: [u8; 4],
        /// The entry's offset in the table.
        offset: usize,
        /// The entry's type.
        kind: u8,
        /// The length field.
        len: usize,
        /// The least that the type takes.
        needed: usize,
    },
    /// An entry's length passes the end of its table.
    EntryPastEnd {
        /// The table's signature.
        signature: [u8; 4],
        /// The entry's offset in the table.
        offset: usize,
        /// The entry's type.
        kind: u8,
        /// The length field.
        len: usize,
        /// Bytes from the entry to the table's end.
        have: usize,
    },
    /// A SLIT whose matrix does not fit its length.
    SlitSize {
        /// The number of localities that it states.
        localities: u64,
        /// Bytes of matrix that are there; right would be the square of `localities`.
        have: usize,
    },
}

impl core::error::Error for Error {}
