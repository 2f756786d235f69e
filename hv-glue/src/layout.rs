//! The one value from which ids, CPUID, e820, populate and tables derive.

use acpi_gen::{Distance, Gpa, GpaRange, ProximityDomain};

use crate::units::{count, index};
use crate::{Error, NodeId, Pfn, Placement, VcpuId, VnodeId};

/// A range of guest physical addresses of one vnode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vmemrange {
    /// The addresses; both borders on 4 KiB pages.
    pub range: GpaRange,
    /// The vnode.
    pub vnode: VnodeId,
    /// Memory may be added here. Xen's `vmemrange.flags` must stay 0, so this
    /// stands beside it.
    pub hotplug: bool,
}

/// How many of what a layout may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most vnodes; a vnode is numbered by its proximity domain where the
    /// highest is below this.
    pub vnodes: u32,
    /// The most vmemranges.
    pub ranges: u32,
}

impl Limits {
    /// Xen's `vnuma_alloc()`: `nr_vnodes² * 4` and `nr_ranges * 24` within 4,096 bytes.
    pub const XEN: Self = Self { vnodes: 32, ranges: 170 };
}

/// Lengths that the lent slices of a [`LayoutMemory`] need at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayoutSize {
    /// For `domains` and `pnodes`.
    pub vnodes: usize,
    /// For `vcpu_to_vnode`.
    pub vcpus: usize,
    /// For `ranges`.
    pub ranges: usize,
    /// For `distances`: vnodes squared.
    pub distances: usize,
}

/// Memory that the caller lends to a layout. Building overwrites it; after an
/// error its contents mean nothing.
#[derive(Debug)]
pub struct LayoutMemory<'a> {
    /// Each vnode's proximity domain; `None` is a gap.
    pub domains: &'a mut [Option<ProximityDomain>],
    /// Each vnode's host node.
    pub pnodes: &'a mut [Option<NodeId>],
    /// Each vCPU's vnode.
    pub vcpu_to_vnode: &'a mut [VnodeId],
    /// The vmemranges.
    pub ranges: &'a mut [Vmemrange],
    /// The distance matrix, row by row.
    pub distances: &'a mut [Distance],
}

impl LayoutMemory<'_> {
    /// What unused slots of `ranges` may hold: lent arrays need some value.
    pub const UNUSED_RANGE: Vmemrange = Vmemrange {
        range: match GpaRange::new(Gpa(0), Gpa(1)) {
            Ok(range) => range,
            // Not reached: 0..1 is not empty.
            Err(_) => unreachable!(),
        },
        vnode: VnodeId(0),
        hotplug: false,
    };
}

/// A vNUMA layout that has passed every rule: ranges ascend and do not overlap,
/// every vCPU and range is on a vnode that exists, and the distances are a SLIT
/// that consumers take.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    domains: &'a [Option<ProximityDomain>],
    pnodes: &'a [Option<NodeId>],
    vcpu_to_vnode: &'a [VnodeId],
    ranges: &'a [Vmemrange],
    distances: &'a [Distance],
}

impl<'a> Layout<'a> {
    /// Checks a layout that stands in the caller's slices: from a toolstack's
    /// request, or as the builders of this crate left it.
    ///
    /// # Errors
    /// [`Error::PnodesForVnodes`], [`Error::DomainsNotAscending`],
    /// [`Error::DistancesNotSquare`], [`Error::DistanceInvalid`],
    /// [`Error::VcpuOnUnknownVnode`], [`Error::RangeOnUnknownVnode`],
    /// [`Error::RangeMisaligned`], [`Error::RangesNotAscending`],
    /// [`Error::RangesOverlap`].
    pub fn new(
        domains: &'a [Option<ProximityDomain>],
        pnodes: &'a [Option<NodeId>],
        vcpu_to_vnode: &'a [VnodeId],
        ranges: &'a [Vmemrange],
        distances: &'a [Distance],
    ) -> Result<Self, Error> {
        let layout = Self { domains, pnodes, vcpu_to_vnode, ranges, distances };
        let vnodes = domains.len();
        if pnodes.len() != vnodes {
            return Err(Error::PnodesForVnodes { vnodes, pnodes: pnodes.len() });
        }
        layout.check_domains()?;
        check_distances(vnodes, distances.iter().map(|distance| u32::from(distance.get())))?;
        for (vcpu, &vnode) in (0..).map(VcpuId).zip(vcpu_to_vnode) {
            if !layout.exists(vnode) {
                return Err(Error::VcpuOnUnknownVnode { vcpu, vnode, vnodes });
            }
        }
        check_ranges(ranges, vnodes, |vnode| layout.exists(vnode))?;
        Ok(layout)
    }

    fn exists(&self, vnode: VnodeId) -> bool {
        matches!(self.domains.get(index(vnode.0)), Some(Some(_)))
    }

    /// Proximity domains ascend with vnode numbers, so that ranks and lookups agree.
    fn check_domains(&self) -> Result<(), Error> {
        let mut previous = None;
        for (vnode, domain) in (0..).map(VnodeId).zip(self.domains) {
            if let Some(domain) = *domain {
                if previous.is_some_and(|previous| domain <= previous) {
                    return Err(Error::DomainsNotAscending { vnode, domain });
                }
                previous = Some(domain);
            }
        }
        Ok(())
    }

