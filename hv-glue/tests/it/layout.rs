//! dom0's layout and guests' layouts.

use acpi_gen::{Distance, ProximityDomain};
use hv_glue::*;

use crate::support::{self, GIB, Host, Lent, block, cpus, domains, host_5_0_2, range};

#[test]
fn host_domains_0_2_5_are_six_vnodes() {
    let mut lent = Lent::empty();
    let layout = host_5_0_2().layout(6, &mut lent).unwrap();
    let present = |vnode: usize| layout.domains()[vnode].map(|domain| domain.0);
    assert_eq!(
        (0..6).map(present).collect::<Vec<_>>(),
        [Some(0), None, Some(2), None, None, Some(5)]
    );
    assert_eq!(layout.domains().len(), 6);
    assert_eq!(layout.nodes(), 3);
    assert_eq!(
        layout.pnodes(),
        [Some(NodeId(1)), None, Some(NodeId(2)), None, None, Some(NodeId(0))]
    );
    assert_eq!(layout.vcpu_to_vnode(), [5, 5, 0, 0, 2, 2].map(VnodeId));
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
    assert_eq!(layout.distances().iter().map(|d| d.get()).collect::<Vec<_>>(), expected);
    assert_eq!(layout.distance(VnodeId(2), VnodeId(5)).get(), 28);
    assert_eq!(layout.distance(VnodeId(0), VnodeId(6)), Distance::REMOTE);
}

#[test]
fn a_domain_past_31_makes_the_numbering_dense() {
    let host = |pxms: &[u32]| Host { node_to_pxm: domains(pxms), ..host_5_0_2() };
    let numbered = |pxms: &[u32]| {
        let mut lent = Lent::empty();
        let layout = host(pxms).layout(6, &mut lent).unwrap();
        let vcpus = layout.vcpu_to_vnode().iter().map(|vnode| vnode.0).collect::<Vec<_>>();
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
    let mut lent = Lent::empty();
    let layout = host(&[32, 0, 2]).layout(6, &mut lent).unwrap();
    let distances: Vec<_> = layout.distances().iter().map(|d| d.get()).collect();
    assert_eq!(distances, [10, 33, 17, 33, 10, 28, 17, 28, 10]);
}

#[test]
fn vcpus_sit_on_the_nth_valid_pcpu() {
    let mut host = host_5_0_2();
    // pCPUs 0 and 3 are offline: vCPU 0 is on pCPU 1, vCPU 2 on pCPU 4.
    host.cpus.retain(|cpu| cpu.pcpu.0 != 0 && cpu.pcpu.0 != 3);
    let mut lent = Lent::empty();
    let layout = host.layout(4, &mut lent).unwrap();
    assert_eq!(layout.vcpu_to_vnode(), [5, 0, 2, 2].map(VnodeId));
}

#[test]
fn nodes_without_cpus_keep_their_memory() {
    let mut host = host_5_0_2();
    host.cpus.truncate(4);
    host.blocks[2].hotplug = true;
    let mut lent = Lent::empty();
    let layout = host.layout(4, &mut lent).unwrap();
    assert_eq!(
        layout.ranges()[2],
        Vmemrange { range: range(6 * GIB, 7 * GIB), vnode: VnodeId(2), hotplug: true }
    );
    assert_eq!(layout.nodes(), 3);
}

#[test]
fn a_node_of_unused_pcpus_alone_is_left_out() {
    let mut host = host_5_0_2();
    host.node_to_pxm.push(Some(ProximityDomain(9)));
    host.distances.clear();
    host.cpus.push(HostCpu { pcpu: PcpuId(6), node: NodeId(3) });
    let mut lent = Lent::empty();
    assert_eq!(host.layout(7, &mut lent).unwrap().nodes(), 4);
    assert_eq!(host.layout(6, &mut lent).unwrap().nodes(), 3);
}

#[test]
fn blocks_in_any_order_come_out_ascending() {
    let mut host = host_5_0_2();
    host.blocks.reverse();
    let (mut first, mut second) = (Lent::empty(), Lent::empty());
    let reversed = host.layout(6, &mut first).unwrap();
    let layout = host_5_0_2().layout(6, &mut second).unwrap();
    assert_eq!(reversed.ranges(), layout.ranges());
}

#[test]
fn distances_are_clamped_and_default() {
    let mut host = host_5_0_2();
    host.distances[1] = 255;
    let mut lent = Lent::empty();
    let layout = host.layout(6, &mut lent).unwrap();
    assert_eq!(layout.distance(VnodeId(5), VnodeId(0)), Distance::MAX);
    host.distances.clear();
    let layout = host.layout(6, &mut lent).unwrap();
    assert_eq!(layout.distance(VnodeId(5), VnodeId(0)), Distance::REMOTE);
    assert_eq!(layout.distance(VnodeId(5), VnodeId(5)), Distance::LOCAL);
}

#[test]
fn hosts_that_contradict_themselves_are_refused() {
    let refused = |change: &dyn Fn(&mut Host), vcpus| {
        let mut host = host_5_0_2();
        change(&mut host);
        let mut lent = Lent::empty();
        host.layout(vcpus, &mut lent).unwrap_err()
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
            first_vnode: VnodeId(5),
            second: range(2 * GIB - 4096, 3 * GIB),
            second_vnode: VnodeId(0),
        }
    );
    assert_eq!(
        refused(&|host| host.blocks[2].node = NodeId(0), 6),
        Error::RangesInterleave {
            first: range(0, 2 * GIB),
            between: range(4 * GIB, 6 * GIB),
            between_vnode: VnodeId(0),
            second: range(6 * GIB, 7 * GIB),
            vnode: VnodeId(5),
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
    let mut lent = Lent::empty();
    assert_eq!(
        host.layout(1, &mut lent).unwrap_err(),
        Error::TooManyRanges { ranges: 171, max: 170 }
    );
    host.blocks.pop();
    assert!(host.layout(1, &mut lent).is_ok());
    // 33 nodes do not fit 32 slots, however they are numbered.
    host.blocks = (0..33).map(|n| block(n * GIB, n * GIB + GIB, n as u32)).collect();
    host.node_to_pxm = support::identity(33);
    assert_eq!(
        host.layout(1, &mut lent).unwrap_err(),
        Error::TooManyVnodes { needed: 33, max: 32 }
    );
}

#[test]
fn too_little_memory_is_an_error_at_every_length() {
    let host = host_5_0_2();
    let size = host.facts().layout_size(6, Limits::XEN).unwrap();
    assert_eq!(size, LayoutSize { vnodes: 6, vcpus: 6, ranges: 3, distances: 36 });
    let build =
        |size| Layout::for_dom0(host.facts(), 6, Limits::XEN, Lent::new(size).memory()).err();
    assert_eq!(build(size), None);
    let short = |needed: usize| Some(Error::OutputTooSmall { needed, have: needed - 1 });
    assert_eq!(build(LayoutSize { vnodes: 5, ..size }), short(6));
    assert_eq!(build(LayoutSize { vcpus: 5, ..size }), short(6));
    assert_eq!(build(LayoutSize { ranges: 2, ..size }), short(3));
    assert_eq!(build(LayoutSize { distances: 35, ..size }), short(36));
}

// ---- guests ----

fn guest<'a>(
    nodes: &[GuestNode],
    vcpu_to_vnode: &[VnodeId],
    distances: &[Distance],
    lent: &'a mut Lent,
) -> Result<Layout<'a>, Error> {
    let hole = range(3 * GIB, 4 * GIB);
    let request = GuestRequest { nodes, vcpu_to_vnode, distances, hole };
    *lent = Lent::new(request.layout_size());
    Layout::for_guest(&request, lent.memory())
}

