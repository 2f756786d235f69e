//! Failures as C sees them: a negative errno, and which rule, element and value.

use crate::what::HvgWhat as What;

/// No permission.
pub(crate) const EPERM: i32 = -1;
/// Too many elements.
pub(crate) const E2BIG: i32 = -7;
/// No memory for a frame.
pub(crate) const ENOMEM: i32 = -12;
/// An argument that says nothing sensible.
pub(crate) const EINVAL: i32 = -22;
/// A number that does not fit.
pub(crate) const ERANGE: i32 = -34;
/// A lent array is too short.
pub(crate) const ENOBUFS: i32 = -105;

/// A failed call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) errno: i32,
    pub(crate) what: What,
    pub(crate) index: u64,
    pub(crate) value: u64,
}

impl Fault {
    pub(crate) const fn new(errno: i32, what: What, index: u64, value: u64) -> Self {
        Self { errno, what, index, value }
    }

    pub(crate) const fn invalid(what: What, index: u64, value: u64) -> Self {
        Self::new(EINVAL, what, index, value)
    }

    pub(crate) fn too_short(what: What, have: usize, needed: usize) -> Self {
        Self::new(ENOBUFS, what, wide(have), wide(needed))
    }
}

pub(crate) fn wide(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

impl From<acpi_gen::Error> for Fault {
    fn from(error: acpi_gen::Error) -> Self {
        use acpi_gen::Error as E;
        let errno = match error {
            E::ScratchTooSmall { .. } | E::BufferTooSmall { .. } => ENOBUFS,
            E::TableTooLarge { .. } | E::TooManyLocalities { .. } => ERANGE,
            _ => EINVAL,
        };
        let (what, index, value) = match error {
            E::RangeEmpty { start, end } => (What::TableRangeEmpty, start.0, end.0),
            E::RangePastEnd { start, size } => (What::TableRangePastEnd, start.0, size),
            E::NoProcessors => (What::TableNoProcessors, 0, 0),
            E::BootProcessorAbsent { uid } => (What::TableBootProcessorAbsent, 0, uid.0.into()),
            E::DuplicateUid { second, uid, .. } => {
                (What::TableDuplicateUid, wide(second), uid.0.into())
            }
            E::DuplicateApicId { second, id, .. } => {
                (What::TableDuplicateApicId, wide(second), id.0.into())
            }
            E::ReservedApicId { index, id } => {
                (What::TableReservedApicId, wide(index), id.0.into())
            }
            E::UidTooLargeForType0 { index, uid, .. } => {
                (What::TableUidTooLargeForType0, wide(index), uid.0.into())
            }
            E::MemoryNotAscending { index, range, .. } => {
                (What::TableMemoryNotAscending, wide(index), range.start().0)
            }
            E::MemoryOverlap { index, second, .. } => {
                (What::TableMemoryOverlap, wide(index), second.start().0)
            }
            E::DistancesNotAscending { index, domain } => {
                (What::TableDistancesNotAscending, wide(index), domain.0.into())
            }
            E::DistancesNotSquare { domains, entries } => {
                (What::TableDistancesNotSquare, wide(domains), wide(entries))
            }
            E::DistanceOfUnknownDomain { domain } => {
                (What::TableDistanceOfUnknownDomain, 0, domain.0.into())
            }
            E::DistanceReserved { from, value, .. } => {
                (What::TableDistanceReserved, from.0.into(), value.into())
            }
            E::DiagonalNotLocal { domain, value } => {
                (What::TableDiagonalNotLocal, domain.0.into(), value.into())
            }
            E::RemoteAtLocalDistance { from, to } => {
                (What::TableRemoteAtLocalDistance, from.0.into(), to.0.into())
            }
            E::TooManyLocalities { domain, max } => {
                (What::TableTooManyLocalities, domain.0.into(), max.0.into())
            }
            E::DuplicateIoApicId { index, id } => {
                (What::TableDuplicateIoApicId, wide(index), id.into())
            }
            E::IoApicAddressZero { index } => (What::TableIoApicAddressZero, wide(index), 0),
            E::DuplicateOverride { index, source } => {
                (What::TableDuplicateOverride, wide(index), source.into())
            }
            E::NmiLint { index, lint } => (What::TableNmiLint, wide(index), lint.into()),
            E::NmiOfUnknownProcessor { index, uid } => {
                (What::TableNmiOfUnknownProcessor, wide(index), uid.0.into())
            }
            E::NmiUidTooLarge { index, uid, .. } => {
                (What::TableNmiUidTooLarge, wide(index), uid.0.into())
            }
            E::ScratchTooSmall { have, needed } => {
                (What::TableScratchTooSmall, wide(have), wide(needed))
            }
            E::TableTooLarge { signature, len } => {
                (What::TableTooLarge, u32::from_le_bytes(signature).into(), len)
            }
            E::TooManyProcessorDevices { processors, max } => {
                (What::TableTooManyProcessorDevices, wide(processors), wide(max))
            }
            E::FadtNotOurs => (What::TableFadtNotOurs, 0, 0),
            E::BufferTooSmall { have, needed } => {
                (What::TableBufferTooSmall, wide(have), wide(needed))
            }
            E::BaseMisaligned { base, align } => (What::TableBaseMisaligned, base.0, align),
            _ => (What::Unknown, 0, 0),
        };
        Self { errno, what, index, value }
    }
}

impl From<hv_glue::Error> for Fault {
    fn from(error: hv_glue::Error) -> Self {
        use hv_glue::Error as E;
        let errno = match error {
            E::ScratchTooSmall { .. } | E::OutputTooSmall { .. } => ENOBUFS,
            E::OutOfMemory { .. } => ENOMEM,
            other => 0_i32.saturating_sub(other.errno().0),
        };
        let (what, index, value) = match error {
            E::NoVcpus => (What::NoVcpus, 0, 0),
            E::VcpuOnUnknownVnode { vcpu, vnode, .. } => {
                (What::VcpuOnUnknownVnode, vcpu.0.into(), vnode.0.into())
            }
            E::ApicIdAboveLimit { vnode, id, .. } => (What::ApicIdAboveLimit, vnode.0.into(), id),
            E::NoEncodingFits { max_per_node, highest, .. } => {
                (What::NoEncodingFits, max_per_node.into(), highest)
            }
            E::ScratchTooSmall { have, needed } => {
                (What::ScratchTooSmall, wide(have), wide(needed))
            }
            E::OutputTooSmall { have, needed } => (What::OutputTooSmall, wide(have), wide(needed)),
            E::CpuidFieldOverflow { field, value, .. } => {
                (What::CpuidFieldOverflow, cpuid_field(field), value.into())
            }
            E::OptInForPv => (What::OptInForPv, 0, 0),
            E::TooManyVcpus { pcpus, vcpus } => (What::TooManyVcpus, pcpus.into(), vcpus.into()),
            E::NoBlocks => (What::NoBlocks, 0, 0),
            E::TooManyRanges { ranges, max } => (What::TooManyRanges, ranges.into(), max.into()),
            E::TooManyVnodes { needed, max } => (What::TooManyVnodes, needed.into(), max.into()),
            E::NodeWithoutDomain { node } => (What::NodeWithoutDomain, 0, node.0.into()),
            E::TwoNodesOneDomain { first, second, .. } => {
                (What::TwoNodesOneDomain, first.0.into(), second.0.into())
            }
            E::PnodesForVnodes { vnodes, pnodes } => {
                (What::PnodesForVnodes, wide(vnodes), wide(pnodes))
            }
            E::DomainsNotAscending { vnode, domain } => {
                (What::DomainsNotAscending, vnode.0.into(), domain.0.into())
            }
            E::DistancesNotSquare { nodes, entries } => {
                (What::DistancesNotSquare, wide(nodes), wide(entries))
            }
            E::DistanceInvalid { from, value, .. } => {
                (What::DistanceInvalid, from.0.into(), value.into())
            }
            E::RangeOnUnknownVnode { index, vnode, .. } => {
                (What::RangeOnUnknownVnode, wide(index), vnode.0.into())
            }
            E::RangeMisaligned { index, range } => {
                (What::RangeMisaligned, wide(index), range.start().0)
            }
            E::RangesNotAscending { index, range, .. } => {
                (What::RangesNotAscending, wide(index), range.start().0)
            }
            E::RangesOverlap { first, second, .. } => {
                (What::RangesOverlap, first.start().0, second.start().0)
            }
            E::RangesInterleave { between, second, .. } => {
                (What::RangesInterleave, between.start().0, second.start().0)
            }
            E::MapNotAscending { index, range, .. } => {
                (What::MapNotAscending, wide(index), range.start().0)
            }
            E::KeepNotAscending { index, range } => {
                (What::KeepNotAscending, wide(index), range.start().0)
            }
            E::KeepMisaligned { index, range } => {
                (What::KeepMisaligned, wide(index), range.start().0)
            }
            E::PagesBelowKept { nr_pages, kept } => (What::PagesBelowKept, nr_pages, kept),
            E::PagesAboveTotal { nr_pages, total } => (What::PagesAboveTotal, nr_pages, total),
            E::TooManyEntries { needed, max } => (What::TooManyEntries, wide(needed), wide(max)),
            E::OutOfMemory { pfn, left } => (What::OutOfMemory, pfn.0, left),
            E::NodeWithoutCounters { node, nodes } => {
                (What::NodeWithoutCounters, node.0.into(), wide(nodes))
            }
            E::RamNotCovered { start, uncovered, .. } => (What::RamNotCovered, start.0, uncovered),
            E::FramesNotAscending { index, start, .. } => {
                (What::FramesNotAscending, wide(index), start.0)
            }
            E::IdsForVcpus { vcpus, ids } => (What::IdsForVcpus, wide(vcpus), wide(ids)),
            E::MemoryMisaligned { vnode, bytes } => (What::MemoryMisaligned, vnode.0.into(), bytes),
            E::MemoryPastEnd { vnode, bytes } => (What::MemoryPastEnd, vnode.0.into(), bytes),
            _ => (What::Unknown, 0, 0),
        };
        Self { errno, what, index, value }
    }
}

/// The field's rank in its type's list.
const fn cpuid_field(field: hv_glue::cpuid::CpuidField) -> u64 {
    use hv_glue::cpuid::CpuidField;
    match field {
        CpuidField::CacheSharing => 0,
        CpuidField::ApicIdCoreIdSize => 1,
        CpuidField::LevelShift => 2,
        CpuidField::LevelCount => 3,
    }
}