    /// Each vnode's proximity domain by vnode number; `None` is a gap, an empty
    /// slot that a guest sees as an offline domain.
    #[must_use]
    pub const fn domains(&self) -> &'a [Option<ProximityDomain>] {
        self.domains
    }

    /// `vnode_to_pnode`: the host node that backs each vnode; `None` for a gap
    /// or a vnode that may lie anywhere.
    #[must_use]
    pub const fn pnodes(&self) -> &'a [Option<NodeId>] {
        self.pnodes
    }

    /// Each vCPU's vnode.
    #[must_use]
    pub const fn vcpu_to_vnode(&self) -> &'a [VnodeId] {
        self.vcpu_to_vnode
    }

    /// The ranges in ascending order.
    #[must_use]
    pub const fn ranges(&self) -> &'a [Vmemrange] {
        self.ranges
    }

    /// The distance matrix over vnodes, row by row, gaps with 10 and 20.
    #[must_use]
    pub const fn distances(&self) -> &'a [Distance] {
        self.distances
    }

    /// The distance from one vnode to another; [`Distance::REMOTE`] past the end.
    #[must_use]
    pub fn distance(&self, from: VnodeId, to: VnodeId) -> Distance {
        let vnodes = self.domains.len();
        let row = index(from.0).saturating_mul(vnodes);
        let at = (index(to.0) < vnodes).then(|| row.saturating_add(index(to.0)));
        at.and_then(|at| self.distances.get(at)).copied().unwrap_or(Distance::REMOTE)
    }

    /// What the APIC id encoding needs.
    #[must_use]
    pub const fn placement(&self) -> Placement<'a> {
        Placement { vcpu_to_vnode: self.vcpu_to_vnode, domains: self.domains }
    }

    /// Vnodes that are not gaps.
    #[must_use]
    pub fn nodes(&self) -> u32 {
        count(self.domains.iter().flatten().count())
    }

    /// A vnode's proximity domain.
    #[must_use]
    pub fn domain(&self, vnode: VnodeId) -> Option<ProximityDomain> {
        self.domains.get(index(vnode.0)).copied().flatten()
    }

    /// A vnode's host node.
    #[must_use]
    pub fn pnode(&self, vnode: VnodeId) -> Option<NodeId> {
        self.pnodes.get(index(vnode.0)).copied().flatten()
    }

    /// The stretch of frames from `start` on with one answer: which range they
    /// are in, if any, and how many they are. O(log r).
    #[must_use]
    pub fn stretch(&self, start: Pfn) -> Stretch {
        let past = self.ranges.partition_point(|range| end_frame(range) <= start);
        match self.ranges.get(past) {
            Some(range) if Pfn::containing(range.range.start()) <= start => {
                Stretch { vnode: Some(range.vnode), pages: end_frame(range).pages_from(start) }
            }
            Some(range) => Stretch {
                vnode: None,
                pages: Pfn::containing(range.range.start()).pages_from(start),
            },
            None => Stretch { vnode: None, pages: u64::MAX },
        }
    }
}

/// Frames that have one answer to "which vnode?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The vnode; `None` outside every range.
    pub vnode: Option<VnodeId>,
    /// Pages up to the end of the range, or to the start of the next one.
    pub pages: u64,
}

fn end_frame(range: &Vmemrange) -> Pfn {
    Pfn::containing(range.range.end())
}

/// A square matrix, 10 on its diagonal and above 10 elsewhere.
pub(crate) fn check_distances(
    vnodes: usize,
    values: impl ExactSizeIterator<Item = u32>,
) -> Result<(), Error> {
    let local = u32::from(Distance::LOCAL.get());
    let entries = values.len();
    if vnodes.checked_mul(vnodes) != Some(entries) {
        return Err(Error::DistancesNotSquare { nodes: vnodes, entries });
    }
    let vnodes = || (0..count(vnodes)).map(VnodeId);
    let pairs = vnodes().flat_map(|from| vnodes().map(move |to| (from, to)));
    for ((from, to), value) in pairs.zip(values) {
        let valid = if from == to { value == local } else { value > local };
        if !valid {
            return Err(Error::DistanceInvalid { from, to, value });
        }
    }
    Ok(())
}

/// Ranges that ascend on pages without overlap, on vnodes that exist.
pub(crate) fn check_ranges(
    ranges: &[Vmemrange],
    vnodes: usize,
    exists: impl Fn(VnodeId) -> bool,
) -> Result<(), Error> {
    for (index, &Vmemrange { range, vnode, .. }) in ranges.iter().enumerate() {
        if !exists(vnode) {
            return Err(Error::RangeOnUnknownVnode { index, vnode, vnodes });
        }
        if !crate::units::is_page_aligned(range) {
            return Err(Error::RangeMisaligned { index, range });
        }
    }
    for (index, pair) in (1_usize..).zip(ranges.windows(2)) {
        let [previous, this] = pair else { continue };
        let (first, second) = (previous.range, this.range);
        if first.overlaps(second) {
            return Err(Error::RangesOverlap {
                first,
                first_vnode: previous.vnode,
                second,
                second_vnode: this.vnode,
            });
        }
        if second.start() < first.start() {
            return Err(Error::RangesNotAscending { index, range: second, previous: first });
        }
    }
    Ok(())
}
