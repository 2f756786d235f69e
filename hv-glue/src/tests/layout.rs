//! dom0's layout and guests' layouts.

use std::prelude::rust_2024::*;
use std::vec;

use crate::*;
use acpi_gen::{
    ApicId, Description, Distance, Distances, MemoryRange, Processor, ProcessorUid, ProximityDomain,
};

use crate::tests::support::{self, GIB, Host, Vmemrange, block, cpus, domains, host_5_0_2, range};

#[test]
fn host_domains_0_2_5_are_six_vnodes() {
    let layout = host_5_0_2().layout(6).unwrap();
    let present = |vnode: usize| layout.domains()[vnode].map(|domain| domain.0);
    assert_eq!(
        (0..6).map(present).collect::<Vec<_>>(),
        [Some(0), None, Some(2), None, None, Some(5)]
    );
    assert_eq!(layout.domains().len(), 6);
    assert_eq!(layout.layout.domains().len(), 3);
    assert_eq!(
        layout.pnodes(),
        [Some(NodeId(1)), None, Some(NodeId(2)), None, None, Some(NodeId(0))]
    );
    assert_eq!(layout.vcpu_to_vnode(6), [5, 5, 0, 0, 2, 2].map(VnodeId));
    let ranges: Vec<_> = layout.ranges().iter().map(|r| (r.range, r.vnode.0)).collect();
    assert_eq!(
        ranges,
        [(range(0, 2 * GIB), 5), (range(4 * GIB, 6 * GIB), 0), (range(6 * GIB, 7 * GIB), 2)]
    );
    // Gap rows as a SLIT has them: 10 on the diagonal, 20 elsewhere, no zeros.
    #[rustfmt::skip]
    let expected = [
        10, 20, 33, 20, 20, 17,
        20, 10, 20, 20, 20, 20,
        33, 20, 10, 20, 20, 28,
        20, 20, 20, 10, 20, 20,
        20, 20, 20, 20, 10, 20,
        17, 20, 28, 20, 20, 10,
    ];
    assert_eq!(layout.distances(), expected);
    assert_eq!(layout.layout.distance(VnodeId(2), VnodeId(5)).get(), 28);
    assert_eq!(layout.layout.distance(VnodeId(0), VnodeId(6)), Distance::REMOTE);
}

#[test]
fn a_domain_past_31_makes_the_numbering_dense() {
    let host = |pxms: &[u32]| Host { node_to_pxm: domains(pxms), ..host_5_0_2() };
    let numbered = |pxms: &[u32]| {
        let layout = host(pxms).layout(6).unwrap();
        let vcpus = layout.vcpu_to_vnode(6).iter().map(|vnode| vnode.0).collect::<Vec<_>>();
        let domains = layout.domains().iter().map(|d| d.map(|d| d.0)).collect::<Vec<_>>();
        (domains, vcpus)
    };
    let (by_domain, _) = numbered(&[31, 0, 2]);
    assert_eq!(by_domain.len(), 32);
    assert_eq!(numbered(&[32, 0, 2]), (vec![Some(0), Some(2), Some(32)], vec![2, 2, 0, 0, 1, 1]));
    assert_eq!(
        numbered(&[4_000_000_000, 77, 5]),
        (vec![Some(5), Some(77), Some(4_000_000_000)], vec![2, 2, 1, 1, 0, 0])
    );
    // The distances follow.
    let layout = host(&[32, 0, 2]).layout(6).unwrap();
    let distances = layout.distances();
    assert_eq!(distances, [10, 33, 17, 33, 10, 28, 17, 28, 10]);
}

#[test]
fn vcpus_sit_on_the_nth_valid_pcpu() {
    let mut host = host_5_0_2();
    // pCPUs 0 and 3 are offline: vCPU 0 is on pCPU 1, vCPU 2 on pCPU 4.
    host.cpus.retain(|cpu| cpu.pcpu.0 != 0 && cpu.pcpu.0 != 3);
    let layout = host.layout(4).unwrap();
    assert_eq!(layout.vcpu_to_vnode(4), [5, 0, 2, 2].map(VnodeId));
}

#[test]
fn nodes_without_cpus_keep_their_memory() {
    let mut host = host_5_0_2();
    host.cpus.truncate(4);
    host.blocks[2].hotplug = true;
    let layout = host.layout(4).unwrap();
    assert_eq!(
        layout.ranges()[2],
        Vmemrange { range: range(6 * GIB, 7 * GIB), vnode: VnodeId(2), hotplug: true }
    );
    assert_eq!(layout.layout.domains().len(), 3);
}

