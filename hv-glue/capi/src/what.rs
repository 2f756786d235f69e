//! The rules that a call may find broken, by number. Numbers do not change.

/// What [`HvgError::what`](crate::types::HvgError) says. From 0x100 on the rule is
/// one of the tables' (acpi-gen), from 0x200 on one of the layout's (hv-glue);
/// index and value are those that the rule names, in its order.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HvgWhat {
    /// No failure.
    None = 0,
    /// A null pointer for an array that is not empty; the argument's place and the array's length.
    ArgumentNull = 1,
    /// A pointer that is not aligned as its type; the argument's place and the address.
    ArgumentMisaligned = 2,
    /// An array longer than memory; the argument's place and the length.
    ArgumentTooLong = 3,
    /// An array that shares memory with one that the call writes; the argument's place and the address.
    ArgumentOverlap = 4,
    /// A structure of another size or version; its size and version.
    StructVersion = 5,
    /// A field with a number that it cannot have; the field's offset in 32-bit words and the number.
    StructField = 6,
    /// Scratch memory that is too short; what there is and what is needed, in bytes.
    WorkTooSmall = 7,
    /// Memory that holds no plan; 0 and the address.
    NotAPlan = 8,
    /// A report without a step, or a step without a walk.
    NoWalk = 9,
    /// An array that is too short; what there is and what is needed, in elements.
    ArrayTooShort = 10,
    /// Not the hardware domain.
    NotHardwareDomain = 11,
    /// More elements than one call takes; what there is and the most.
    TooManyElements = 12,
    /// An element of an array with a number that it cannot have; its index and the number.
    ElementField = 13,
    /// A rule that is newer than this list.
    Unknown = 255,
    /// A range whose end is not above its start.
    TableRangeEmpty = 256,
    /// A range that does not end below 2^64.
    TableRangePastEnd = 257,
    /// No processors at all.
    TableNoProcessors = 258,
    /// The first processor is the boot processor and must be enabled.
    TableBootProcessorAbsent = 259,
    /// Two processors with one UID.
    TableDuplicateUid = 260,
    /// Two processors with one APIC ID.
    TableDuplicateApicId = 261,
    /// An ID that the MADT reserves for entries to ignore: 0xFFFFFFFF.
    TableReservedApicId = 262,
    /// A type 0 entry holds 8 bits of UID.
    TableUidTooLargeForType0 = 263,
    /// Memory that does not stand in ascending order of address.
    TableMemoryNotAscending = 264,
    /// Two memory ranges that share addresses.
    TableMemoryOverlap = 265,
    /// The distances' domains do not stand in strictly ascending order.
    TableDistancesNotAscending = 266,
    /// A distance matrix that is not square over its domains.
    TableDistancesNotSquare = 267,
    /// A domain that has distances but neither a processor nor memory.
    TableDistanceOfUnknownDomain = 268,
    /// A distance of 0 to 9, which the SLIT reserves.
    TableDistanceReserved = 269,
    /// A domain whose distance to itself is not 10.
    TableDiagonalNotLocal = 270,
    /// Two different domains at distance 10: consumers drop the SLIT.
    TableRemoteAtLocalDistance = 271,
    /// A SLIT has at most 65,535 localities here: one for each domain number up to the highest.
    TableTooManyLocalities = 272,
    /// The SLIT, whose size is the square of the highest domain, is larger than the whole buffer that the caller lends.
    TablePxmTooLargeForBuffer = 273,
    /// Two I/O APICs with one ID.
    TableDuplicateIoApicId = 274,
    /// An I/O APIC at address 0.
    TableIoApicAddressZero = 275,
    /// Two overrides of one ISA interrupt.
    TableDuplicateOverride = 276,
    /// An NMI on an input other than LINT0 and LINT1.
    TableNmiLint = 277,
    /// An NMI for a processor that does not exist.
    TableNmiOfUnknownProcessor = 278,
    /// An NMI whose structure cannot hold the UID: the field's highest value means "all".
    TableNmiUidTooLarge = 279,
    /// The scratch space that validation sorts in is too short.
    TableScratchTooSmall = 280,
    /// A table's 32-bit length field cannot hold its length.
    TableTooLarge = 281,
    /// More processors than the DSDT has names for.
    TableTooManyProcessorDevices = 282,
    /// A complete set was asked for where the revisions say that the FADT is another's.
    TableFadtNotOurs = 283,
    /// The buffer is too short.
    TableBufferTooSmall = 284,
    /// The base address is not aligned as the tables in the set need it.
    TableBaseMisaligned = 285,
    /// A layout or an encoding for no vCPUs at all.
    NoVcpus = 512,
    /// A vCPU on a vnode that does not exist.
    VcpuOnUnknownVnode = 513,
    /// An APIC id that the guest cannot use.
    ApicIdAboveLimit = 514,
    /// None of the encodings in the order of `Scheme::FirstThatFits` stays within the limit.
    NoEncodingFits = 515,
    /// Scratch space that is too short.
    ScratchTooSmall = 516,
    /// An output that is too short.
    OutputTooSmall = 517,
    /// A CPUID field that cannot hold a topology's number.
    CpuidFieldOverflow = 518,
    /// The opt-in was asked for a PV guest.
    OptInForPv = 519,
    /// More vCPUs than valid pCPUs to pin them to.
    TooManyVcpus = 520,
    /// A host without memory blocks: no SRAT, or `numa=fake`.
    NoBlocks = 521,
    /// More ranges than the hypervisor's vNUMA layout holds.
    TooManyRanges = 522,
    /// More vnodes than the hypervisor's vNUMA layout holds.
    TooManyVnodes = 523,
    /// A node of a block or pCPU that has no proximity domain.
    NodeWithoutDomain = 524,
    /// Two host nodes that claim one proximity domain.
    TwoNodesOneDomain = 525,
    /// `pnodes` and `domains` of different lengths.
    PnodesForVnodes = 526,
    /// Proximity domains that do not ascend with vnode numbers.
    DomainsNotAscending = 527,
    /// A distance matrix that is not square over its nodes.
    DistancesNotSquare = 528,
    /// A distance that makes consumers drop the SLIT: not 10 on the diagonal, or 10 and less elsewhere.
    DistanceInvalid = 529,
    /// A range on a vnode that does not exist.
    RangeOnUnknownVnode = 530,
    /// A range whose borders are not on 4 KiB pages.
    RangeMisaligned = 531,
    /// Ranges that do not stand in ascending order.
    RangesNotAscending = 532,
    /// Two ranges that share addresses.
    RangesOverlap = 533,
    /// A vnode with another's range between two of its own.
    RangesInterleave = 534,
    /// A memory map whose entries do not ascend, or overlap.
    MapNotAscending = 535,
    /// Ranges to keep that do not ascend, or overlap.
    KeepNotAscending = 536,
    /// A range to keep whose borders are not on 4 KiB pages.
    KeepMisaligned = 537,
    /// Fewer pages than the ranges to keep have.
    PagesBelowKept = 538,
    /// More pages than the map has RAM.
    PagesAboveTotal = 539,
    /// A trimmed map that stays longer than allowed when every node is merged.
    TooManyEntries = 540,
    /// No page at all for a frame: every fallback refused order 0.
    OutOfMemory = 541,
    /// An allocation on a node for which no counters were lent.
    NodeWithoutCounters = 542,
    /// RAM in no vmemrange.
    RamNotCovered = 543,
    /// Frame ranges that do not ascend, or overlap.
    FramesNotAscending = 544,
    /// As many APIC ids as vCPUs are needed.
    IdsForVcpus = 545,
    /// A guest's memory that is not a multiple of a page.
    MemoryMisaligned = 546,
    /// A guest's memory that does not end below 2^64.
    MemoryPastEnd = 547,
}

impl HvgWhat {
    #[expect(clippy::as_conversions, reason = "the number of a repr(u32) enum without fields")]
    pub(crate) const fn number(self) -> u32 {
        self as u32
    }
}
