//! What the tests share: hosts in owned memory, and consumers' rules as oracles.

pub(crate) mod heap;
pub(crate) mod linux;

use std::prelude::rust_2024::*;
use std::vec;

use acpi_gen::{ApicId, Gpa, GpaRange, MemoryRange, ProximityDomain};

use crate::e820::{E820Entry, E820Type};
use crate::*;

pub(crate) const GIB: u64 = 1 << 30;

pub(crate) const TWO: Scheme = Scheme::Package(Numbering::Domain, Stride::Two);
pub(crate) const ONE: Scheme = Scheme::Package(Numbering::Domain, Stride::One);
pub(crate) const NO_LIMIT: u32 = 0xFFFF_FFFE;

/// The highest id of so many vCPUs on each vnode.
pub(crate) fn highest(counts: &[u32], scheme: Scheme) -> u32 {
    let (ids, _) = assign(&contiguous(counts), counts.len() as u32, scheme, NO_LIMIT).unwrap();
    ids.iter().max().unwrap().0
}

pub(crate) fn range(start: u64, end: u64) -> GpaRange {
    GpaRange::new(Gpa(start), Gpa(end)).unwrap()
}

pub(crate) fn block(start: u64, end: u64, node: u32) -> MemoryBlock {
    MemoryBlock { range: range(start, end), node: NodeId(node), hotplug: false }
}

pub(crate) fn entry(start: u64, end: u64, kind: E820Type) -> E820Entry {
    E820Entry { range: range(start, end), kind }
}

pub(crate) fn ram(start: u64, end: u64) -> E820Entry {
    entry(start, end, E820Type::RAM)
}

/// pCPUs 0, 1, … on these nodes.
pub(crate) fn cpus(nodes: &[u32]) -> Vec<HostCpu> {
    (0..).map(PcpuId).zip(nodes).map(|(pcpu, &node)| HostCpu { pcpu, node: NodeId(node) }).collect()
}

pub(crate) fn domains(pxms: &[u32]) -> Vec<Option<ProximityDomain>> {
    pxms.iter().map(|&pxm| Some(ProximityDomain(pxm))).collect()
}

/// Vnodes 0, 1, … of as many domains of the same number.
pub(crate) fn identity(vnodes: u32) -> Vec<Option<ProximityDomain>> {
    (0..vnodes).map(|vnode| Some(ProximityDomain(vnode))).collect()
}

/// A host in owned memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Host {
    pub(crate) blocks: Vec<MemoryBlock>,
    pub(crate) cpus: Vec<HostCpu>,
    pub(crate) node_to_pxm: Vec<Option<ProximityDomain>>,
    pub(crate) distances: Vec<u8>,
    pub(crate) map: Vec<E820Entry>,
}

impl Host {
    pub(crate) fn facts(&self) -> HostFacts<'_> {
        HostFacts {
            blocks: &self.blocks,
            cpus: &self.cpus,
            node_to_pxm: &self.node_to_pxm,
            distances: &self.distances,
            map: &self.map,
        }
    }

    /// A request that leaves the gate to the host.
    pub(crate) fn request(&self, vcpus: u32) -> Dom0Request {
        let pcpus = self.cpus.len() as u32;
        Dom0Request { pvh: true, pinned: true, vcpus, pcpus, partial: true }
    }

    pub(crate) fn arena(&self, vcpus: u32) -> OwnedArena {
        let (map, blocks) = (self.map.len(), self.blocks.len());
        OwnedArena::new(ArenaSize::for_dom0(vcpus as usize, map, blocks))
    }

    /// The plan of a dom0 of so many vCPUs.
    pub(crate) fn plan<'a>(&'a self, vcpus: u32, arena: &'a mut OwnedArena) -> Dom0Plan<'a> {
        let mut plan = Dom0Plan::new();
        plan.build(self.facts(), self.request(vcpus), arena.slices()).unwrap();
        plan
    }

    /// The layout for a dom0 of so many vCPUs, or why there is none.
    pub(crate) fn layout(&self, vcpus: u32) -> Result<Seen, Error> {
        let mut arena = self.arena(vcpus);
        let plan = self.plan(vcpus, &mut arena);
        match plan.refusal() {
            // The layout is there; the ids are another test's.
            None | Some(Error::NoEncodingFits { .. }) => Ok(Seen::of(plan.layout, &self.cpus)),
            Some(error) => {
                // The gate has words for it, or the reason is given as it is.
                let reasons: Vec<_> = plan.unmet().collect();
                assert!(plan.gate().unmet().next().is_some() || reasons == [error], "{reasons:?}");
                Err(error)
            }
        }
    }
}

