//! A guest's NUMA nodes with their memory and distances: the state from which ids, CPUID,
//! memory map, populate steps and tables derive.

use acpi_gen::{Distance, GpaRange, MemoryRange, ProximityDomain};
use heapless::Vec;

use crate::units::{count, index};
use crate::{Error, NodeId, Pfn, VnodeId};

/// The most vnodes: Xen's `vnuma_alloc()` takes `nr_vnodes² * 4` within 4,096 bytes.
pub(crate) const MAX_VNODES: usize = 32;
/// The most memory ranges: Xen's `vnuma_alloc()` takes `nr_ranges * 24` within 4,096 bytes.
pub(crate) const MAX_RANGES: usize = 170;
const MAX_DISTANCES: usize = MAX_VNODES.saturating_mul(MAX_VNODES);

/// A proximity domain and its host node.
pub(crate) type Node = (ProximityDomain, Option<NodeId>);

/// The nodes of a guest in ascending order of proximity domain, and its memory.
///
/// A vnode's number is its proximity domain, with gaps, where a dom0's highest domain is
/// below 32; else its rank.
#[derive(Debug)]
pub struct Layout {
    domains: Vec<ProximityDomain, MAX_VNODES>,
    pnodes: Vec<Option<NodeId>, MAX_VNODES>,
    /// Row by row over `domains`.
    distances: Vec<Distance, MAX_DISTANCES>,
    memory: Vec<MemoryRange, MAX_RANGES>,
    numbered_by_domain: bool,
}

