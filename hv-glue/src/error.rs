//! Everything that can be wrong, as values.

use acpi_gen::{ApicId, GpaRange, ProximityDomain};

use crate::cpuid::CpuidField;
use crate::{NodeId, Pfn, VcpuId, VnodeId};

/// Why something was refused. Indices count from 0 in the caller's slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A layout or an encoding for no vCPUs at all.
    NoVcpus,
    /// A vCPU on a vnode that does not exist.
    VcpuOnUnknownVnode {
        /// The vCPU.
        vcpu: VcpuId,
        /// Its vnode: past the end, or a gap.
        vnode: VnodeId,
        /// Vnodes, gaps included.
        vnodes: usize,
    },
    /// An APIC id that the guest cannot use.
    ApicIdAboveLimit {
        /// The vnode that has it.
        vnode: VnodeId,
        /// The id; may pass 2^32.
        id: u64,
        /// The highest usable one.
        limit: ApicId,
    },
    /// None of the encodings in the order of `Scheme::FirstThatFits` stays within the limit.
    NoEncodingFits {
        /// vCPUs of the guest.
        vcpus: u32,
        /// vCPUs of its fullest vnode.
        max_per_node: u32,
        /// The highest id of the encoding that comes closest.
        highest: u64,
        /// The highest usable id.
        limit: ApicId,
    },
    /// Scratch space that is too short.
    ScratchTooSmall {
        /// Slots that it takes.
        needed: usize,
        /// Slots that were lent.
        have: usize,
    },
    /// An output that is too short.
    OutputTooSmall {
        /// Slots that it takes.
        needed: usize,
        /// Slots that were lent.
        have: usize,
    },
    /// A CPUID field that cannot hold a topology's number.
    CpuidFieldOverflow {
        /// The field.
        field: CpuidField,
        /// The number.
        value: u32,
        /// The most that fits.
        max: u32,
    },
    /// The opt-in was asked for a PV guest.
    OptInForPv,
    /// More vCPUs than valid pCPUs to pin them to.
    TooManyVcpus {
        /// vCPUs.
        vcpus: u32,
        /// Valid pCPUs.
        pcpus: u32,
    },
    /// A host without memory blocks: no SRAT, or `numa=fake`.
    NoBlocks,
    /// More ranges than the hypervisor's vNUMA layout holds.
    TooManyRanges {
        /// Ranges.
        ranges: u32,
        /// The most.
        max: u32,
    },
    /// More vnodes than the hypervisor's vNUMA layout holds.
    TooManyVnodes {
        /// Vnodes seen when it was noticed.
        needed: u32,
        /// The most.
        max: u32,
    },
    /// A node of a block or pCPU that has no proximity domain.
    NodeWithoutDomain {
        /// The node.
        node: NodeId,
    },
    /// Two host nodes that claim one proximity domain.
    TwoNodesOneDomain {
        /// The first node.
        first: NodeId,
        /// The second.
        second: NodeId,
        /// The domain.
        domain: ProximityDomain,
    },
    /// `pnodes` and `domains` of different lengths.
    PnodesForVnodes {
        /// Vnodes.
        vnodes: usize,
        /// Entries of `pnodes`.
        pnodes: usize,
    },
    /// Proximity domains that do not ascend with vnode numbers.
    DomainsNotAscending {
        /// The vnode whose domain is not above the one before it.
        vnode: VnodeId,
        /// That domain.
        domain: ProximityDomain,
    },
    /// A distance matrix that is not square over its nodes.
    DistancesNotSquare {
        /// Nodes.
        nodes: usize,
        /// Entries; right would be the square of `nodes`.
        entries: usize,
    },
    /// A distance that makes consumers drop the SLIT: not 10 on the diagonal, or
    /// 10 and less elsewhere.
    DistanceInvalid {
        /// Row.
        from: VnodeId,
        /// Column.
        to: VnodeId,
        /// The value.
        value: u32,
    },
    /// A range on a vnode that does not exist.
    RangeOnUnknownVnode {
        /// Index of the range.
        index: usize,
        /// Its vnode: past the end, or a gap.
        vnode: VnodeId,
        /// Vnodes, gaps included.
        vnodes: usize,
    },
    /// A range whose borders are not on 4 KiB pages.
    RangeMisaligned {
        /// Index of the range in ascending order.
        index: usize,
        /// The range.
        range: GpaRange,
    },
    /// Ranges that do not stand in ascending order.
    RangesNotAscending {
        /// Index of the range that starts below the one before it.
        index: usize,
        /// That range.
        range: GpaRange,
        /// The one before it.
        previous: GpaRange,
    },
    /// Two ranges that share addresses.
    RangesOverlap {
        /// The lower one.
        first: GpaRange,
        /// Its vnode.
        first_vnode: VnodeId,
        /// The other.
        second: GpaRange,
        /// Its vnode.
        second_vnode: VnodeId,
    },
    /// A vnode with another's range between two of its own.
    RangesInterleave {
        /// The vnode's lower range.
        first: GpaRange,
        /// The other vnode's range.
        between: GpaRange,
        /// The other vnode.
        between_vnode: VnodeId,
        /// The vnode's higher range.
        second: GpaRange,
        /// The vnode.
        vnode: VnodeId,
    },
    /// A memory map whose entries do not ascend, or overlap.
    MapNotAscending {
        /// Index of the entry that does not start at or above the end of the one before it.
        index: usize,
        /// That entry.
        range: GpaRange,
        /// The one before it.
        previous: GpaRange,
    },
    /// Ranges to keep that do not ascend, or overlap.
    KeepNotAscending {
        /// Index of the range that does not start at or above the end of the one before it.
        index: usize,
        /// That range.
        range: GpaRange,
    },
    /// A range to keep whose borders are not on 4 KiB pages.
    KeepMisaligned {
        /// Its index.
        index: usize,
        /// The range.
        range: GpaRange,
    },
    /// Fewer pages than the ranges to keep have.
    PagesBelowKept {
        /// Pages asked for.
        nr_pages: u64,
        /// Pages of RAM in the ranges to keep.
        kept: u64,
    },
    /// More pages than the map has RAM.
    PagesAboveTotal {
        /// Pages asked for.
        nr_pages: u64,
        /// Whole pages of RAM.
        total: u64,
    },
    /// A trimmed map that stays longer than allowed when every node is merged.
    TooManyEntries {
        /// Entries.
        needed: usize,
        /// The most.
        max: usize,
    },
    /// No page at all for a frame: every fallback refused order 0.
    OutOfMemory {
        /// The frame.
        pfn: Pfn,
        /// Pages left to populate in the region.
        left: u64,
    },
    /// An allocation on a node for which no counters were lent.
    NodeWithoutCounters {
        /// The node.
        node: NodeId,
        /// Nodes with counters.
        nodes: usize,
    },
    /// RAM in no vmemrange.
    RamNotCovered {
        /// The first frames of RAM that no range covers.
        start: Pfn,
        /// Pages of RAM in no range.
        uncovered: u64,
        /// Pages of RAM.
        total: u64,
    },
    /// Frame ranges that do not ascend, or overlap.
    FramesNotAscending {
        /// Index of the range that starts below the end of the one before it.
        index: usize,
        /// Its first frame.
        start: Pfn,
        /// The end of the one before it.
        previous_end: Pfn,
    },
    /// As many APIC ids as vCPUs are needed.
    IdsForVcpus {
        /// vCPUs of the layout.
        vcpus: usize,
        /// Ids.
        ids: usize,
    },
    /// A guest's memory that is not a multiple of a page.
    MemoryMisaligned {
        /// The vnode.
        vnode: VnodeId,
        /// Bytes asked for.
        bytes: u64,
    },
    /// A guest's memory that does not end below 2^64.
    MemoryPastEnd {
        /// The vnode that does not fit.
        vnode: VnodeId,
        /// Bytes asked for.
        bytes: u64,
    },
}

impl core::error::Error for Error {}
