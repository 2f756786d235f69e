//! Cost of ids and of a dom0's plan; each doubles with its input.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a benchmark of fixed sizes: an overflow would stop it"
)]

use std::hint::black_box;

use acpi_gen::{ApicId, Distance, Gpa, GpaRange, ProximityDomain};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hv_glue::e820::{E820Entry, E820Type, Piece, Trim, ram_pages};
use hv_glue::populate::{NodeHeap, Populate, WholeHeap};
use hv_glue::*;

const GIB: u64 = 1 << 30;
const NODES: u32 = 32;

fn ids(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ids");
    let domains: Vec<_> = (0..NODES).map(|pxm| Some(ProximityDomain(pxm))).collect();
    for vcpus in [4096_u32, 8192, 16_384] {
        // In turn over the nodes: each lookup is on another one than the last.
        let vcpu_to_vnode: Vec<_> = (0..vcpus).map(|n| VnodeId(n % NODES)).collect();
        let mut scratch = vec![0; domains.len()];
        let mut out = vec![ApicId(0); vcpu_to_vnode.len()];
        group.throughput(Throughput::Elements(u64::from(vcpus)));
        group.bench_function(BenchmarkId::from_parameter(vcpus), |bencher| {
            bencher.iter(|| {
                let placement = Placement { vcpu_to_vnode: &vcpu_to_vnode, domains: &domains };
                let limit = ApicId(u32::MAX);
                let ids = ApicIds::assign(placement, Scheme::Auto, limit, &mut scratch, &mut out);
                black_box(ids.map(|ids| ids.highest()))
            });
        });
    }
}

/// A host with as many blocks, and its map: one region over all above 4 GiB.
struct Host {
    blocks: Vec<MemoryBlock>,
    map: Vec<E820Entry>,
    node_to_pxm: Vec<Option<ProximityDomain>>,
    cpus: Vec<HostCpu>,
}

impl Host {
    fn new(blocks: u64, block_size: u64) -> Result<Self, acpi_gen::Error> {
        let range = |start, end| GpaRange::new(Gpa(start), Gpa(end));
        let start = |n: u64| 4 * GIB + n * block_size;
        let node = |n: u64| u32::try_from(n * u64::from(NODES) / blocks).unwrap_or(0);
        let high = E820Entry { range: range(start(0), start(blocks))?, kind: E820Type::RAM };
        let blocks: Result<Vec<_>, _> = (0..blocks)
            .map(|n| {
                let range = range(start(n), start(n + 1))?;
                Ok(MemoryBlock { range, node: NodeId(node(n)), hotplug: false })
            })
            .collect();
        Ok(Self {
            blocks: blocks?,
            map: vec![high],
            node_to_pxm: (0..NODES).map(|pxm| Some(ProximityDomain(pxm))).collect(),
            cpus: (0..128).map(|n| HostCpu { pcpu: PcpuId(n), node: NodeId(n / 4) }).collect(),
        })
    }

    /// Layout, trim to a half, and every allocation: how many they are.
    fn plan(&self, lent: &mut Lent) -> Result<usize, Error> {
        let facts = HostFacts {
            blocks: self.blocks.as_slice(),
            cpus: &self.cpus,
            node_to_pxm: &self.node_to_pxm,
            distances: &[],
        };
        let memory = LayoutMemory {
            domains: &mut lent.domains,
            pnodes: &mut lent.pnodes,
            vcpu_to_vnode: &mut lent.vcpu_to_vnode,
            ranges: &mut lent.ranges,
            distances: &mut lent.distances,
        };
        let limits = Limits { ranges: u32::MAX, ..Limits::XEN };
        let layout = Layout::for_dom0(facts, 128, limits, memory)?;
        let half = ram_pages(&self.map) / 2;
        let pieces = &mut lent.pieces;
        let trim = Trim::by_node(&self.map, layout.ranges(), &[], half, usize::MAX, pieces)?;
        let map = trim.emit(&mut lent.map)?;
        let mut heap = WholeHeap::of_blocks(self.blocks.as_slice(), &mut lent.heap);
        let mut allocations = 0;
        for entry in map.iter().filter(|entry| entry.kind == E820Type::RAM) {
            let frames = Frames::inside(entry.range);
            for allocation in Populate::new(layout, frames.start, frames.pages()).on(&mut heap) {
                black_box(allocation?);
                allocations += 1;
            }
        }
        Ok(allocations)
    }
}

/// Memory to lend, so that the measured part allocates none.
struct Lent {
    domains: Vec<Option<ProximityDomain>>,
    pnodes: Vec<Option<NodeId>>,
    vcpu_to_vnode: Vec<VnodeId>,
    ranges: Vec<Vmemrange>,
    distances: Vec<Distance>,
    pieces: Vec<Piece>,
    map: Vec<E820Entry>,
    heap: Vec<NodeHeap>,
}

impl Lent {
    fn new(host: &Host) -> Self {
        let blocks = host.blocks.len();
        let nodes = host.node_to_pxm.len();
        let entry = host.map.first().copied();
        Self {
            domains: vec![None; nodes],
            pnodes: vec![None; nodes],
            vcpu_to_vnode: vec![VnodeId(0); 128],
            ranges: vec![LayoutMemory::UNUSED_RANGE; blocks],
            distances: vec![Distance::REMOTE; nodes * nodes],
            pieces: vec![Piece::UNUSED; blocks],
            map: entry.into_iter().cycle().take(2 * blocks).collect(),
            heap: vec![NodeHeap::EMPTY; nodes],
        }
    }
}

fn plan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan of 192 GiB blocks");
    for blocks in [64_u64, 128, 256] {
        let Ok(host) = Host::new(blocks, 192 * GIB) else { return };
        let mut lent = Lent::new(&host);
        assert!(host.plan(&mut lent).is_ok_and(|allocations| allocations > 0), "a plan");
        group.throughput(Throughput::Elements(blocks));
        group.bench_function(BenchmarkId::from_parameter(blocks), |bencher| {
            bencher.iter(|| black_box(host.plan(&mut lent)));
        });
    }
}

criterion_group!(benches, ids, plan);
criterion_main!(benches);
