//! Everything that can be wrong, as values.

use core::fmt;

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
    /// None of the encodings of [`crate::Scheme::FirstThatFits`] stays within the limit.
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
    /// acpi-gen's refusal of a range.
    Description(acpi_gen::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoVcpus => f.write_str("no vCPUs: at least one is needed"),
            Self::VcpuOnUnknownVnode { vcpu, vnode, vnodes } => write!(
                f,
                "vCPU {} is on vnode {}, which is not one of the {vnodes} (gaps do not count)",
                vcpu.0, vnode.0
            ),
            Self::ApicIdAboveLimit { vnode, id, limit } => write!(
                f,
                "vnode {} has APIC id {id}, above {}, the highest that the guest can use",
                vnode.0, limit.0
            ),
            Self::NoEncodingFits { vcpus, max_per_node, highest, limit } => write!(
                f,
                "no APIC id encoding keeps {vcpus} vCPUs, up to {max_per_node} on a node, within {}: the closest reaches {highest}",
                limit.0
            ),
            Self::ScratchTooSmall { needed, have } => {
                write!(f, "scratch space of {needed} slots is needed, {have} were lent")
            }
            Self::OutputTooSmall { needed, have } => {
                write!(f, "{needed} output slots are needed, {have} were lent")
            }
            Self::CpuidFieldOverflow { field, value, max } => {
                write!(f, "{} would be {value}; it holds up to {max}", field.as_str())
            }
            Self::OptInForPv => f.write_str(
                "the vNUMA APIC id flag is for PVH guests: PV has neither CPUID leaf 0xB nor local APICs",
            ),
            Self::TooManyVcpus { vcpus, pcpus } => {
                write!(f, "{vcpus} vCPUs for {pcpus} valid pCPUs: each vCPU needs one of its own")
            }
            Self::NoBlocks => f.write_str("the host has no memory blocks: an SRAT is needed"),
            Self::TooManyRanges { ranges, max } => {
                write!(f, "{ranges} memory blocks: the hypervisor's vNUMA layout holds {max}")
            }
            Self::TooManyVnodes { needed, max } => {
                write!(f, "{needed} vnodes or more: the hypervisor's vNUMA layout holds {max}")
            }
            Self::NodeWithoutDomain { node } => {
                write!(f, "node {} has memory or CPUs but no proximity domain", node.0)
            }
            Self::TwoNodesOneDomain { first, second, domain } => write!(
                f,
                "nodes {} and {} both have proximity domain {}",
                first.0, second.0, domain.0
            ),
            Self::PnodesForVnodes { vnodes, pnodes } => {
                write!(f, "{pnodes} host nodes for {vnodes} vnodes: one for each is needed")
            }
            Self::DomainsNotAscending { vnode, domain } => write!(
                f,
                "vnode {} has proximity domain {}, which is not above that of the vnodes before it",
                vnode.0, domain.0
            ),
            Self::DistancesNotSquare { nodes, entries } => {
                write!(f, "{entries} distances for {nodes} nodes: {nodes} rows of {nodes} are needed")
            }
            Self::DistanceInvalid { from, to, value } => write!(
                f,
                "distance {value} from vnode {} to {}: 10 to itself and above 10 to others are needed, else Linux and Xen drop the SLIT",
                from.0, to.0
            ),
            Self::RangeOnUnknownVnode { index, vnode, vnodes } => write!(
                f,
                "memory range {index} is on vnode {}, which is not one of the {vnodes} (gaps do not count)",
                vnode.0
            ),
            Self::RangeMisaligned { index, range } => write!(
                f,
                "memory range {index}, {}: its borders must be multiples of 4096",
                Hex(range)
            ),
            Self::RangesNotAscending { index, range, previous } => write!(
                f,
                "memory range {index}, {}, stands behind {}: ascending order is needed",
                Hex(range),
                Hex(previous)
            ),
            Self::RangesOverlap { first, first_vnode, second, second_vnode } => write!(
                f,
                "memory ranges {} of vnode {} and {} of vnode {} overlap",
                Hex(first),
                first_vnode.0,
                Hex(second),
                second_vnode.0
            ),
            Self::RangesInterleave { first, between, between_vnode, second, vnode } => write!(
                f,
                "memory range {} of vnode {} lies between {} and {} of vnode {}: nodes that interleave make Xen drop the SRAT",
                Hex(between),
                between_vnode.0,
                Hex(first),
                Hex(second),
                vnode.0
            ),
            Self::MapNotAscending { index, range, previous } => write!(
                f,
                "memory map entry {index}, {}, does not start above {}",
                Hex(range),
                Hex(previous)
            ),
            Self::KeepNotAscending { index, range } => write!(
                f,
                "range to keep {index}, {}, does not start above the one before it",
                Hex(range)
            ),
            Self::KeepMisaligned { index, range } => write!(
                f,
                "range to keep {index}, {}: its borders must be multiples of 4096",
                Hex(range)
            ),
            Self::PagesBelowKept { nr_pages, kept } => write!(
                f,
                "{nr_pages} pages of memory, but the ranges to keep have {kept}: at least that many are needed"
            ),
            Self::PagesAboveTotal { nr_pages, total } => {
                write!(f, "{nr_pages} pages of memory, but the host's map has {total}")
            }
            Self::TooManyEntries { needed, max } => {
                write!(f, "the memory map would have {needed} entries; {max} are allowed")
            }
            Self::OutOfMemory { pfn, left } => {
                write!(f, "no page for frame {:#x}, with {left} still to populate", pfn.0)
            }
            Self::NodeWithoutCounters { node, nodes } => {
                write!(f, "an allocation on node {}, but there are counters for {nodes}", node.0)
            }
            Self::RamNotCovered { start, uncovered, total } => write!(
                f,
                "{uncovered} of {total} pages of RAM, from {:#x} on, lie in no memory range",
                start.address().0
            ),
            Self::FramesNotAscending { index, start, previous_end } => write!(
                f,
                "frame range {index} starts at frame {:#x}, below {:#x}, the end of the one before it",
                start.0, previous_end.0
            ),
            Self::IdsForVcpus { vcpus, ids } => {
                write!(f, "{ids} APIC ids for {vcpus} vCPUs: one for each is needed")
            }
            Self::MemoryMisaligned { vnode, bytes } => write!(
                f,
                "{bytes} bytes for vnode {}: a multiple of 4096 is needed",
                vnode.0
            ),
            Self::MemoryPastEnd { vnode, bytes } => write!(
                f,
                "{bytes} bytes for vnode {} do not end below 2^64",
                vnode.0
            ),
            Self::Description(error) => error.fmt(f),
        }
    }
}

/// A range as `0x1000-0x2000`.
struct Hex(GpaRange);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}-{:#x}", self.0.start().0, self.0.end().0)
    }
}

impl core::error::Error for Error {}

impl From<acpi_gen::Error> for Error {
    fn from(error: acpi_gen::Error) -> Self {
        Self::Description(error)
    }
}