#[test]
fn a_node_of_unused_pcpus_alone_is_left_out() {
    let mut host = host_5_0_2();
    host.node_to_pxm.push(Some(ProximityDomain(9)));
    host.distances.clear();
    host.cpus.push(HostCpu { pcpu: PcpuId(6), node: NodeId(3) });
    assert_eq!(host.layout(7).unwrap().layout.domains().len(), 4);
    assert_eq!(host.layout(6).unwrap().layout.domains().len(), 3);
}

#[test]
fn blocks_in_any_order_come_out_ascending() {
    let mut host = host_5_0_2();
    host.blocks.reverse();
    let reversed = host.layout(6).unwrap();
    let layout = host_5_0_2().layout(6).unwrap();
    assert_eq!(reversed.ranges(), layout.ranges());
}

#[test]
fn blocks_of_one_node_that_overlap_or_repeat_are_one() {
    let mut host = host_5_0_2();
    host.map = vec![support::ram(0, 2 * GIB), support::ram(4 * GIB, 7 * GIB)];
    host.blocks.push(block(0, GIB, 0));
    host.blocks.push(block(4 * GIB, 6 * GIB, 1));
    host.blocks.push(block(6 * GIB + GIB / 2, 8 * GIB, 2));
    host.blocks.push(block(7 * GIB, 9 * GIB, 2));
    let layout = host.layout(6).unwrap();
    let ranges: Vec<_> = layout.ranges().iter().map(|r| (r.range, r.vnode.0)).collect();
    assert_eq!(
        ranges,
        [(range(0, 2 * GIB), 5), (range(4 * GIB, 6 * GIB), 0), (range(6 * GIB, 9 * GIB), 2)]
    );
    // Neighbours stay two, as in the SRAT.
    host.blocks.push(block(9 * GIB, 10 * GIB, 2));
    assert_eq!(host.layout(6).unwrap().ranges().len(), 4);
    // Xen refuses an SRAT in which one of them is hot-pluggable and the other is not.
    host.blocks[3].hotplug = true;
    let error = host.layout(6).unwrap_err();
    assert!(matches!(error, Error::RangesOverlap { .. }), "{error}");
}

#[test]
fn distances_are_clamped_and_default() {
    let mut host = host_5_0_2();
    host.distances[1] = 255;
    let layout = host.layout(6).unwrap();
    assert_eq!(layout.layout.distance(VnodeId(5), VnodeId(0)), Distance::MAX);
    host.distances.clear();
    let layout = host.layout(6).unwrap();
    assert_eq!(layout.layout.distance(VnodeId(5), VnodeId(0)), Distance::REMOTE);
    assert_eq!(layout.layout.distance(VnodeId(5), VnodeId(5)), Distance::LOCAL);
}

#[test]
fn hosts_that_contradict_themselves_are_refused() {
    let refused = |change: &dyn Fn(&mut Host), vcpus| {
        let mut host = host_5_0_2();
        change(&mut host);
        host.layout(vcpus).unwrap_err()
    };
    assert_eq!(refused(&|_| (), 0), Error::NoVcpus);
    assert_eq!(refused(&|_| (), 7), Error::TooManyVcpus { vcpus: 7, pcpus: 6 });
    assert_eq!(refused(&|host| host.blocks.clear(), 6), Error::NoBlocks);
    assert_eq!(
        refused(&|host| host.node_to_pxm[1] = None, 6),
        Error::NodeWithoutDomain { node: NodeId(1) }
    );
    assert_eq!(
        refused(&|host| host.cpus[5].node = NodeId(9), 6),
        Error::NodeWithoutDomain { node: NodeId(9) }
    );
    for twice in [5, 500] {
        assert_eq!(
            refused(&|host| host.node_to_pxm = domains(&[twice, twice, 2]), 6),
            Error::TwoNodesOneDomain {
                first: NodeId(0),
                second: NodeId(1),
                domain: ProximityDomain(twice),
            }
        );
    }
    assert_eq!(
        refused(&|host| host.distances.truncate(8), 6),
        Error::DistancesNotSquare { nodes: 3, entries: 8 }
    );
    assert_eq!(
        refused(&|host| host.distances[1] = 10, 6),
        Error::DistanceInvalid { from: VnodeId(5), to: VnodeId(0), value: 10 }
    );
    assert_eq!(
        refused(&|host| host.distances[4] = 11, 6),
        Error::DistanceInvalid { from: VnodeId(0), to: VnodeId(0), value: 11 }
    );
    assert_eq!(
        refused(&|host| host.blocks[1] = block(2 * GIB - 4096, 3 * GIB, 1), 6),
        Error::RangesOverlap {
            first: range(0, 2 * GIB),
            first_domain: ProximityDomain(5),
            second: range(2 * GIB - 4096, 3 * GIB),
            second_domain: ProximityDomain(0),
        }
    );
    assert_eq!(
        refused(&|host| host.blocks[2].node = NodeId(0), 6),
        Error::RangesInterleave {
            first: range(0, 2 * GIB),
            between: range(4 * GIB, 6 * GIB),
            between_domain: ProximityDomain(0),
            second: range(6 * GIB, 7 * GIB),
            domain: ProximityDomain(5),
        }
    );
    assert_eq!(
        refused(&|host| host.blocks[1] = block(4 * GIB + 1, 6 * GIB, 1), 6),
        Error::RangeMisaligned { index: 1, range: range(4 * GIB + 1, 6 * GIB) }
    );
}

