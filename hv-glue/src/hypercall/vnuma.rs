//! The checks of `XEN_DOMCTL_setvnumainfo` that Xen leaves to the toolstack.

use crate::e820::{self, E820Entry};
use crate::layout::{check_distances, check_ranges};
use crate::units::index;
use crate::{Error, VcpuId, Vmemrange, VnodeId};

/// What a toolstack set.
#[derive(Clone, Copy, Debug)]
pub struct VnumaInfo<'a> {
    /// `nr_vnodes`.
    pub vnodes: u32,
    /// `vdistance`: row by row, as the toolstack gave the numbers.
    pub distances: &'a [u32],
    /// `vcpu_to_vnode`.
    pub vcpu_to_vnode: &'a [VnodeId],
    /// `vmemrange`, in ascending order.
    pub ranges: &'a [Vmemrange],
}

/// Strict mode: refuses what guests then refuse. Distances must be 10 on the
/// diagonal and above 10 elsewhere; ranges must ascend on pages without overlap, on
/// vnodes that exist, as vCPUs must be; every page of RAM of `map`, where one is
/// known, must lie in a range.
///
/// # Errors
/// [`Error::DistancesNotSquare`], [`Error::DistanceInvalid`], [`Error::VcpuOnUnknownVnode`],
/// [`Error::RangeOnUnknownVnode`], [`Error::RangeMisaligned`], [`Error::RangesNotAscending`],
/// [`Error::RangesOverlap`], [`Error::MapNotAscending`], [`Error::RamNotCovered`].
pub fn check_vnumainfo(info: &VnumaInfo<'_>, map: Option<&[E820Entry]>) -> Result<(), Error> {
    let vnodes = index(info.vnodes);
    check_distances(vnodes, info.distances.iter().copied())?;
    for (vcpu, &vnode) in (0..).map(VcpuId).zip(info.vcpu_to_vnode) {
        if vnode.0 >= info.vnodes {
            return Err(Error::VcpuOnUnknownVnode { vcpu, vnode, vnodes });
        }
    }
    check_ranges(info.ranges, vnodes, |vnode| vnode.0 < info.vnodes)?;
    map.map_or(Ok(()), |map| e820::check_coverage(map, info.ranges))
}
