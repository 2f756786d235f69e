//! Wall time of APIC ids and of a dom0's plan, printed and never asserted.
//!
//! `plan once CASE SIZE` runs one case one time. CI counts its instructions with
//! callgrind (.ci/judge/instructions.py).
#![expect(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark of fixed sizes: one that cannot go on fails"
)]

use std::hint::black_box;
use std::time::Duration;

use acpi_gen::{ApicId, Gpa, GpaRange, ProximityDomain};
use criterion::{BenchmarkId, Criterion, Throughput};
use hv_glue::e820::{E820Entry, E820Type, ram_pages};
use hv_glue::populate::{NodeHeap, WholeHeap};
use hv_glue::*;

const GIB: u64 = 1 << 30;
const NODES: u32 = 32;
/// 128 of these are 24 TiB.
const BLOCK: u64 = 192 * GIB;

/// vCPUs in turn over the nodes: each lookup is on another node than the last.
struct Guest {
    vcpu_to_vnode: Vec<VnodeId>,
    domains: Vec<Option<ProximityDomain>>,
    scratch: Vec<u32>,
    out: Vec<ApicId>,
}

impl Guest {
    fn new(vcpus: u32) -> Self {
        let vcpu_to_vnode: Vec<_> = (0..vcpus).map(|n| VnodeId(n % NODES)).collect();
        let domains: Vec<_> = (0..NODES).map(|pxm| Some(ProximityDomain(pxm))).collect();
        let (scratch, out) = (vec![0; domains.len()], vec![ApicId(0); vcpu_to_vnode.len()]);
        Self { vcpu_to_vnode, domains, scratch, out }
    }
}

/// APIC ids for all vCPUs; returns the highest.
#[inline(never)]
fn counted_ids(guest: &mut Guest) -> Result<usize, Error> {
    let Guest { vcpu_to_vnode, domains, scratch, out } = guest;
    let placement = Placement { vcpu_to_vnode, domains };
    let scheme = Scheme::Package(Numbering::Domain, Stride::One);
    let ids = ApicIds::assign(placement, scheme, ApicId(u32::MAX), scratch, out)?;
    Ok(usize::try_from(ids.highest().0).unwrap_or(usize::MAX))
}

fn ids(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ids");
    for vcpus in [4096, 8192, 16_384] {
        let mut guest = Guest::new(vcpus);
        group.throughput(Throughput::Elements(u64::from(vcpus)));
        group.bench_function(BenchmarkId::from_parameter(vcpus), |bencher| {
            bencher.iter(|| counted_ids(black_box(&mut guest)));
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

    fn facts(&self) -> HostFacts<'_> {
        HostFacts {
            blocks: &self.blocks,
            cpus: &self.cpus,
            node_to_pxm: &self.node_to_pxm,
            distances: &[],
            map: &self.map,
        }
    }

    /// Plan, trim to a half, and every allocation; returns their number.
    #[inline(never)]
    fn counted_plan(&self, room: &mut Room) -> Result<usize, Error> {
        let Room { arena, heap } = room;
        let (vcpus, pcpus) = (128, 128);
        let request = Dom0Request { pvh: true, pinned: true, vcpus, pcpus, partial: false };
        let mut plan = Dom0Plan::new();
        plan.build(self.facts(), request, arena.slices())?;
        let nr_pages = ram_pages(&self.map) / 2;
        plan.trim(MemoryRequest { nr_pages, modules: 0, keep: None })?;
        let mut heap = WholeHeap::of_blocks(&self.blocks, heap);
        let mut allocations = 0;
        for entry in plan.memory_map().filter(|entry| entry.kind == E820Type::RAM) {
            let frames = Frames::inside(entry.range);
            for allocation in plan.populate(frames.start, frames.pages()).on(&mut heap) {
                black_box(allocation?);
                allocations += 1;
            }
        }
        Ok(allocations)
    }
}

/// Caller-provided memory, so that the measured part allocates none.
struct Room {
    arena: OwnedArena,
    heap: Vec<NodeHeap>,
}

impl Room {
    fn new(host: &Host) -> Self {
        let arena = OwnedArena::new(ArenaSize::for_dom0(128, 1, host.blocks.len()));
        Self { arena, heap: vec![NodeHeap::EMPTY; host.node_to_pxm.len()] }
    }
}

fn plan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan of 192 GiB blocks");
    for blocks in [32_u64, 64, 128] {
        let Ok(host) = Host::new(blocks, BLOCK) else { return };
        let mut room = Room::new(&host);
        assert!(host.counted_plan(&mut room).is_ok_and(|allocations| allocations > 0), "a plan");
        group.throughput(Throughput::Elements(blocks));
        group.bench_function(BenchmarkId::from_parameter(blocks), |bencher| {
            bencher.iter(|| black_box(host.counted_plan(&mut room)));
        });
    }
}

/// Runs one case and prints its result, which CI compares as well.
///
/// # Panics
/// For an unknown case.
fn once(case: &str, size: u32) {
    let result = match case {
        "ids" => counted_ids(&mut Guest::new(size)),
        "plan" => {
            let host = Host::new(size.into(), BLOCK).unwrap();
            host.counted_plan(&mut Room::new(&host))
        }
        _ => panic!("unknown case: {case}"),
    };
    println!("{}", result.unwrap());
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [mode, case, size] = &arguments[..]
        && mode == "once"
    {
        return once(case, size.parse().unwrap());
    }
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    ids(&mut criterion);
    plan(&mut criterion);
    criterion.final_summary();
}