fn node(memory: u64, pnode: u32) -> GuestNode {
    GuestNode { memory, pnode: Some(NodeId(pnode)) }
}

#[test]
fn a_guests_memory_goes_around_the_hole() {
    let nodes = [node(2 * GIB, 1), node(2 * GIB, 0), node(0, 2), node(GIB, 3)];
    let vcpus = [0, 1, 2, 3].map(VnodeId);
    let mut lent = Lent::empty();
    let layout = guest(&nodes, &vcpus, &[], &mut lent).unwrap();
    let ranges: Vec<_> = layout.ranges().iter().map(|r| (r.range, r.vnode.0)).collect();
    assert_eq!(
        ranges,
        [
            (range(0, 2 * GIB), 0),
            (range(2 * GIB, 3 * GIB), 1),
            (range(4 * GIB, 5 * GIB), 1),
            (range(5 * GIB, 6 * GIB), 3),
        ]
    );
    assert_eq!(layout.pnode(VnodeId(0)), Some(NodeId(1)));
    assert_eq!(layout.distance(VnodeId(1), VnodeId(1)), Distance::LOCAL);
    assert_eq!(layout.distance(VnodeId(1), VnodeId(3)), Distance::REMOTE);
    assert_eq!(layout.domain(VnodeId(3)), Some(ProximityDomain(3)));
}

#[test]
fn a_guest_that_ends_at_the_hole_goes_on_behind_it() {
    let mut lent = Lent::empty();
    let nodes = [node(3 * GIB, 0), node(GIB, 0)];
    let layout = guest(&nodes, &[VnodeId(0)], &[], &mut lent).unwrap();
    let ranges: Vec<_> = layout.ranges().iter().map(|r| r.range).collect();
    assert_eq!(ranges, [range(0, 3 * GIB), range(4 * GIB, 5 * GIB)]);
}

