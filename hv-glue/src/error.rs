//! Everything that can be wrong: one declaration a rule, from which the variant, its
//! message, its number and text for C and its error number follow.

use core::fmt;

use acpi_gen::{ApicId, GpaRange, ProximityDomain, rules};

use crate::cpuid::CpuidField;
use crate::units::wide;
use crate::{NodeId, Pfn, VcpuId, VnodeId};

rules! {
    /// Why something was refused. Indices count from 0 in the caller's slice.
    pub enum Error;
    /// A layout or an encoding for no vCPUs at all.
    NoVcpus = 0x200 EINVAL (0, 0) "no vCPUs; expected at least one",
        ("no vCPUs; expected at least one");
    /// A vCPU on a vnode that does not exist.
    VcpuOnUnknownVnode {
        /// The vCPU.
        vcpu: VcpuId,
        /// Its vnode: past the end, or a gap.
        vnode: VnodeId,
        /// Vnodes, gaps included.
        vnodes: usize,
    } = 0x201 EINVAL (vcpu.0.into(), vnode.0.into()) "vCPU %i is on vnode %v, which does not exist",
        ("vCPU {} is on vnode {}; expected one of the {vnodes} vnodes that is not a gap", vcpu.0, vnode.0);
    /// An APIC id that the guest cannot use.
    ApicIdAboveLimit {
        /// The vnode that has it.
        vnode: VnodeId,
        /// The id; may be above 2^32.
        id: u64,
        /// The highest usable one.
        limit: ApicId,
    } = 0x202 ERANGE (limit.0.into(), id) "APIC id %v > %i",
        ("APIC id {id} on vnode {}; expected at most {}", vnode.0, limit.0);
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
    } = 0x203 ERANGE (limit.0.into(), highest) "highest APIC id %v > %i in every encoding",
        ("no APIC id encoding fits {vcpus} vCPUs, up to {max_per_node} on a node: highest id {highest}; expected at most {}", limit.0);
    /// Scratch space that is too short.
    ScratchTooSmall {
        /// Elements needed.
        needed: usize,
        /// Elements provided.
        have: usize,
    } = 0x204 ENOBUFS (wide(have), wide(needed)) "scratch space of %i elements; expected %v",
        ("scratch space of {have} elements; expected {needed}");
    /// An output that is too short.
    OutputTooSmall {
        /// Elements needed.
        needed: usize,
        /// Elements provided.
        have: usize,
    } = 0x205 ENOBUFS (wide(have), wide(needed)) "output of %i elements; expected %v",
        ("output of {have} elements; expected {needed}");
    /// A CPUID field that cannot hold a topology's number.
    CpuidFieldOverflow {
        /// The field.
        field: CpuidField,
        /// The number.
        value: u32,
        /// The most that fits.
        max: u32,
    } = 0x206 ERANGE (max.into(), value.into()) "a CPUID field holds up to %i, found %v",
        ("{} would be {value}; expected at most {max}", field.as_str());
    /// More vCPUs than valid pCPUs to pin them to.
    TooManyVcpus {
        /// vCPUs.
        vcpus: u32,
        /// Valid pCPUs.
        pcpus: u32,
    } = 0x208 EINVAL (pcpus.into(), vcpus.into()) "%v vCPUs > %i pCPUs",
        ("{vcpus} vCPUs for {pcpus} valid pCPUs; expected one pCPU for each vCPU");
    /// A host without memory blocks: no SRAT, or `numa=fake`.
    NoBlocks = 0x209 EINVAL (0, 0) "the host has no memory blocks",
        ("the host has no memory blocks; expected those of an SRAT");
    /// More ranges than the hypervisor's vNUMA layout holds.
    TooManyRanges {
        /// Ranges.
        ranges: u32,
        /// The most.
        max: u32,
    } = 0x20A EINVAL (max.into(), ranges.into()) "%v memory blocks > %i",
        ("{ranges} memory blocks; expected at most {max}, which a vNUMA layout holds");
    /// More vnodes than the hypervisor's vNUMA layout holds.
    TooManyVnodes {
        /// Vnodes seen when it was noticed.
        needed: u32,
        /// The most.
        max: u32,
    } = 0x20B EINVAL (max.into(), needed.into()) "%v vnodes or more > %i",
        ("{needed} vnodes or more; expected at most {max}, which a vNUMA layout holds");
    /// A node of a block or pCPU that has no proximity domain.
    NodeWithoutDomain {
        /// The node.
        node: NodeId,
    } = 0x20C EINVAL (0, node.0.into()) "node %v has memory or CPUs but no proximity domain",
        ("node {} has memory or CPUs but no proximity domain", node.0);
    /// Two host nodes that claim one proximity domain.
    TwoNodesOneDomain {
        /// The first node.
        first: NodeId,
        /// The second.
        second: NodeId,
        /// The domain.
        domain: ProximityDomain,
    } = 0x20D EINVAL (first.0.into(), second.0.into()) "nodes %i and %v have one proximity domain",
        ("nodes {} and {} both have proximity domain {}", first.0, second.0, domain.0);
    /// A distance matrix that is not square over its nodes.
    DistancesNotSquare {
        /// Nodes.
        nodes: usize,
        /// Entries; expected the square of `nodes`.
        entries: usize,
    } = 0x210 EINVAL (wide(nodes), wide(entries)) "%v distances for %i nodes",
        ("{entries} distances for {nodes} nodes; expected {nodes} rows of {nodes}");
    /// A distance that makes consumers drop the SLIT: not 10 on the diagonal, or
    /// 10 and less elsewhere.
    DistanceInvalid {
        /// Row.
        from: VnodeId,
        /// Column.
        to: VnodeId,
        /// The value.
        value: u32,
    } = 0x211 EINVAL (from.0.into(), value.into()) "distance %v from vnode %i; expected 10 to itself, above 10 to others",
        ("distance {value} from vnode {} to {}; expected 10 to itself and above 10 to others, else Linux and Xen drop the SLIT", from.0, to.0);
    /// A range whose borders are not on 4 KiB pages.
    RangeMisaligned {
        /// Index of the range in ascending order.
        index: usize,
        /// The range.
        range: GpaRange,
    } = 0x213 EINVAL (wide(index), range.start().0) "memory range %i at %V is not on 4 KiB pages",
        ("memory range {index}, {}; expected multiples of 4096", Hex(range));
    /// Ranges that are not in ascending order.
    RangesNotAscending {
        /// Index of the range that starts below the one before it.
        index: usize,
        /// That range.
        range: GpaRange,
        /// The one before it.
        previous: GpaRange,
    } = 0x214 EINVAL (wide(index), range.start().0) "memory range %i at %V starts below the one before it",
        ("memory range {index}, {}, follows {}; expected ascending order", Hex(range), Hex(previous));
    /// Two ranges that share addresses.
    RangesOverlap {
        /// The lower one.
        first: GpaRange,
        /// Its proximity domain.
        first_domain: ProximityDomain,
        /// The other.
        second: GpaRange,
        /// Its proximity domain.
        second_domain: ProximityDomain,
    } = 0x215 EINVAL (first.start().0, second.start().0) "memory ranges at %I and %V overlap",
        ("memory ranges {} of proximity domain {} and {} of {} overlap",
            Hex(first), first_domain.0, Hex(second), second_domain.0);
    /// A node with another node's range between two of its own.
    RangesInterleave {
        /// The node's lower range.
        first: GpaRange,
        /// The other node's range.
        between: GpaRange,
        /// The other node's proximity domain.
        between_domain: ProximityDomain,
        /// The node's higher range.
        second: GpaRange,
        /// The node's proximity domain.
        domain: ProximityDomain,
    } = 0x216 EINVAL (between.start().0, second.start().0) "another node's memory range at %I is below %V of its neighbour: nodes interleave",
        ("memory range {} of proximity domain {} is between {} and {} of {}: Xen drops an SRAT whose nodes interleave",
            Hex(between), between_domain.0, Hex(first), Hex(second), domain.0);
    /// A memory map whose entries do not ascend, or overlap.
    MapNotAscending {
        /// Index of the entry that does not start at or above the end of the one before it.
        index: usize,
        /// That entry.
        range: GpaRange,
        /// The one before it.
        previous: GpaRange,
    } = 0x217 EINVAL (wide(index), range.start().0) "memory map entry %i at %V starts below the end of the one before it",
        ("memory map entry {index}, {}; expected it to start at or above the end of {}", Hex(range), Hex(previous));
    /// Ranges to keep that do not ascend, or overlap.
    KeepNotAscending {
        /// Index of the range that does not start at or above the end of the one before it.
        index: usize,
        /// That range.
        range: GpaRange,
    } = 0x218 EINVAL (wide(index), range.start().0) "range to keep %i at %V starts below the end of the one before it",
        ("range to keep {index}, {}; expected it to start at or above the end of the one before it", Hex(range));
    /// A range to keep whose borders are not on 4 KiB pages.
    KeepMisaligned {
        /// Its index.
        index: usize,
        /// The range.
        range: GpaRange,
    } = 0x219 EINVAL (wide(index), range.start().0) "range to keep %i at %V is not on 4 KiB pages",
        ("range to keep {index}, {}; expected multiples of 4096", Hex(range));
    /// Fewer pages than the ranges to keep have.
    PagesBelowKept {
        /// Pages asked for.
        nr_pages: u64,
        /// Pages of RAM in the ranges to keep.
        kept: u64,
    } = 0x21A EINVAL (nr_pages, kept) "%i pages < %v pages to keep for kernel and modules",
        ("{nr_pages} pages of memory; expected at least {kept}, the RAM in the ranges to keep");
    /// More pages than the map has RAM.
    PagesAboveTotal {
        /// Pages asked for.
        nr_pages: u64,
        /// Whole pages of RAM.
        total: u64,
    } = 0x21B EINVAL (nr_pages, total) "%i pages > %v pages of RAM",
        ("{nr_pages} pages of memory; expected at most {total}, the host's RAM");
    /// A trimmed map that stays longer than allowed when every node is merged.
    TooManyEntries {
        /// Entries.
        needed: usize,
        /// The most.
        max: usize,
    } = 0x21C EINVAL (wide(max), wide(needed)) "%v memory map entries > %i",
        ("the memory map would have {needed} entries; expected at most {max}");
    /// No page at all for a frame: every fallback refused order 0.
    OutOfMemory {
        /// The frame.
        pfn: Pfn,
        /// Pages left to populate in the region.
        left: u64,
    } = 0x21D ENOMEM (pfn.0, left) "no page for frame %I, %v pages missing",
        ("no page for frame {:#x}, with {left} still to populate", pfn.0);
    /// Frame ranges that do not ascend, or overlap.
    FramesNotAscending {
        /// Index of the range that starts below the end of the one before it.
        index: usize,
        /// Its first frame.
        start: Pfn,
        /// The end of the one before it.
        previous_end: Pfn,
    } = 0x220 EINVAL (wide(index), start.0) "frame range %i at frame %V starts below the end of the one before it",
        ("frame range {index} starts at frame {:#x}; expected at least {:#x}, the end of the one before it",
            start.0, previous_end.0);
    /// Another number of APIC ids than of vCPUs.
    IdsForVcpus {
        /// vCPUs of the guest.
        vcpus: usize,
        /// Ids.
        ids: usize,
    } = 0x221 EINVAL (wide(vcpus), wide(ids)) "%v APIC ids for %i vCPUs",
        ("{ids} APIC ids for {vcpus} vCPUs; expected one for each");
    /// A vCPU of a guest that is on no node.
    VcpuWithoutNode {
        /// The vCPU.
        vcpu: VcpuId,
    } = 0x224 EINVAL (0, vcpu.0.into()) "vCPU %v is on no node",
        ("vCPU {} is on no node; expected a proximity domain", vcpu.0);
    /// Another number of host nodes than of a guest's nodes.
    PnodesForNodes {
        /// Nodes of the guest.
        nodes: usize,
        /// Host nodes.
        pnodes: usize,
    } = 0x225 EINVAL (wide(nodes), wide(pnodes)) "%v host nodes for %i vnodes",
        ("{pnodes} host nodes for {nodes} vnodes; expected one for each, or none");
    /// No region of a dom0's share of the RAM that has room for the modules.
    NoRoomForModules {
        /// Bytes of kernel and initrd.
        modules: u64,
    } = 0x226 EINVAL (0, modules) "no region of RAM holds %v bytes of modules",
        ("no region of RAM holds {modules} bytes of kernel and modules");
    /// Another than the hardware domain asks for the host's topology.
    NotHardwareDomain = 0x227 EPERM (0, 0) "not the hardware domain", ("not the hardware domain");
    /// More frames than one call takes.
    TooManyFrames {
        /// Frames asked for.
        frames: u32,
        /// The most.
        max: u32,
    } = 0x228 E2BIG (max.into(), frames.into()) "%v frames > %i",
        ("{frames} frames; expected at most {max}");
    /// Padding of a hypercall's structure that is not 0.
    PadNotZero {
        /// The padding.
        pad: u32,
    } = 0x229 EINVAL (0, pad.into()) "padding is %V; expected 0",
        ("padding is {pad:#x}; expected 0");
    /// The gate: dom0 is not PVH.
    NotPvh = 0x22A EINVAL (1, 0) "dom0 is not PVH", ("dom0 is not PVH");
    /// The gate: vCPUs have no hard affinity to one pCPU each.
    NotPinned = 0x22B EINVAL (1, 0) "no dom0_vcpus_pin", ("vCPUs are not pinned one by one");
    /// The gate: fewer vCPUs than pCPUs where each pCPU must have one.
    TooFewVcpus {
        /// vCPUs.
        vcpus: u64,
        /// pCPUs.
        pcpus: u64,
    } = 0x22C EINVAL (pcpus, vcpus) "%v vCPUs < %i pCPUs",
        ("{vcpus} vCPUs for {pcpus} pCPUs; expected one for each");
    /// The gate: a host of one node.
    TooFewNodes {
        /// Nodes.
        nodes: u64,
    } = 0x22D EINVAL (2, nodes) "%v nodes < %i", ("{nodes} nodes; expected at least 2");
    /// The gate: RAM in no memory block.
    RamOutsideBlocks {
        /// 4 KiB pages.
        pages: u64,
    } = 0x22E EINVAL (0, pages) "%v pages of RAM in no memory block",
        ("{pages} pages of RAM are in no memory block");
}

