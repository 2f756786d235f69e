//! What the tests share: owned memory to lend, and consumers' rules as oracles.

pub(crate) mod heap;
pub(crate) mod linux;

use acpi_gen::{ApicId, Distance, Gpa, GpaRange, ProximityDomain};
use hv_glue::e820::{E820Entry, E820Type};
use hv_glue::*;

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
}

impl Host {
    pub(crate) fn facts(&self) -> HostFacts<'_, [MemoryBlock]> {
        HostFacts {
            blocks: &self.blocks,
            cpus: &self.cpus,
            node_to_pxm: &self.node_to_pxm,
            distances: &self.distances,
        }
    }

    /// The layout for a dom0 of so many vCPUs under Xen's limits.
    pub(crate) fn layout<'a>(&self, vcpus: u32, lent: &'a mut Lent) -> Result<Layout<'a>, Error> {
        let size = self.facts().layout_size(vcpus, Limits::XEN)?;
        *lent = Lent::new(size);
        Layout::for_dom0(self.facts(), vcpus, Limits::XEN, lent.memory())
    }
}

/// Three nodes with PXMs 5, 0, 2 in address order, two CPUs each.
pub(crate) fn host_5_0_2() -> Host {
    Host {
        blocks: vec![block(0, 2 * GIB, 0), block(4 * GIB, 6 * GIB, 1), block(6 * GIB, 7 * GIB, 2)],
        cpus: cpus(&[0, 0, 1, 1, 2, 2]),
        node_to_pxm: domains(&[5, 0, 2]),
        distances: vec![10, 17, 28, 17, 10, 33, 28, 33, 10],
    }
}

/// Owned memory for a layout.
#[derive(Debug)]
pub(crate) struct Lent {
    domains: Vec<Option<ProximityDomain>>,
    pnodes: Vec<Option<NodeId>>,
    vcpu_to_vnode: Vec<VnodeId>,
    ranges: Vec<Vmemrange>,
    distances: Vec<Distance>,
}

impl Lent {
    pub(crate) fn empty() -> Self {
        Self::new(LayoutSize { vnodes: 0, vcpus: 0, ranges: 0, distances: 0 })
    }

    /// Exactly so much, filled with what no layout has.
    pub(crate) fn new(size: LayoutSize) -> Self {
        let odd = Vmemrange { range: range(1, 2), vnode: VnodeId(u32::MAX), hotplug: true };
        Self {
            domains: vec![Some(ProximityDomain(77)); size.vnodes],
            pnodes: vec![Some(NodeId(77)); size.vnodes],
            vcpu_to_vnode: vec![VnodeId(77); size.vcpus],
            ranges: vec![odd; size.ranges],
            distances: vec![Distance::UNREACHABLE; size.distances],
        }
    }

    pub(crate) fn memory(&mut self) -> LayoutMemory<'_> {
        LayoutMemory {
            domains: &mut self.domains,
            pnodes: &mut self.pnodes,
            vcpu_to_vnode: &mut self.vcpu_to_vnode,
            ranges: &mut self.ranges,
            distances: &mut self.distances,
        }
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
