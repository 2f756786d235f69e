//! dom0's layout, from what the host's hypervisor knows.

use acpi_gen::{Distance, ProximityDomain};

use crate::memblk::{self, MemoryBlocks};
use crate::units::{count, index};
use crate::{Error, Layout, LayoutMemory, LayoutSize, Limits, NodeId, PcpuId, Vmemrange, VnodeId};

/// A valid pCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostCpu {
    /// Its number.
    pub pcpu: PcpuId,
    /// The node that it is on (`cpu_to_node()`).
    pub node: NodeId,
}

/// The host as its hypervisor sees it.
#[derive(Debug)]
pub struct HostFacts<'a, B: MemoryBlocks + ?Sized> {
    /// Memory blocks.
    pub blocks: &'a B,
    /// The valid pCPUs of dom0's pool in ascending order: vCPU n sits on the n-th.
    pub cpus: &'a [HostCpu],
    /// Each node's proximity domain, by node number; `None` for no such node.
    pub node_to_pxm: &'a [Option<ProximityDomain>],
    /// `__node_distance()` by node, row by row over `node_to_pxm`; 255 becomes
    /// 254. Empty: 10 on the diagonal and 20 elsewhere.
    pub distances: &'a [u8],
}

impl<B: MemoryBlocks + ?Sized> Clone for HostFacts<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B: MemoryBlocks + ?Sized> Copy for HostFacts<'_, B> {}

impl<B: MemoryBlocks + ?Sized> HostFacts<'_, B> {
    /// A node's proximity domain.
    ///
    /// # Errors
    /// [`Error::NodeWithoutDomain`].
    pub fn domain(&self, node: NodeId) -> Result<ProximityDomain, Error> {
        let domain = self.node_to_pxm.get(index(node.0)).copied().flatten();
        domain.ok_or(Error::NodeWithoutDomain { node })
    }

    /// The nodes of all blocks and of the first `vcpus` pCPUs, repeated.
    fn nodes(&self, vcpus: u32) -> impl Iterator<Item = NodeId> + '_ {
        let of_cpus = self.cpus.iter().take(index(vcpus)).map(|cpu| cpu.node);
        memblk::iter(self.blocks).map(|block| block.node).chain(of_cpus)
    }

    /// The highest proximity domain that a layout of so many vCPUs has.
    fn highest_domain(&self, vcpus: u32) -> Result<ProximityDomain, Error> {
        self.nodes(vcpus)
            .try_fold(ProximityDomain(0), |highest, node| Ok(highest.max(self.domain(node)?)))
    }

    /// How long the slices of [`LayoutMemory`] must be for [`Layout::for_dom0`].
    ///
    /// # Errors
    /// [`Error::NodeWithoutDomain`].
    pub fn layout_size(&self, vcpus: u32, limits: Limits) -> Result<LayoutSize, Error> {
        let highest = self.highest_domain(vcpus)?;
        let vnodes = if highest.0 < limits.vnodes {
            index(highest.0.saturating_add(1))
        } else {
            index(limits.vnodes).min(self.node_to_pxm.len())
        };
        Ok(LayoutSize {
            vnodes,
            vcpus: index(vcpus),
            ranges: self.blocks.count(),
            distances: vnodes.saturating_mul(vnodes),
        })
    }

    fn distance(&self, from: NodeId, to: NodeId) -> Distance {
        let at = index(from.0).saturating_mul(self.node_to_pxm.len()).saturating_add(index(to.0));
        match self.distances.get(at) {
            Some(&value) => Distance::clamped(u32::from(value)),
            None if from == to => Distance::LOCAL,
            None => Distance::REMOTE,
        }
    }
}