#[test]
fn guests_that_do_not_fit_are_refused() {
    let refused = |nodes: &[GuestNode], vcpus: &[u32], distances: &[Distance]| {
        let vcpus: Vec<_> = vcpus.iter().copied().map(VnodeId).collect();
        guest(nodes, &vcpus, distances, &mut Lent::empty()).unwrap_err()
    };
    let two = [node(GIB, 0), node(GIB, 1)];
    assert_eq!(refused(&two, &[], &[]), Error::NoVcpus);
    assert_eq!(
        refused(&two, &[0, 2], &[]),
        Error::VcpuOnUnknownVnode { vcpu: VcpuId(1), vnode: VnodeId(2), vnodes: 2 }
    );
    assert_eq!(
        refused(&[node(4097, 0)], &[0], &[]),
        Error::MemoryMisaligned { vnode: VnodeId(0), bytes: 4097 }
    );
    let huge = u64::MAX - 4095;
    assert_eq!(
        refused(&[node(GIB, 0), node(huge, 0)], &[0], &[]),
        Error::MemoryPastEnd { vnode: VnodeId(1), bytes: huge }
    );
    assert_eq!(
        refused(&two, &[0], &[Distance::LOCAL; 3]),
        Error::DistancesNotSquare { nodes: 2, entries: 3 }
    );
    assert_eq!(
        refused(&two, &[0], &[Distance::LOCAL; 4]),
        Error::DistanceInvalid { from: VnodeId(0), to: VnodeId(1), value: 10 }
    );
}

#[test]
fn parts_that_disagree_are_refused() {
    let domains = domains(&[0, 3]);
    let pnodes = [Some(NodeId(0)), None];
    let ten_twenty = [10, 20, 20, 10].map(Distance::clamped);
    let at = |start, end, vnode| Vmemrange {
        range: range(start, end),
        vnode: VnodeId(vnode),
        hotplug: false,
    };
    let ranges = [at(GIB, 2 * GIB, 0), at(0, GIB, 1)];
    assert_eq!(
        Layout::new(&domains, &pnodes, &[], &ranges, &ten_twenty).err(),
        Some(Error::RangesNotAscending {
            index: 1,
            range: range(0, GIB),
            previous: range(GIB, 2 * GIB)
        })
    );
    assert_eq!(
        Layout::new(&domains, &pnodes, &[], &[at(0, GIB, 2)], &ten_twenty).err(),
        Some(Error::RangeOnUnknownVnode { index: 0, vnode: VnodeId(2), vnodes: 2 })
    );
    assert_eq!(
        Layout::new(&domains, &pnodes[..1], &[], &[], &ten_twenty).err(),
        Some(Error::PnodesForVnodes { vnodes: 2, pnodes: 1 })
    );
    let gap = [domains[0], None];
    assert_eq!(
        Layout::new(&gap, &pnodes, &[VnodeId(1)], &[], &ten_twenty).err(),
        Some(Error::VcpuOnUnknownVnode { vcpu: VcpuId(0), vnode: VnodeId(1), vnodes: 2 })
    );
    assert_eq!(
        Layout::new(&gap, &pnodes, &[], &[at(0, GIB, 1)], &ten_twenty).err(),
        Some(Error::RangeOnUnknownVnode { index: 0, vnode: VnodeId(1), vnodes: 2 })
    );
    let descending = [domains[1], domains[0]];
    assert_eq!(
        Layout::new(&descending, &pnodes, &[], &[], &ten_twenty).err(),
        Some(Error::DomainsNotAscending { vnode: VnodeId(1), domain: ProximityDomain(0) })
    );
    // A guest's nodes may interleave: hot-plug windows do.
    let ranges = [at(0, GIB, 0), at(GIB, 2 * GIB, 1), at(2 * GIB, 3 * GIB, 0)];
    assert!(Layout::new(&domains, &pnodes, &[], &ranges, &ten_twenty).is_ok());
}

#[test]
fn stretches_end_with_their_range() {
    let mut lent = Lent::empty();
    let layout = host_5_0_2().layout(6, &mut lent).unwrap();
    let stretch = |address: u64| {
        let stretch = layout.stretch(Pfn(address / 4096));
        (stretch.vnode.map(|vnode| vnode.0), stretch.pages)
    };
    assert_eq!(stretch(0), (Some(5), 2 * GIB / 4096));
    assert_eq!(stretch(2 * GIB - 4096), (Some(5), 1));
    assert_eq!(stretch(2 * GIB), (None, 2 * GIB / 4096));
    assert_eq!(stretch(5 * GIB), (Some(0), GIB / 4096));
    assert_eq!(stretch(7 * GIB), (None, u64::MAX));
}