/// A range as `0x1000-0x2000`.
struct Hex(GpaRange);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}-{:#x}", self.0.start().0, self.0.end().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acpi_gen::{Errno, Violation};

    #[test]
    fn rules_have_ascending_numbers_and_known_placeholders() {
        let rules = acpi_gen::Error::RULES.iter().chain(Error::RULES);
        let numbers: std::vec::Vec<u32> = rules.map(|rule| rule.code).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:x?}");
        for rule in Error::RULES.iter().chain(acpi_gen::Error::RULES) {
            for placeholder in rule.text.split('%').skip(1) {
                assert!(placeholder.starts_with(['i', 'v', 'I', 'V']), "{rule:?}");
            }
        }
    }

    #[test]
    fn message_and_numbers_name_element_and_value() {
        let error = Error::TooManyVcpus { vcpus: 7, pcpus: 6 };
        let violation = Violation { errno: Errno::EINVAL, code: 0x208, index: 6, value: 7 };
        assert_eq!(Violation::from(error), violation);
        assert_eq!(Error::text(0x208), Some("%v vCPUs > %i pCPUs"));
        assert_eq!(
            std::string::ToString::to_string(&error),
            "7 vCPUs for 6 valid pCPUs; expected one pCPU for each vCPU"
        );
    }
}
