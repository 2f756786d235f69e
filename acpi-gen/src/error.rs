//! Everything that can be wrong with a description, a buffer or a table's bytes, as values.

use crate::{ApicId, Gpa, GpaRange, ProcessorUid, ProximityDomain, rules};

rules! {
    /// Why a description was refused, a table not written or not parsed. Nothing was written
    /// where one of these comes back. Indices count from 0 in the caller's slice.
    pub enum Error;
    /// A range whose end is not above its start.
    RangeEmpty {
        /// First address.
        start: Gpa,
        /// First address past the range.
        end: Gpa,
    } = 0x100 EINVAL (start.0, end.0) "range from %I to %V is empty",
        ("range {:#x}-{:#x} is empty: the end must be above the start", start.0, end.0);
    /// A range that does not end below 2^64.
    RangePastEnd {
        /// First address.
        start: Gpa,
        /// Size in bytes.
        size: u64,
    } = 0x101 EINVAL (start.0, size) "range from %I of size %V ends above 2^64",
        ("range of {size:#x} bytes from {:#x} does not end below 2^64", start.0);
    /// No processors at all.
    NoProcessors = 0x102 EINVAL (0, 0) "no processors",
        ("no processors: at least one is needed");
    /// The first processor is the boot processor and must be enabled.
    BootProcessorAbsent {
        /// Its UID.
        uid: ProcessorUid,
    } = 0x103 EINVAL (0, uid.0.into()) "the boot processor, UID %v, is absent",
        ("processor {} is listed first and must be the boot processor, but is not enabled", uid.0);
    /// Two processors with one UID.
    DuplicateUid {
        /// The UID.
        uid: ProcessorUid,
        /// Index of the first processor that has it.
        first: usize,
        /// Index of the next one.
        second: usize,
    } = 0x104 EINVAL (wide(second), uid.0.into()) "processor %i: duplicate UID %v",
        ("processors {first} and {second} have the same UID {}", uid.0);
    /// Two processors with one APIC ID.
    DuplicateApicId {
        /// The ID.
        id: ApicId,
        /// Index of the first processor that has it.
        first: usize,
        /// Index of the next one.
        second: usize,
    } = 0x105 EINVAL (wide(second), id.0.into()) "processor %i: duplicate APIC id %v",
        ("processors {first} and {second} have the same APIC id {}", id.0);
    /// An ID that the MADT reserves for entries to ignore: 0xFFFFFFFF.
    ReservedApicId {
        /// Index of the processor.
        index: usize,
        /// The ID.
        id: ApicId,
    } = 0x106 EINVAL (wide(index), id.0.into()) "processor %i: reserved APIC id %V",
        ("processor {index} has APIC id {:#x}, which means \"ignore this entry\"", id.0);
    /// A type 0 entry holds 8 bits of UID.
    UidTooLargeForType0 {
        /// Index of the processor.
        index: usize,
        /// Its UID, above 255.
        uid: ProcessorUid,
        /// Its ID, below 255, for which hybrid entries use type 0.
        id: ApicId,
    } = 0x107 EINVAL (wide(index), uid.0.into()) "processor %i: UID %v > 255 in a type 0 entry",
        ("processor {index} has UID {} and APIC id {}: a type 0 entry holds UIDs up to 255; use x2APIC entries", uid.0, id.0);
    /// Memory that is not in ascending order of address.
    MemoryNotAscending {
        /// Index of the range that starts below the one before it.
        index: usize,
        /// That range.
        range: GpaRange,
        /// The range before it.
        previous: GpaRange,
    } = 0x108 EINVAL (wide(index), range.start().0) "memory range %i at %V starts below the one before it",
        ("memory range {index} at {:#x} follows one at {:#x}; expected ascending order", range.start().0, previous.start().0);
    /// Two memory ranges that share addresses.
    MemoryOverlap {
        /// Index of the second of the two.
        index: usize,
        /// The first range.
        first: GpaRange,
        /// The second range.
        second: GpaRange,
    } = 0x109 EINVAL (wide(index), second.start().0) "memory range %i at %V overlaps the one before it",
        ("memory range {index}, {:#x}-{:#x}, overlaps {:#x}-{:#x}", second.start().0, second.end().0, first.start().0, first.end().0);
    /// The distances' domains are not in strictly ascending order.
    DistancesNotAscending {
        /// Index of the domain that is not above the one before it.
        index: usize,
        /// That domain.
        domain: ProximityDomain,
    } = 0x10A EINVAL (wide(index), domain.0.into()) "distance row %i: proximity domain %v is not ascending",
        ("distance row {index} is of proximity domain {}, which is not above the row before it", domain.0);
    /// A distance matrix that is not square over its domains.
    DistancesNotSquare {
        /// Number of domains.
        domains: usize,
        /// Number of matrix entries; right would be the square of `domains`.
        entries: usize,
    } = 0x10B EINVAL (wide(domains), wide(entries)) "%v distances for %i proximity domains",
        ("{entries} distances for {domains} proximity domains: {domains} rows of {domains} are needed");
    /// A domain that has distances but neither a processor nor memory.
    DistanceOfUnknownDomain {
        /// The domain.
        domain: ProximityDomain,
    } = 0x10C EINVAL (0, domain.0.into()) "distances of proximity domain %v, which has neither processors nor memory",
        ("proximity domain {} has distances but neither a processor nor memory", domain.0);
    /// A distance of 0 to 9, which the SLIT reserves.
    DistanceReserved {
        /// Row.
        from: ProximityDomain,
        /// Column.
        to: ProximityDomain,
        /// The value, below 10.
        value: u8,
    } = 0x10D EINVAL (from.0.into(), value.into()) "reserved distance %v from proximity domain %i",
        ("distance {value} from proximity domain {} to {}: 0 to 9 are reserved, 10 is local", from.0, to.0);
    /// A domain whose distance to itself is not 10.
    DiagonalNotLocal {
        /// The domain.
        domain: ProximityDomain,
        /// The value that should be 10.
        value: u8,
    } = 0x10E EINVAL (domain.0.into(), value.into()) "distance %v from proximity domain %i to itself; expected 10",
        ("distance {value} from proximity domain {} to itself: it must be 10", domain.0);
    /// Two different domains at distance 10: consumers drop the SLIT.
    RemoteAtLocalDistance {
        /// Row.
        from: ProximityDomain,
        /// Column.
        to: ProximityDomain,
    } = 0x10F EINVAL (from.0.into(), to.0.into()) "distance 10 from proximity domain %i to %v; expected more",
        ("distance 10 from proximity domain {} to {}: above 10 is needed, else Linux and Xen drop the SLIT", from.0, to.0);
    /// A SLIT has at most 65,535 localities here: one for each domain number up to the highest.
    TooManyLocalities {
        /// The domain that asks for more.
        domain: ProximityDomain,
        /// The most that a domain number may be.
        max: ProximityDomain,
    } = 0x110 ERANGE (max.0.into(), domain.0.into()) "proximity domain %v > %i",
        ("proximity domain {} is above {}, the highest that a SLIT has here", domain.0, max.0);
    /// Two I/O APICs with one ID.
    DuplicateIoApicId {
        /// Index of the second one.
        index: usize,
        /// The ID.
        id: u8,
    } = 0x112 EINVAL (wide(index), id.into()) "I/O APIC %i: duplicate id %v",
        ("I/O APIC {index} has the id {id} of one before it");
    /// An I/O APIC at address 0.
    IoApicAddressZero {
        /// Its index.
        index: usize,
    } = 0x113 EINVAL (wide(index), 0) "I/O APIC %i is at address 0",
        ("I/O APIC {index} is at address 0");
    /// Two overrides of one ISA interrupt.
    DuplicateOverride {
        /// Index of the second one.
        index: usize,
        /// The ISA interrupt.
        source: u8,
    } = 0x114 EINVAL (wide(index), source.into()) "override %i: duplicate ISA interrupt %v",
        ("override {index} is a second one for ISA interrupt {source}");
    /// An NMI on an input other than LINT0 and LINT1.
    NmiLint {
        /// Its index.
        index: usize,
        /// The input, above 1.
        lint: u8,
    } = 0x115 EINVAL (wide(index), lint.into()) "NMI %i: LINT %v; expected 0 or 1",
        ("NMI {index} is on LINT{lint}: a local APIC has LINT0 and LINT1");
    /// An NMI for a processor that does not exist.
    NmiOfUnknownProcessor {
        /// Its index.
        index: usize,
        /// The UID that no processor has.
        uid: ProcessorUid,
    } = 0x116 EINVAL (wide(index), uid.0.into()) "NMI %i: no processor has UID %v",
        ("NMI {index} is for processor {}, which does not exist", uid.0);
    /// An NMI whose structure cannot hold the UID: the field's highest value means "all".
    NmiUidTooLarge {
        /// Its index.
        index: usize,
        /// The UID.
        uid: ProcessorUid,
        /// The highest UID that fits: 254 for type 4, 0xFFFFFFFE for type 0xA.
        max: ProcessorUid,
    } = 0x117 EINVAL (wide(index), uid.0.into()) "NMI %i: UID %v does not fit",
        ("NMI {index} is for processor {}, but its structure holds UIDs up to {}", uid.0, max.0);
    /// The scratch space that validation sorts in is too short.
    ScratchTooSmall {
        /// Words that it takes.
        needed: usize,
        /// Words that the caller provides.
        have: usize,
    } = 0x118 ENOBUFS (wide(have), wide(needed)) "scratch space of %i words; expected %v",
        ("scratch space of {have} words; expected at least {needed}");
    /// A table's 32-bit length field cannot hold its length.
    TableTooLarge {
        /// The table's signature.
        signature: [u8; 4],
        /// The length in bytes.
        len: u64,
    } = 0x119 ERANGE (number(signature), len) "table %I of %v bytes does not fit in 32 bits",
        ("table {} of {len} bytes; expected at most 4294967295, the most of its length field", signature.escape_ascii());
    /// More processors than the DSDT has names for.
    TooManyProcessorDevices {
        /// Number of processors.
        processors: usize,
        /// The most that it names.
        max: usize,
    } = 0x11A EINVAL (wide(max), wide(processors)) "%v processors > %i, the names in a DSDT",
        ("{processors} processors: the DSDT has names for {max}");
    /// A complete set was asked for where the revisions say that the FADT is the firmware's.
    FadtNotOurs = 0x11B EINVAL (0, 0) "a complete set has no FADT of another origin",
        ("a complete set needs an ACPI version; the description has the MADT revision of a firmware's FADT");
    /// The buffer is too short.
    BufferTooSmall {
        /// Bytes that the output takes.
        needed: usize,
        /// Bytes that the caller provides.
        have: usize,
    } = 0x11C ENOBUFS (wide(have), wide(needed)) "buffer of %i bytes; expected %v",
        ("{needed} bytes are needed, the buffer has {have}");
    /// The base address is not aligned as the tables in the set need it.
    BaseMisaligned {
        /// The address.
        base: Gpa,
        /// The alignment in bytes.
        align: u64,
    } = 0x11D EINVAL (base.0, align) "base address %I; expected a multiple of %v",
        ("base address {:#x} is not a multiple of {align}", base.0);
    /// The bytes end before the table does.
    TableTruncated {
        /// The table's signature, or zeros where not even that is there.
        signature: [u8; 4],
        /// Bytes that the table's header or its length field asks for.
        needed: usize,
        /// Bytes that are there.
        have: usize,
    } = 0x11E EINVAL (wide(have), wide(needed)) "table of %i bytes; expected %v",
        ("table {} ends early: {needed} bytes are needed, {have} are there", signature.escape_ascii());
    /// A table's length field is below what its fixed part takes.
    TableLength {
        /// The table's signature.
        signature: [u8; 4],
        /// The length field.
        len: u32,
        /// The least that it may be.
        min: usize,
    } = 0x11F EINVAL (wide(min), len.into()) "table length %v; expected at least %i",
        ("table {} has the length {len}; its fixed part takes {min}", signature.escape_ascii());
    /// Another table than the one asked for.
    WrongSignature {
        /// The one asked for.
        expected: [u8; 4],
        /// The one that is there.
        found: [u8; 4],
    } = 0x120 EINVAL (number(expected), number(found)) "signature %V; expected %I",
        ("signature {} where {} was expected", found.escape_ascii(), expected.escape_ascii());
    /// The RSDP does not begin with "RSD PTR ".
    NotAnRsdp = 0x121 EINVAL (0, 0) "no RSDP: it does not begin with RSD PTR",
        ("not an RSDP: it does not begin with \"RSD PTR \"");
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
    } = 0x122 EINVAL (wide(offset), wide(len)) "entry at %I: length %v is below that of its type",
        ("{}: entry of type {kind} at offset {offset:#x} has the length {len}; {needed} are needed", signature.escape_ascii());
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
    } = 0x123 EINVAL (wide(offset), wide(len)) "entry at %I: length %v is above the rest of the table",
        ("{}: entry of type {kind} at offset {offset:#x} has the length {len}, but the table ends after {have}", signature.escape_ascii());
    /// A SLIT whose matrix does not fit its length.
    SlitSize {
        /// The number of localities that it states.
        localities: u64,
        /// Bytes of matrix that are there; right would be the square of `localities`.
        have: usize,
    } = 0x124 EINVAL (wide(have), localities) "SLIT of %v localities in %i bytes of distances",
        ("SLIT of {localities} localities holds {have} bytes of distances; the square is needed");
}

/// A length as a 64-bit number.
fn wide(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// A signature as a number.
fn number(signature: [u8; 4]) -> u64 {
    u32::from_le_bytes(signature).into()
}
