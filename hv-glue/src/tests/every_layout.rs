//! The exhaustive check: every small layout, many random ones, and all equal ones,
//! against the encoding's promises and Linux's arithmetic.

use std::prelude::rust_2024::*;
use std::vec;

use crate::cpuid::Vendor;
use crate::*;
use acpi_gen::{ApicId, ProximityDomain};

use crate::tests::support::linux::{Cpuid, Shifts};
use crate::tests::support::{
    self, NO_LIMIT, ONE, Random, TWO, contiguous, for_each_multiset, highest,
};

/// Checks layouts against the encoding's promises and Linux's arithmetic, with
/// the memory and the leaves of each shape made once.
struct Judge {
    domains: Vec<Option<ProximityDomain>>,
    scratch: Vec<u32>,
    ids: Vec<ApicId>,
    taken: Vec<bool>,
    /// By stride, then `max_per_node`.
    shifts: [Vec<[Shifts; 2]>; 2],
    layouts: u64,
}

impl Judge {
    fn new(vnodes: u32, vcpus: u32) -> Self {
        let shifts = [Stride::One, Stride::Two].map(|stride| {
            let of = |max: u32| {
                let shape = PackageShape::new(Numbering::Domain, stride, max.max(1)).unwrap();
                [Vendor::Intel, Vendor::Amd]
                    .map(|vendor| Cpuid::patched(vendor, shape).unwrap().shifts(vendor))
            };
            (0..=vcpus).map(of).collect()
        });
        Self {
            domains: support::identity(vnodes),
            scratch: vec![0; vnodes as usize],
            ids: vec![ApicId(0); vcpus as usize],
            taken: vec![false; 2 * (vnodes * vcpus).next_power_of_two() as usize * 2],
            shifts,
            layouts: 0,
        }
    }

    fn check(&mut self, vcpu_to_vnode: &[VnodeId], stride: Stride) {
        self.layouts += 1;
        let placement = Placement { vcpu_to_vnode, domains: &self.domains };
        let scheme = Scheme::Package(Numbering::Domain, stride);
        let ids = &mut self.ids;
        let ids =
            ApicIds::assign(placement, scheme, ApicId(NO_LIMIT), &mut self.scratch, ids).unwrap();
        let shape = ids.shape().unwrap();
        let window = 1 << shape.pkg_shift();
        let stride = stride.get();
        let shifts = &self.shifts[stride as usize - 1][shape.max_per_node() as usize];
        let say = || format!("{vcpu_to_vnode:?} at stride {stride}");
        self.taken.fill(false);
        for (id, vnode) in ids.as_slice().iter().zip(vcpu_to_vnode) {
            let seen = core::mem::replace(&mut self.taken[id.0 as usize], true);
            assert!(!seen, "id {} twice: {}", id.0, say());
            assert_eq!(id.0 / window, vnode.0, "package: {}", say());
            assert!(id.0 % window <= (shape.max_per_node() - 1) * stride, "window: {}", say());
            for shifts in shifts {
                // Groups are exactly the vnodes where each id's group is its vnode.
                let place = shifts.place(*id);
                let groups = [place.package, place.package_by_old_leaves, place.llc];
                assert_eq!(groups, [vnode.0; 3], "Linux: {}", say());
            }
        }
        assert_eq!(ids.as_slice().iter().max(), Some(&ids.highest()));
    }
}

/// Partitions of up to `vcpus` into up to `nodes` parts, by the recurrence
/// p(n, k) = p(n - 1, k - 1) + p(n - k, k).
fn partitions(vcpus: usize, nodes: usize) -> u64 {
    let mut p = vec![vec![0_u64; nodes + 1]; vcpus + 1];
    p[0][0] = 1;
    for n in 1..=vcpus {
        for k in 1..=nodes.min(n) {
            p[n][k] = p[n - 1][k - 1] + p[n - k][k];
        }
    }
    p[1..].iter().flatten().sum()
}

#[test]
fn every_multiset_of_up_to_8_nodes_and_64_vcpus() {
    let mut judge = Judge::new(8, 64);
    let mut multisets = 0_u64;
    let mut vcpu_to_vnode = Vec::with_capacity(64);
    for_each_multiset(64, 8, &mut |counts| {
        multisets += 1;
        let nodes = counts.len();
        for descending in [false, true] {
            vcpu_to_vnode.clear();
            for vnode in 0..nodes {
                let count = counts[if descending { nodes - 1 - vnode } else { vnode }];
                vcpu_to_vnode.extend((0..count).map(|_| VnodeId(vnode as u32)));
            }
            judge.check(&vcpu_to_vnode, Stride::Two);
        }
        vcpu_to_vnode.clear();
        for round in 0..counts[nodes - 1] {
            let with_room = (0..nodes).filter(|&vnode| counts[vnode] > round);
            vcpu_to_vnode.extend(with_room.map(|vnode| VnodeId(vnode as u32)));
        }
        judge.check(&vcpu_to_vnode, Stride::Two);
        judge.check(&vcpu_to_vnode, Stride::One);
    });
    assert_eq!(multisets, partitions(64, 8));
    assert!((1_150_000..1_250_000).contains(&multisets), "{multisets}");
    assert_eq!(judge.layouts, 4 * multisets);
}

#[test]
fn a_hundred_thousand_random_assignments() {
    let mut random = Random(0x5EED_0000_0000_0001);
    let mut judge = Judge::new(32, 128);
    for round in 0..100_000_u32 {
        let vnodes = 1 + random.below(32);
        let vcpus = 1 + random.below(128);
        let vcpu_to_vnode: Vec<_> =
            (0..vcpus).map(|_| VnodeId(random.below(vnodes) as u32)).collect();
        let stride = if round % 2 == 0 { Stride::Two } else { Stride::One };
        judge.check(&vcpu_to_vnode, stride);
    }
}

#[test]
fn of_507_equal_layouts_59_pass_254_at_stride_2_and_none_at_stride_1() {
    let (mut layouts, mut overruns) = (0, [0, 0]);
    let mut judge = Judge::new(32, 128);
    for nodes in 1..=32_u32 {
        for each in 1..=128 / nodes {
            layouts += 1;
            let counts = vec![each; nodes as usize];
            for (overruns, scheme) in overruns.iter_mut().zip([TWO, ONE]) {
                *overruns += u32::from(highest(&counts, scheme) > 254);
            }
            judge.check(&contiguous(&counts), Stride::Two);
            judge.check(&contiguous(&counts), Stride::One);
        }
    }
    assert_eq!((layouts, overruns), (507, [59, 0]));
}
