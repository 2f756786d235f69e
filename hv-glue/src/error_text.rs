//! The errors' texts: each names place, value and what would be right.

use core::fmt;

use acpi_gen::GpaRange;

use crate::Error;

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

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use acpi_gen::{ApicId, Gpa, ProximityDomain};

    use super::*;
    use crate::cpuid::CpuidField;
    use crate::{NodeId, Pfn, VcpuId, VnodeId};

    fn range(start: u64, end: u64) -> GpaRange {
        GpaRange::new(Gpa(start), Gpa(end)).unwrap()
    }

    /// Every variant, whose text holds these numbers in this order.
    fn every_error() -> [(Error, &'static [&'static str]); 39] {
        let (first, second) = (range(0x1000, 0x3000), range(0x2000, 0x4000));
        let (vnode, limit) = (VnodeId(7), ApicId(254));
        let field = CpuidField::LevelCount;
        let domain = ProximityDomain(41);
        [
            (Error::NoVcpus, &["no vCPUs", "at least one"]),
            (
                Error::VcpuOnUnknownVnode { vcpu: VcpuId(3), vnode, vnodes: 6 },
                &["vCPU 3", "vnode 7", "6"],
            ),
            (Error::ApicIdAboveLimit { vnode, id: 380, limit }, &["vnode 7", "380", "254"]),
            (
                Error::NoEncodingFits { vcpus: 128, max_per_node: 97, highest: 3968, limit },
                &["128", "97", "254", "3968"],
            ),
            (Error::ScratchTooSmall { needed: 5, have: 4 }, &["5", "4"]),
            (Error::OutputTooSmall { needed: 5, have: 4 }, &["5", "4"]),
            (
                Error::CpuidFieldOverflow { field, value: 65_536, max: 65_535 },
                &["leaf 0xB EBX[15:0]", "65536", "65535"],
            ),
            (
                Error::CpuidFieldOverflow { field: CpuidField::CacheSharing, value: 1, max: 2 },
                &["leaf 4 EAX[25:14]"],
            ),
            (
                Error::CpuidFieldOverflow { field: CpuidField::ApicIdCoreIdSize, value: 1, max: 2 },
                &["leaf 0x80000008 ECX[15:12]"],
            ),
            (
                Error::CpuidFieldOverflow { field: CpuidField::LevelShift, value: 1, max: 2 },
                &["leaf 0xB EAX[4:0]"],
            ),
            (Error::OptInForPv, &["PVH", "PV"]),
            (Error::TooManyVcpus { vcpus: 9, pcpus: 8 }, &["9 vCPUs", "8"]),
            (Error::NoBlocks, &["no memory blocks"]),
            (Error::TooManyRanges { ranges: 171, max: 170 }, &["171", "170"]),
            (Error::TooManyVnodes { needed: 33, max: 32 }, &["33", "32"]),
            (Error::NodeWithoutDomain { node: NodeId(5) }, &["node 5"]),
            (
                Error::TwoNodesOneDomain { first: NodeId(1), second: NodeId(2), domain },
                &["1", "2", "41"],
            ),
            (Error::PnodesForVnodes { vnodes: 3, pnodes: 2 }, &["2", "3"]),
            (Error::DomainsNotAscending { vnode, domain }, &["vnode 7", "41"]),
            (Error::DistancesNotSquare { nodes: 3, entries: 8 }, &["8", "3"]),
            (
                Error::DistanceInvalid { from: VnodeId(1), to: vnode, value: 9 },
                &["9", "1", "7", "10"],
            ),
            (Error::RangeOnUnknownVnode { index: 2, vnode, vnodes: 6 }, &["2", "7", "6"]),
            (Error::RangeMisaligned { index: 2, range: range(1, 2) }, &["2", "0x1-0x2", "4096"]),
            (
                Error::RangesNotAscending { index: 2, range: first, previous: second },
                &["2", "0x1000-0x3000", "0x2000-0x4000"],
            ),
            (
                Error::RangesOverlap {
                    first,
                    first_vnode: vnode,
                    second,
                    second_vnode: VnodeId(8),
                },
                &["0x1000-0x3000", "7", "0x2000-0x4000", "8"],
            ),
            (
                Error::RangesInterleave {
                    first,
                    between: second,
                    between_vnode: VnodeId(8),
                    second: range(0x9000, 0xA000),
                    vnode,
                },
                &["0x2000-0x4000", "8", "0x1000-0x3000", "0x9000-0xa000", "7"],
            ),
            (
                Error::MapNotAscending { index: 2, range: first, previous: second },
                &["2", "0x1000-0x3000", "0x2000-0x4000"],
            ),
            (Error::KeepNotAscending { index: 2, range: first }, &["2", "0x1000-0x3000"]),
            (Error::KeepMisaligned { index: 2, range: range(1, 2) }, &["2", "0x1-0x2", "4096"]),
            (Error::PagesBelowKept { nr_pages: 19, kept: 20 }, &["19", "20"]),
            (Error::PagesAboveTotal { nr_pages: 21, total: 20 }, &["21", "20"]),
            (Error::TooManyEntries { needed: 121, max: 120 }, &["121", "120"]),
            (Error::OutOfMemory { pfn: Pfn(0x123), left: 77 }, &["0x123", "77"]),
            (Error::NodeWithoutCounters { node: NodeId(5), nodes: 4 }, &["5", "4"]),
            (
                Error::RamNotCovered { start: Pfn(0x123), uncovered: 7, total: 9 },
                &["7 of 9", "0x123000"],
            ),
            (
                Error::FramesNotAscending { index: 2, start: Pfn(0x10), previous_end: Pfn(0x20) },
                &["2", "0x10", "0x20"],
            ),
            (Error::IdsForVcpus { vcpus: 4, ids: 3 }, &["3", "4"]),
            (Error::MemoryMisaligned { vnode, bytes: 4097 }, &["4097", "7", "4096"]),
            (Error::MemoryPastEnd { vnode, bytes: 4097 }, &["4097", "7", "2^64"]),
        ]
    }

    /// A compile error here asks for a line above.
    fn position(error: &Error) -> usize {
        match error {
            Error::NoVcpus => 0,
            Error::VcpuOnUnknownVnode { .. } => 1,
            Error::ApicIdAboveLimit { .. } => 2,
            Error::NoEncodingFits { .. } => 3,
            Error::ScratchTooSmall { .. } => 4,
            Error::OutputTooSmall { .. } => 5,
            Error::CpuidFieldOverflow { .. } => 6,
            Error::OptInForPv => 7,
            Error::TooManyVcpus { .. } => 8,
            Error::NoBlocks => 9,
            Error::TooManyRanges { .. } => 10,
            Error::TooManyVnodes { .. } => 11,
            Error::NodeWithoutDomain { .. } => 12,
            Error::TwoNodesOneDomain { .. } => 13,
            Error::PnodesForVnodes { .. } => 14,
            Error::DomainsNotAscending { .. } => 15,
            Error::DistancesNotSquare { .. } => 16,
            Error::DistanceInvalid { .. } => 17,
            Error::RangeOnUnknownVnode { .. } => 18,
            Error::RangeMisaligned { .. } => 19,
            Error::RangesNotAscending { .. } => 20,
            Error::RangesOverlap { .. } => 21,
            Error::RangesInterleave { .. } => 22,
            Error::MapNotAscending { .. } => 23,
            Error::KeepNotAscending { .. } => 24,
            Error::KeepMisaligned { .. } => 25,
            Error::PagesBelowKept { .. } => 26,
            Error::PagesAboveTotal { .. } => 27,
            Error::TooManyEntries { .. } => 28,
            Error::OutOfMemory { .. } => 29,
            Error::NodeWithoutCounters { .. } => 30,
            Error::RamNotCovered { .. } => 31,
            Error::FramesNotAscending { .. } => 32,
            Error::IdsForVcpus { .. } => 33,
            Error::MemoryMisaligned { .. } => 34,
            Error::MemoryPastEnd { .. } => 35,
        }
    }

    #[test]
    fn every_text_holds_its_numbers() {
        let mut seen = [false; 36];
        for (error, parts) in every_error() {
            seen[position(&error)] = true;
            let text = error.to_string();
            let mut rest = text.as_str();
            for part in parts {
                let at = rest.find(part);
                let at = at.unwrap_or_else(|| panic!("{part:?} is not in {rest:?} of {text:?}"));
                rest = &rest[at..];
                rest = &rest[part.len()..];
            }
        }
        assert_eq!(seen, [true; 36]);
    }
}