impl<'a> Layout<'a> {
    /// dom0's layout: one vmemrange for each memory block, nodes without CPUs
    /// included; vnodes numbered by proximity domain with gaps as empty slots
    /// where the highest is below `limits.vnodes`, else densely in ascending order
    /// of proximity domain; vCPU n on the node of the n-th valid pCPU; distances
    /// sliced from the host's.
    ///
    /// # Errors
    /// [`Error::NoVcpus`], [`Error::TooManyVcpus`], [`Error::NoBlocks`],
    /// [`Error::TooManyRanges`], [`Error::TooManyVnodes`], [`Error::OutputTooSmall`],
    /// [`Error::NodeWithoutDomain`], [`Error::TwoNodesOneDomain`],
    /// [`Error::RangesInterleave`], and those of
    /// [`Layout::new`].
    pub fn for_dom0<B: MemoryBlocks + ?Sized>(
        host: HostFacts<'_, B>,
        vcpus: u32,
        limits: Limits,
        memory: LayoutMemory<'a>,
    ) -> Result<Self, Error> {
        let size = check_counts(&host, vcpus, limits)?;
        let LayoutMemory { domains, pnodes, vcpu_to_vnode, ranges, distances } = memory;
        let domains = lend(domains, size.vnodes)?;
        let pnodes = lend(pnodes, size.vnodes)?;
        let vcpu_to_vnode = lend(vcpu_to_vnode, size.vcpus)?;
        let ranges = lend(ranges, size.ranges)?;

        let by_domain = host.highest_domain(vcpus)?.0 < limits.vnodes;
        let vnodes = if by_domain {
            number_by_domain(&host, vcpus, domains, pnodes)?;
            size.vnodes
        } else {
            number_densely(&host, vcpus, domains, pnodes, limits)?
        };
        let (domains, _) = domains.split_at_checked(vnodes).unwrap_or_default();
        let (pnodes, _) = pnodes.split_at_checked(vnodes).unwrap_or_default();
        let domains: &'a [_] = domains;
        let vnode_of = |node| -> Result<VnodeId, Error> {
            let domain = host.domain(node)?;
            if by_domain {
                return Ok(VnodeId(domain.0));
            }
            Ok(VnodeId(count(domains.partition_point(|slot| *slot < Some(domain)))))
        };

        for (slot, cpu) in vcpu_to_vnode.iter_mut().zip(host.cpus) {
            *slot = vnode_of(cpu.node)?;
        }
        for (filled, block) in memblk::iter(host.blocks).enumerate() {
            let range = Vmemrange {
                range: block.range,
                vnode: vnode_of(block.node)?,
                hotplug: block.hotplug,
            };
            insert(ranges, filled, range);
        }
        let distances = lend(distances, vnodes.saturating_mul(vnodes))?;
        for (row, &from) in distances.chunks_exact_mut(vnodes.max(1)).zip(pnodes.iter()) {
            for (slot, &to) in row.iter_mut().zip(pnodes.iter()) {
                // Both the diagonal of a gap and its row are what a SLIT has for
                // domains of which nothing is known.
                *slot = match (from, to) {
                    (Some(from), Some(to)) => host.distance(from, to),
                    _ => Distance::REMOTE,
                };
            }
        }
        for (at, pnode) in pnodes.iter().enumerate() {
            let diagonal = at.saturating_mul(vnodes).saturating_add(at);
            if pnode.is_none()
                && let Some(slot) = distances.get_mut(diagonal)
            {
                *slot = Distance::LOCAL;
            }
        }
        let layout = Self::new(domains, pnodes, vcpu_to_vnode, ranges, distances)?;
        check_interleaving(layout.ranges())?;
        Ok(layout)
    }
}

/// That a node's ranges stand together: Xen drops an SRAT whose nodes interleave.
/// A guest's may, as Linux takes them.
fn check_interleaving(ranges: &[Vmemrange]) -> Result<(), Error> {
    for (index, pair) in (1_usize..).zip(ranges.windows(2)) {
        // As long as nothing interleaves, the vnode changes once for each vnode.
        if let [between, second] = pair
            && between.vnode != second.vnode
            && let Some((before, _)) = ranges.split_at_checked(index)
            && let Some(first) = before.iter().rfind(|range| range.vnode == second.vnode)
        {
            return Err(Error::RangesInterleave {
                first: first.range,
                between: between.range,
                between_vnode: between.vnode,
                second: second.range,
                vnode: second.vnode,
            });
        }
    }
    Ok(())
}