#[test]
fn xens_limits_are_refused_by_number() {
    let mut host = Host { cpus: cpus(&[0]), node_to_pxm: support::identity(1), ..Host::default() };
    host.blocks = (0..171).map(|n| block(n * GIB, n * GIB + GIB, 0)).collect();
    assert_eq!(host.layout(1).unwrap_err(), Error::TooManyRanges { ranges: 171, max: 170 });
    host.blocks.pop();
    assert!(host.layout(1).is_ok());
    // 33 nodes do not fit 32 slots, however they are numbered.
    host.blocks = (0..33).map(|n| block(n * GIB, n * GIB + GIB, n as u32)).collect();
    host.node_to_pxm = support::identity(33);
    assert_eq!(host.layout(1).unwrap_err(), Error::TooManyVnodes { needed: 33, max: 32 });
}

#[test]
fn too_few_processors_are_refused_with_their_number() {
    let host = host_5_0_2();
    for have in 0..6 {
        let mut arena = host.arena(have);
        let mut plan = Dom0Plan::new();
        let built = plan.build(host.facts(), host.request(6), arena.slices());
        assert_eq!(built, Err(Error::ScratchTooSmall { needed: 6, have: have as usize }));
    }
}

// ---- guests ----

fn memory(start: u64, end: u64, domain: u32) -> MemoryRange {
    let domain = ProximityDomain(domain);
    MemoryRange { range: range(start, end), domain, hot_pluggable: false, non_volatile: false }
}

fn vcpus(domains: &[u32]) -> Vec<Processor> {
    let vcpu = |(uid, domain): (u32, &u32)| Processor {
        uid: ProcessorUid(uid),
        domain: Some(ProximityDomain(*domain)),
        ..Arena::PROCESSOR
    };
    (0..).zip(domains).map(vcpu).collect()
}

fn request<'a>(processors: &'a [Processor], memory: &'a [MemoryRange]) -> GuestRequest<'a> {
    GuestRequest { processors, memory, distances: Distances::DEFAULT, pnodes: &[] }
}

fn refused(request: GuestRequest<'_>) -> Error {
    let mut arena = OwnedArena::new(ArenaSize::for_guest(request.processors.len()));
    let mut plan = GuestPlan::new();
    plan.build(request, arena.slices()).unwrap_err()
}

#[test]
fn a_guests_nodes_are_vnodes_in_order_of_their_domains() {
    let processors = vcpus(&[7, 7, 3, 9]);
    // A guest's nodes may interleave: hot-plug windows do.
    let ranges = [memory(0, GIB, 7), memory(GIB, 2 * GIB, 3), memory(4 * GIB, 5 * GIB, 7)];
    let domains = [3, 7].map(ProximityDomain);
    let matrix = [10, 15, 25, 10].map(Distance::clamped);
    let request = GuestRequest {
        distances: Distances { domains: &domains, matrix: &matrix },
        pnodes: &[1, 0, 2].map(NodeId),
        ..request(&processors, &ranges)
    };
    let mut arena = OwnedArena::new(ArenaSize::for_guest(4));
    let mut plan = GuestPlan::new();
    plan.build(request, arena.slices()).unwrap();
    let layout = plan.layout();
    assert_eq!(layout.vnodes(), 3);
    assert_eq!([0, 1, 2].map(|n| layout.domain(VnodeId(n)).unwrap().0), [3, 7, 9]);
    assert_eq!([3, 7, 9].map(|n| layout.vnode(ProximityDomain(n)).unwrap().0), [0, 1, 2]);
    assert_eq!(layout.pnode(ProximityDomain(7)), Some(NodeId(0)));
    let distance = |from, to| layout.distance(VnodeId(from), VnodeId(to)).get();
    assert_eq!([distance(0, 1), distance(1, 0), distance(1, 2), distance(2, 2)], [15, 25, 20, 10]);

    // Xen's ids without the opt-in, those with it, and those that it returned.
    let ids = |plan: &GuestPlan<'_>| -> Vec<u32> {
        plan.processors().iter().map(|processor| processor.apic_id.0).collect()
    };
    assert_eq!((ids(&plan), plan.shape()), (vec![0, 2, 4, 6], None));
    plan.derive_ids().unwrap();
    // By vnode, not by domain: two ids at stride 2 take a window of 4.
    assert_eq!(ids(&plan), [4, 6, 0, 8]);
    assert_eq!(plan.shape().unwrap().pkg_shift(), 2);
    let three = [1, 2, 3].map(ApicId);
    assert_eq!(plan.set_ids(&three), Err(Error::IdsForVcpus { vcpus: 4, ids: 3 }));
    assert_eq!(ids(&plan), [4, 6, 0, 8]);
    plan.set_ids(&[9, 8, 7, 6].map(ApicId)).unwrap();
    let set = plan.tables(Description::EMPTY).unwrap();
    let of_tables: Vec<_> =
        set.topology().description().processors.iter().map(|it| it.apic_id.0).collect();
    assert_eq!(of_tables, [9, 8, 7, 6]);
}