impl Layout {
    pub(crate) const fn new() -> Self {
        Self {
            domains: Vec::new(),
            pnodes: Vec::new(),
            distances: Vec::new(),
            memory: Vec::new(),
            numbered_by_domain: false,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.domains.clear();
        self.pnodes.clear();
        self.distances.clear();
        self.memory.clear();
        self.numbered_by_domain = false;
    }

    pub(crate) fn clear_memory(&mut self) {
        self.memory.clear();
    }

    /// Adds a node, or finds that it is there already.
    pub(crate) fn add_node(
        &mut self,
        domain: ProximityDomain,
        pnode: Option<NodeId>,
    ) -> Result<(), Error> {
        let at = match self.domains.binary_search(&domain) {
            Ok(at) => {
                return match (self.pnodes.get(at).copied().flatten(), pnode) {
                    (Some(first), Some(second)) if first != second => {
                        Err(Error::TwoNodesOneDomain { first, second, domain })
                    }
                    _ => Ok(()),
                };
            }
            Err(at) => at,
        };
        let pushed = self.domains.push(domain).is_ok() && self.pnodes.push(pnode).is_ok();
        if !pushed {
            let max = count(MAX_VNODES);
            return Err(Error::TooManyVnodes { needed: max.saturating_add(1), max });
        }
        shift_in(self.domains.get_mut(at..).unwrap_or_default(), domain);
        shift_in(self.pnodes.get_mut(at..).unwrap_or_default(), pnode);
        Ok(())
    }

    /// Adds a range in its place by address: at the end where ranges come in order.
    pub(crate) fn add_memory(&mut self, range: MemoryRange) -> Result<(), Error> {
        let start = range.range.start();
        let at = match self.memory.last() {
            Some(last) if last.range.start() > start => {
                self.memory.partition_point(|earlier| earlier.range.start() <= start)
            }
            _ => self.memory.len(),
        };
        self.push_memory(range)?;
        shift_in(self.memory.get_mut(at..).unwrap_or_default(), range);
        Ok(())
    }

    /// Makes one of ranges that ascend, overlap and are the same node's: Xen and Linux accept
    /// an SRAT with such entries, unless their hot-plug flags differ.
    pub(crate) fn merge_memory(&mut self) {
        let left = crate::units::join(&mut self.memory, |last, next| {
            let range = last.range;
            let same = MemoryRange { range, ..*next } == *last && range.overlaps(next.range);
            if same && range.end() < next.range.end() {
                let merged = GpaRange::new(range.start(), next.range.end());
                last.range = merged.unwrap_or(range);
            }
            same
        });
        self.memory.truncate(left);
    }

    /// Adds a range behind the others.
    pub(crate) fn push_memory(&mut self, range: MemoryRange) -> Result<(), Error> {
        let max = count(MAX_RANGES);
        let full = Error::TooManyRanges { ranges: max.saturating_add(1), max };
        self.memory.push(range).map_err(|_| full)
    }

    /// Sets the distances between the nodes, and checks them: 10 to itself, above 10 to others.
    pub(crate) fn set_distances(
        &mut self,
        distance: impl Fn(Node, Node) -> Distance,
    ) -> Result<(), Error> {
        self.distances.clear();
        let nodes = || self.domains.iter().copied().zip(self.pnodes.iter().copied());
        for from in nodes() {
            for to in nodes() {
                // Cannot fail: the square of the most nodes fits.
                let pushed = self.distances.push(distance(from, to));
                debug_assert!(pushed.is_ok());
            }
        }
        for &from in &self.domains {
            for &to in &self.domains {
                let value = self.between(from, to);
                let local = value == Distance::LOCAL;
                if local != (from == to) || value < Distance::LOCAL {
                    let vnode = |domain| self.vnode(domain).unwrap_or(VnodeId(0));
                    let value = u32::from(value.get());
                    return Err(Error::DistanceInvalid { from: vnode(from), to: vnode(to), value });
                }
            }
        }
        Ok(())
    }

    /// Sets each node's host node; an empty slice leaves them open.
    pub(crate) fn set_pnodes(&mut self, pnodes: &[NodeId]) -> Result<(), Error> {
        let nodes = self.pnodes.len();
        if !pnodes.is_empty() && pnodes.len() != nodes {
            return Err(Error::PnodesForNodes { nodes, pnodes: pnodes.len() });
        }
        for (slot, &pnode) in self.pnodes.iter_mut().zip(pnodes) {
            *slot = Some(pnode);
        }
        Ok(())
    }

    /// Numbers vnodes by proximity domain where the highest is below the most vnodes.
    pub(crate) fn number_by_domain(&mut self) {
        self.numbered_by_domain =
            self.domains.last().is_some_and(|highest| index(highest.0) < MAX_VNODES);
    }

    /// Whether ranges ascend on pages without overlap.
    pub(crate) fn check_memory(&self) -> Result<(), Error> {
        for (index, memory) in self.memory.iter().enumerate() {
            let range = memory.range;
            if !crate::units::is_page_aligned(range) {
                return Err(Error::RangeMisaligned { index, range });
            }
        }
        for (index, pair) in (1_usize..).zip(self.memory.windows(2)) {
            let [previous, this] = pair else { continue };
            let (first, second) = (previous.range, this.range);
            if first.overlaps(second) {
                return Err(Error::RangesOverlap {
                    first,
                    first_domain: previous.domain,
                    second,
                    second_domain: this.domain,
                });
            }
            if second.start() < first.start() {
                return Err(Error::RangesNotAscending { index, range: second, previous: first });
            }
        }
        Ok(())
    }

    /// Whether each node's ranges follow one another: Xen drops an SRAT whose nodes
    /// interleave. Linux takes one, so a guest's may.
    pub(crate) fn check_interleaving(&self) -> Result<(), Error> {
        for (index, pair) in (1_usize..).zip(self.memory.windows(2)) {
            // As long as nothing interleaves, the node changes once for each node.
            if let [between, second] = pair
                && between.domain != second.domain
                && let Some((before, _)) = self.memory.split_at_checked(index)
                && let Some(first) = before.iter().rfind(|range| range.domain == second.domain)
            {
                return Err(Error::RangesInterleave {
                    first: first.range,
                    between: between.range,
                    between_domain: between.domain,
                    second: second.range,
                    domain: second.domain,
                });
            }
        }
        Ok(())
    }

    /// The proximity domains, ascending, without gaps.
    #[must_use]
    pub fn domains(&self) -> &[ProximityDomain] {
        &self.domains
    }

    /// Distances, row by row over [`Layout::domains`].
    #[must_use]
    pub fn matrix(&self) -> &[Distance] {
        &self.distances
    }

    /// Memory ranges, ascending. A dom0 has one for each memory block of the host.
    #[must_use]
    pub fn memory(&self) -> &[MemoryRange] {
        &self.memory
    }

    /// The number of vnodes, gaps included.
    #[must_use]
    pub fn vnodes(&self) -> u32 {
        match self.domains.last() {
            Some(highest) if self.numbered_by_domain => highest.0.saturating_add(1),
            _ => count(self.domains.len()),
        }
    }

    /// The vnode of a proximity domain.
    #[must_use]
    pub fn vnode(&self, domain: ProximityDomain) -> Option<VnodeId> {
        let rank = self.domains.binary_search(&domain).ok()?;
        Some(VnodeId(if self.numbered_by_domain { domain.0 } else { count(rank) }))
    }

    /// A vnode's proximity domain; `None` for a gap.
    #[must_use]
    pub fn domain(&self, vnode: VnodeId) -> Option<ProximityDomain> {
        if self.numbered_by_domain {
            let domain = ProximityDomain(vnode.0);
            return self.rank(domain).map(|_| domain);
        }
        self.domains.get(index(vnode.0)).copied()
    }

    /// The host node of a proximity domain; `None` where it may be any.
    #[must_use]
    pub fn pnode(&self, domain: ProximityDomain) -> Option<NodeId> {
        self.pnodes.get(self.rank(domain)?).copied().flatten()
    }

    /// The distance from one vnode to another; 10 and 20 for gaps, as in a SLIT.
    #[must_use]
    pub fn distance(&self, from: VnodeId, to: VnodeId) -> Distance {
        match (self.domain(from), self.domain(to)) {
            (Some(from), Some(to)) => self.between(from, to),
            _ if from == to => Distance::LOCAL,
            _ => Distance::REMOTE,
        }
    }

    pub(crate) fn rank(&self, domain: ProximityDomain) -> Option<usize> {
        self.domains.binary_search(&domain).ok()
    }

    fn between(&self, from: ProximityDomain, to: ProximityDomain) -> Distance {
        let at = self
            .rank(from)
            .zip(self.rank(to))
            .map(|(row, column)| row.saturating_mul(self.domains.len()).saturating_add(column));
        at.and_then(|at| self.distances.get(at)).copied().unwrap_or(Distance::REMOTE)
    }

    /// The stretch of frames from `start` on with one answer: the domain of the range that
    /// they are in, if any, and how many they are. O(log ranges).
    pub(crate) fn stretch(&self, start: Pfn) -> Stretch {
        let end = |range: &MemoryRange| Pfn::containing(range.range.end());
        let past = self.memory.partition_point(|range| end(range) <= start);
        let Some(range) = self.memory.get(past) else {
            return Stretch { domain: None, pages: u64::MAX };
        };
        let first = Pfn::containing(range.range.start());
        if first <= start {
            Stretch { domain: Some(range.domain), pages: end(range).pages_from(start) }
        } else {
            Stretch { domain: None, pages: first.pages_from(start) }
        }
    }
}

/// Frames that have one answer to "which node?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The proximity domain; `None` outside every range.
    pub(crate) domain: Option<ProximityDomain>,
    /// Pages up to the end of the range, or to the start of the next one.
    pub(crate) pages: u64,
}

/// Moves everything one slot up and puts `value` into the first.
fn shift_in<T: Copy>(slots: &mut [T], value: T) {
    let mut carried = value;
    for slot in slots {
        core::mem::swap(slot, &mut carried);
    }
}