fn check_counts<B: MemoryBlocks + ?Sized>(
    host: &HostFacts<'_, B>,
    vcpus: u32,
    limits: Limits,
) -> Result<LayoutSize, Error> {
    if vcpus == 0 {
        return Err(Error::NoVcpus);
    }
    if index(vcpus) > host.cpus.len() {
        return Err(Error::TooManyVcpus { vcpus, pcpus: count(host.cpus.len()) });
    }
    let blocks = count(host.blocks.count());
    if blocks == 0 {
        return Err(Error::NoBlocks);
    }
    if blocks > limits.ranges {
        return Err(Error::TooManyRanges { ranges: blocks, max: limits.ranges });
    }
    let (nodes, entries) = (host.node_to_pxm.len(), host.distances.len());
    if entries > 0 && nodes.checked_mul(nodes) != Some(entries) {
        return Err(Error::DistancesNotSquare { nodes, entries });
    }
    host.layout_size(vcpus, limits)
}

/// Vnode n is proximity domain n; the rest of the slots are gaps.
fn number_by_domain<B: MemoryBlocks + ?Sized>(
    host: &HostFacts<'_, B>,
    vcpus: u32,
    domains: &mut [Option<ProximityDomain>],
    pnodes: &mut [Option<NodeId>],
) -> Result<(), Error> {
    domains.fill(None);
    pnodes.fill(None);
    for node in host.nodes(vcpus) {
        let domain = host.domain(node)?;
        let at = index(domain.0);
        let (Some(slot), Some(pnode)) = (domains.get_mut(at), pnodes.get_mut(at)) else { continue };
        match *pnode {
            Some(first) if first != node => {
                return Err(Error::TwoNodesOneDomain { first, second: node, domain });
            }
            _ => (*slot, *pnode) = (Some(domain), Some(node)),
        }
    }
    Ok(())
}

/// Vnodes 0, 1, … in ascending order of proximity domain. Returns how many.
fn number_densely<B: MemoryBlocks + ?Sized>(
    host: &HostFacts<'_, B>,
    vcpus: u32,
    domains: &mut [Option<ProximityDomain>],
    pnodes: &mut [Option<NodeId>],
    limits: Limits,
) -> Result<usize, Error> {
    let mut used = 0_usize;
    for node in host.nodes(vcpus) {
        let domain = host.domain(node)?;
        let (taken, _) = domains.split_at_checked(used).unwrap_or_default();
        let at = taken.partition_point(|slot| *slot < Some(domain));
        if taken.get(at) == Some(&Some(domain)) {
            match pnodes.get(at).copied().flatten() {
                Some(first) if first != node => {
                    return Err(Error::TwoNodesOneDomain { first, second: node, domain });
                }
                _ => continue,
            }
        }
        let next = used.saturating_add(1);
        let (Some(domains), Some(pnodes)) = (domains.get_mut(at..next), pnodes.get_mut(at..next))
        else {
            return Err(Error::TooManyVnodes { needed: count(next), max: limits.vnodes });
        };
        shift_in(domains, Some(domain));
        shift_in(pnodes, Some(node));
        used = next;
    }
    Ok(used)
}

/// Moves everything one slot up and puts `value` into the first.
pub(crate) fn shift_in<T: Copy>(slots: &mut [T], value: T) {
    let mut carried = value;
    for slot in slots {
        core::mem::swap(slot, &mut carried);
    }
}

/// Puts `range` in its place among the first `filled` ones: at the end, where
/// the blocks ascend as firmware has them.
fn insert(ranges: &mut [Vmemrange], filled: usize, range: Vmemrange) {
    let start = |range: &Vmemrange| range.range.start();
    let (sorted, _) = ranges.split_at_checked(filled).unwrap_or_default();
    let at = match sorted.last() {
        Some(last) if start(last) > start(&range) => {
            sorted.partition_point(|earlier| start(earlier) <= start(&range))
        }
        _ => filled,
    };
    if let Some(slots) = ranges.get_mut(at..=filled) {
        shift_in(slots, range);
    }
}

/// The first `needed` slots of what the caller lent.
pub(crate) fn lend<T>(slots: &mut [T], needed: usize) -> Result<&mut [T], Error> {
    let have = slots.len();
    slots.get_mut(..needed).ok_or(Error::OutputTooSmall { needed, have })
}