#[test]
fn guests_that_contradict_themselves_are_refused() {
    let two = vcpus(&[0, 1]);
    let whole = [memory(0, GIB, 0), memory(GIB, 2 * GIB, 1)];
    assert_eq!(refused(request(&[], &whole)), Error::NoVcpus);
    let homeless = [Processor { domain: None, ..two[0] }];
    assert_eq!(refused(request(&homeless, &[])), Error::VcpuWithoutNode { vcpu: VcpuId(0) });
    assert_eq!(
        refused(GuestRequest { pnodes: &[NodeId(0)], ..request(&two, &whole) }),
        Error::PnodesForNodes { nodes: 2, pnodes: 1 }
    );
    let domains = [0, 1].map(ProximityDomain);
    let distances = |matrix| Distances { domains: &domains, matrix };
    let of =
        |matrix| refused(GuestRequest { distances: distances(matrix), ..request(&two, &whole) });
    assert_eq!(of(&[Distance::LOCAL; 3]), Error::DistancesNotSquare { nodes: 2, entries: 3 });
    assert_eq!(
        of(&[Distance::LOCAL; 4]),
        Error::DistanceInvalid { from: VnodeId(0), to: VnodeId(1), value: 10 }
    );
    assert_eq!(
        refused(request(&two, &[memory(0, GIB, 0), memory(GIB - 4096, 2 * GIB, 1)])),
        Error::RangesOverlap {
            first: range(0, GIB),
            first_domain: ProximityDomain(0),
            second: range(GIB - 4096, 2 * GIB),
            second_domain: ProximityDomain(1),
        }
    );
    assert_eq!(
        refused(request(&two, &[whole[1], whole[0]])),
        Error::RangesNotAscending { index: 1, range: range(0, GIB), previous: range(GIB, 2 * GIB) }
    );
    assert_eq!(
        refused(request(&two, &[memory(0, 4097, 0)])),
        Error::RangeMisaligned { index: 0, range: range(0, 4097) }
    );
    let many: Vec<_> = (0..171).map(|n| memory(n * GIB, n * GIB + GIB, 0)).collect();
    assert_eq!(refused(request(&two, &many)), Error::TooManyRanges { ranges: 171, max: 170 });
    let nodes: Vec<u32> = (0..33).collect();
    assert_eq!(refused(request(&vcpus(&nodes), &[])), Error::TooManyVnodes { needed: 33, max: 32 });
    // 97 vCPUs on a node and 1 on each of 31 others: no encoding keeps the ids at most 254.
    let uneven: Vec<u32> = std::iter::repeat_n(0, 97).chain(1..32).collect();
    let processors = vcpus(&uneven);
    let mut arena = OwnedArena::new(ArenaSize::for_guest(processors.len()));
    let mut plan = GuestPlan::new();
    plan.build(request(&processors, &[]), arena.slices()).unwrap();
    let limit = ApicId(254);
    let no = Error::NoEncodingFits { vcpus: 128, max_per_node: 97, highest: 3968, limit };
    assert_eq!(plan.derive_ids(), Err(no));
    assert_eq!(plan.processors()[127].apic_id, ApicId(254), "unchanged");
}

#[test]
fn stretches_end_with_their_range() {
    let layout = host_5_0_2().layout(6).unwrap();
    let stretch = |address: u64| {
        let stretch = layout.layout.stretch(Pfn(address / 4096));
        (stretch.domain.map(|domain| domain.0), stretch.pages)
    };
    assert_eq!(stretch(0), (Some(5), 2 * GIB / 4096));
    assert_eq!(stretch(2 * GIB - 4096), (Some(5), 1));
    assert_eq!(stretch(2 * GIB), (None, 2 * GIB / 4096));
    assert_eq!(stretch(5 * GIB), (Some(0), GIB / 4096));
    assert_eq!(stretch(7 * GIB), (None, u64::MAX));
}