/// A memory range by vnode, as Xen has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vmemrange {
    pub(crate) range: GpaRange,
    pub(crate) vnode: VnodeId,
    pub(crate) hotplug: bool,
}

/// A layout with all that it says by vnode.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) layout: Layout,
    pub(crate) nodes: Vec<NodeId>,
}

impl Seen {
    fn of(layout: Layout, cpus: &[HostCpu]) -> Self {
        Self { layout, nodes: cpus.iter().map(|cpu| cpu.node).collect() }
    }

    fn vnodes(&self) -> impl Iterator<Item = VnodeId> {
        (0..self.layout.vnodes()).map(VnodeId)
    }

    pub(crate) fn domains(&self) -> Vec<Option<ProximityDomain>> {
        self.vnodes().map(|vnode| self.layout.domain(vnode)).collect()
    }

    pub(crate) fn pnodes(&self) -> Vec<Option<NodeId>> {
        let domains = self.domains().into_iter();
        domains.map(|domain| domain.and_then(|domain| self.layout.pnode(domain))).collect()
    }

    pub(crate) fn vcpu_to_vnode(&self, vcpus: usize) -> Vec<VnodeId> {
        let pnodes = self.pnodes();
        let vnode = |node| pnodes.iter().position(|pnode| *pnode == Some(node)).unwrap();
        self.nodes.iter().take(vcpus).map(|node| VnodeId(vnode(*node) as u32)).collect()
    }

    pub(crate) fn ranges(&self) -> Vec<Vmemrange> {
        let range = |memory: &MemoryRange| Vmemrange {
            range: memory.range,
            vnode: self.layout.vnode(memory.domain).unwrap(),
            hotplug: memory.hot_pluggable,
        };
        self.layout.memory().iter().map(range).collect()
    }

    pub(crate) fn distances(&self) -> Vec<u8> {
        let pairs = self.vnodes().flat_map(|from| self.vnodes().map(move |to| (from, to)));
        pairs.map(|(from, to)| self.layout.distance(from, to).get()).collect()
    }
}

/// Three nodes with PXMs 5, 0, 2 in address order, two CPUs each.
pub(crate) fn host_5_0_2() -> Host {
    Host {
        blocks: vec![block(0, 2 * GIB, 0), block(4 * GIB, 6 * GIB, 1), block(6 * GIB, 7 * GIB, 2)],
        cpus: cpus(&[0, 0, 1, 1, 2, 2]),
        node_to_pxm: domains(&[5, 0, 2]),
        distances: vec![10, 17, 28, 17, 10, 33, 28, 33, 10],
        map: vec![],
    }
}

/// The ids of vCPUs on these vnodes, of `vnodes` with proximity domains of the same number.
pub(crate) fn assign(
    vcpu_to_vnode: &[VnodeId],
    vnodes: u32,
    scheme: Scheme,
    limit: u32,
) -> Result<(Vec<ApicId>, Option<PackageShape>), Error> {
    let domains = identity(vnodes);
    let placement = Placement { vcpu_to_vnode, domains: &domains };
    let mut ids = vec![ApicId(0xDEAD); vcpu_to_vnode.len()];
    let mut scratch = vec![0; domains.len()];
    let shape = ApicIds::assign(placement, scheme, ApicId(limit), &mut scratch, &mut ids)?.shape();
    Ok((ids, shape))
}

/// `counts[n]` vCPUs on vnode n, one node after another.
pub(crate) fn contiguous(counts: &[u32]) -> Vec<VnodeId> {
    let nodes = (0..).map(VnodeId).zip(counts);
    nodes.flat_map(|(vnode, &count)| (0..count).map(move |_| vnode)).collect()
}

/// A generator for tests that need the same numbers in every run (xorshift64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Calls `visit` with every non-descending list of up to `nodes` counts, each at
/// least 1, with a sum of up to `vcpus`.
pub(crate) fn for_each_multiset(vcpus: u32, nodes: usize, visit: &mut impl FnMut(&[u32])) {
    fn deeper(counts: &mut Vec<u32>, left: u32, nodes: usize, visit: &mut impl FnMut(&[u32])) {
        if !counts.is_empty() {
            visit(counts);
        }
        if counts.len() == nodes {
            return;
        }
        for count in counts.last().copied().unwrap_or(1)..=left {
            counts.push(count);
            deeper(counts, left - count, nodes, visit);
            counts.pop();
        }
    }
    deeper(&mut vec![], vcpus, nodes, visit);
}
