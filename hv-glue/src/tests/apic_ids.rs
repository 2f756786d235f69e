//! Ids and CPUID leaves: the seed's figures, then every layout there is.

use std::prelude::rust_2024::*;
use std::vec;

use crate::cpuid::{CpuidField, Vendor};
use crate::tests::support::linux::Cpuid;
use crate::tests::support::{
    self, NO_LIMIT, ONE, TWO, assign, contiguous, for_each_multiset, highest,
};
use crate::*;
use acpi_gen::{ApicId, ProximityDomain};

#[test]
fn the_seeds_48_vcpus_in_halves() {
    let (ids, shape) = assign(&contiguous(&[24, 24]), 2, TWO, 254).unwrap();
    // fls(2 * 24 - 1) = fls(47) = 6: windows of 64 ids.
    assert_eq!(shape.unwrap().pkg_shift(), 6);
    let expected: Vec<_> = (0..24).map(|n| 2 * n).chain((0..24).map(|n| 64 + 2 * n)).collect();
    assert_eq!(ids.iter().map(|id| id.0).collect::<Vec<_>>(), expected);
}

#[test]
fn the_seeds_49_vcpus_as_25_and_24() {
    let (ids, shape) = assign(&contiguous(&[25, 24]), 2, TWO, 254).unwrap();
    let shape = shape.unwrap();
    assert_eq!((shape.pkg_shift(), shape.max_per_node()), (6, 25));
    assert_eq!((ids[24], ids[25], ids[48]), (ApicId(48), ApicId(64), ApicId(64 + 46)));
}

/// The table of layouts in the project's facts: counts, stride 2, stride 1.
#[test]
fn highest_ids_of_known_layouts() {
    let equal = |nodes: usize, each: u32| vec![each; nodes];
    let table = [
        (vec![24, 24], 110, 55),
        (vec![64, 64], 254, 127),
        (vec![65, 63], 380, 190),
        (equal(3, 33), 320, 160),
        (equal(5, 17), 288, 144),
        (equal(12, 10), 370, 185),
    ];
    for (counts, two, one) in table {
        assert_eq!((highest(&counts, TWO), highest(&counts, ONE)), (two, one), "{counts:?}");
    }
}

#[test]
fn power_of_two_layouts_are_identical_to_twice_the_vcpu() {
    for nodes_log in 0..=5 {
        for each_log in 0..=(7 - nodes_log) {
            let (nodes, each) = (1_u32 << nodes_log, 1_u32 << each_log);
            let (ids, _) =
                assign(&contiguous(&vec![each; nodes as usize]), nodes, TWO, NO_LIMIT).unwrap();
            for (vcpu, id) in (0..).zip(&ids) {
                assert_eq!(*id, legacy_id(VcpuId(vcpu)), "{nodes} x {each}");
            }
        }
    }
    // Interleaved ones are not.
    let (ids, _) = assign(&[VnodeId(0), VnodeId(1), VnodeId(0), VnodeId(1)], 2, TWO, 254).unwrap();
    assert_eq!(ids, [ApicId(0), ApicId(4), ApicId(2), ApicId(6)]);
}

#[test]
fn without_the_opt_in_ids_are_twice_the_vcpu() {
    let (ids, shape) = assign(&contiguous(&[25, 24]), 2, Scheme::Legacy, 254).unwrap();
    assert_eq!(shape, None);
    assert!((0..).zip(&ids).all(|(vcpu, id)| id.0 == 2 * vcpu));
    let refused = assign(&contiguous(&[129]), 1, Scheme::Legacy, 254).unwrap_err();
    assert_eq!(refused, Error::ApicIdAboveLimit { vnode: VnodeId(0), id: 256, limit: ApicId(254) });
    let (highest, _) = assign(&contiguous(&[128]), 1, Scheme::Legacy, 254).unwrap();
    assert_eq!(highest.last(), Some(&ApicId(254)), "the limit is an id, too");
    assert_eq!(legacy_id(VcpuId(u32::MAX)), ApicId(u32::MAX));
}

/// PXMs 5, 0, 2 in address order with the boot CPU on 5, two CPUs each.
#[test]
fn host_domains_5_0_2_give_the_ids_that_were_booted() {
    let vcpu_to_vnode = [5, 5, 0, 0, 2, 2].map(VnodeId);
    let mut domains = [None; 6];
    for pxm in [0, 2, 5] {
        domains[pxm] = Some(ProximityDomain(pxm as u32));
    }
    let placement = Placement { vcpu_to_vnode: &vcpu_to_vnode, domains: &domains };
    let mut ids = [ApicId(0); 6];
    let ids = ApicIds::assign(placement, TWO, ApicId(254), &mut [0; 6], &mut ids).unwrap();
    assert_eq!(ids.as_slice(), [20, 22, 0, 2, 8, 10].map(ApicId));
    assert_eq!(ids.highest(), ApicId(22));
    // Densely, domain 2 is package 1 and domain 5 package 2.
    let mut ids = [ApicId(0); 6];
    let dense = Scheme::Package(Numbering::Dense, Stride::Two);
    let ids = ApicIds::assign(placement, dense, ApicId(254), &mut [0; 6], &mut ids).unwrap();
    assert_eq!(ids.as_slice(), [8, 10, 0, 2, 4, 6].map(ApicId));
}

#[test]
fn first_that_fits_takes_stride_1_where_stride_2_passes_254() {
    let stride = |counts: &[u32]| {
        let counts = contiguous(counts);
        let vnodes = counts.iter().max().unwrap().0 + 1;
        assign(&counts, vnodes, Scheme::FirstThatFits, 254).unwrap().1.unwrap().stride()
    };
    assert_eq!(stride(&[64, 64]), Stride::Two);
    assert_eq!(stride(&[65, 63]), Stride::One);
    // 5 x 64 at stride 1 reaches 319.
    assert!(assign(&contiguous(&[64; 5]), 5, Scheme::FirstThatFits, 254).is_err());
    let (ids, _) = assign(&contiguous(&[64; 5]), 5, ONE, NO_LIMIT).unwrap();
    assert_eq!(ids[319], ApicId(319));
}

#[test]
fn the_first_encoding_that_fits_is_taken_in_order() {
    let shape = |pxms: &[u32], counts: &[u32]| {
        let vcpu_to_vnode = contiguous(counts);
        let domains = support::domains(pxms);
        let placement = Placement { vcpu_to_vnode: &vcpu_to_vnode, domains: &domains };
        let mut ids = vec![ApicId(7); vcpu_to_vnode.len()];
        let mut scratch = vec![0; domains.len()];
        ApicIds::assign(placement, Scheme::FirstThatFits, ApicId(254), &mut scratch, &mut ids).map(
            |ids| {
                let shape = ids.shape().unwrap();
                (shape.numbering(), shape.stride())
            },
        )
    };
    assert_eq!(shape(&[0, 1], &[24, 24]), Ok((Numbering::Domain, Stride::Two)));
    assert_eq!(shape(&[0, 1], &[65, 63]), Ok((Numbering::Domain, Stride::One)));
    assert_eq!(shape(&[0, 40], &[4, 4]), Ok((Numbering::Domain, Stride::One)));
    assert_eq!(shape(&[0, 70], &[4, 4]), Ok((Numbering::Dense, Stride::Two)));
    assert_eq!(shape(&[0, 70], &[65, 63]), Ok((Numbering::Dense, Stride::One)));
    // 97 + 31 x 1: windows of 128 ids, 32 of them.
    let counts: Vec<u32> = core::iter::once(97).chain([1; 31]).collect();
    let pxms: Vec<u32> = (0..32).collect();
    assert_eq!(
        shape(&pxms, &counts),
        Err(Error::NoEncodingFits {
            vcpus: 128,
            max_per_node: 97,
            highest: 31 << 7,
            limit: ApicId(254),
        })
    );
    // The closest is named, which with domains out of order need not be the last.
    assert_eq!(
        shape(&[1, 0], &[1, 200]),
        Err(Error::NoEncodingFits {
            vcpus: 201,
            max_per_node: 200,
            highest: 1 << 8,
            limit: ApicId(254),
        })
    );
}

/// The smallest layout that passes 254 at stride 2 has 17 vCPUs.
#[test]
fn seventeen_vcpus_can_pass_254_and_sixteen_cannot() {
    let mut smallest = u32::MAX;
    let mut found = vec![];
    for_each_multiset(17, 32, &mut |counts| {
        let vcpus = counts.iter().sum();
        if vcpus < smallest && highest(counts, TWO) > 254 {
            smallest = vcpus;
            found = counts.to_vec();
        }
    });
    found.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(smallest, 17);
    assert_eq!(found, [9, 1, 1, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn a_refused_assignment_leaves_the_ids_alone() {
    let domains = support::identity(2);
    let check = |vcpu_to_vnode: &[u32], scheme, limit, scratch: usize, expected| {
        let vcpu_to_vnode: Vec<_> = vcpu_to_vnode.iter().copied().map(VnodeId).collect();
        let placement = Placement { vcpu_to_vnode: &vcpu_to_vnode, domains: &domains };
        let mut ids = [ApicId(0xA5A5_A5A5); 4];
        let mut scratch = vec![0; scratch];
        let limit = ApicId(limit);
        let result = ApicIds::assign(placement, scheme, limit, &mut scratch, &mut ids);
        assert_eq!(result.err(), Some(expected));
        assert_eq!(ids, [ApicId(0xA5A5_A5A5); 4]);
    };
    check(&[], TWO, 254, 2, Error::NoVcpus);
    check(&[], Scheme::Legacy, 254, 2, Error::NoVcpus);
    check(&[0, 1], TWO, 254, 1, Error::ScratchTooSmall { needed: 2, have: 1 });
    check(&[0; 5], TWO, 254, 2, Error::OutputTooSmall { needed: 5, have: 4 });
    check(
        &[0, 2],
        TWO,
        254,
        2,
        Error::VcpuOnUnknownVnode { vcpu: VcpuId(1), vnode: VnodeId(2), vnodes: 2 },
    );
    check(
        &[0, 1, 1],
        TWO,
        5,
        2,
        Error::ApicIdAboveLimit { vnode: VnodeId(1), id: 6, limit: ApicId(5) },
    );
}

#[test]
fn a_gap_in_the_numbering_has_no_vcpus() {
    let domains = [Some(ProximityDomain(0)), None, Some(ProximityDomain(2))];
    let placement = Placement { vcpu_to_vnode: &[VnodeId(2), VnodeId(1)], domains: &domains };
    let mut ids = [ApicId(9); 2];
    let refused = ApicIds::assign(placement, TWO, ApicId(254), &mut [0; 3], &mut ids).err();
    let gap = Error::VcpuOnUnknownVnode { vcpu: VcpuId(1), vnode: VnodeId(1), vnodes: 3 };
    assert_eq!((refused, ids), (Some(gap), [ApicId(9); 2]));
}

/// Ids pass neither 2^32 nor the value that tables reserve.
#[test]
fn ids_stop_at_32_bits() {
    let of_domain = |pxm: u32| {
        let domains = [Some(ProximityDomain(pxm))];
        let placement = Placement { vcpu_to_vnode: &[VnodeId(0); 2], domains: &domains };
        let mut ids = [ApicId(0); 2];
        ApicIds::assign(placement, ONE, ApicId(u32::MAX), &mut [0], &mut ids)
            .map(|ids| ids.highest())
    };
    assert_eq!(of_domain(0x7FFF_FFFE), Ok(ApicId(0xFFFF_FFFD)));
    let limit = ApicId(0xFFFF_FFFE);
    let above = |id| Error::ApicIdAboveLimit { vnode: VnodeId(0), id, limit };
    assert_eq!(of_domain(0x7FFF_FFFF), Err(above(0xFFFF_FFFF)));
    assert_eq!(of_domain(0x8000_0000), Err(above(0x1_0000_0001)));
    assert_eq!(of_domain(u32::MAX), Err(above(0x1_FFFF_FFFF)));
    assert!(PackageShape::new(Numbering::Dense, Stride::Two, 1 << 31).is_err());
    assert_eq!(PackageShape::new(Numbering::Dense, Stride::One, 0), Err(Error::NoVcpus));
}

#[test]
fn fields_that_overflow_are_errors_with_their_numbers() {
    let shape = |stride, max| PackageShape::new(Numbering::Dense, stride, max).unwrap();
    let overflow = |field, value, max| Some(Error::CpuidFieldOverflow { field, value, max });
    let patched = |vendor, shape| Cpuid::patched(vendor, shape).err();
    // AMD: 2^15 ids at most.
    assert_eq!(patched(Vendor::Amd, shape(Stride::Two, 1 << 14)), None);
    let expected = overflow(CpuidField::ApicIdCoreIdSize, 16, 15);
    assert_eq!(patched(Vendor::Hygon, shape(Stride::Two, (1 << 14) + 1)), expected);
    // Intel: 4,096 ids at most.
    assert_eq!(patched(Vendor::Intel, shape(Stride::Two, 2048)), None);
    let expected = overflow(CpuidField::CacheSharing, 4098, 4096);
    assert_eq!(patched(Vendor::Intel, shape(Stride::Two, 2049)), expected);
    let expected = overflow(CpuidField::LevelCount, 65_536, 65_535);
    assert_eq!(patched(Vendor::Amd, shape(Stride::One, 65_536)), expected);
}

/// Encodings of the leaves' fields, for 24 vCPUs at stride 2, by hand from the manuals.
#[test]
fn leaves_hold_what_the_manuals_say() {
    let shape = PackageShape::new(Numbering::Domain, Stride::Two, 24).unwrap();
    let intel = Cpuid::patched(Vendor::Intel, shape).unwrap();
    assert_eq!(intel.leaf_1.ebx, 0x0030_0800, "48 ids in the package");
    assert_eq!((intel.leaf_b[0].eax, intel.leaf_b[0].ebx, intel.leaf_b[0].ecx), (1, 1, 0x100));
    assert_eq!((intel.leaf_b[1].eax, intel.leaf_b[1].ebx, intel.leaf_b[1].ecx), (6, 24, 0x201));
    assert_eq!(intel.leaf_4[3].eax, 23 << 26 | 47 << 14 | 3 << 5 | 3, "last-level cache");
    assert_eq!(intel.leaf_4[2].eax, 23 << 26 | 7 << 14 | 2 << 5 | 3, "lower caches stay");
    assert_eq!(intel.leaf_4[4], cpuid::Leaf::default(), "no cache");
    assert_eq!(intel.leaf_80000008.ecx, 0x603F, "Intel's has no core count");

    let amd = Cpuid::patched(Vendor::Amd, shape).unwrap();
    assert_eq!(amd.leaf_1.ebx, 0x0018_0800, "24 CPUs in the package");
    assert_eq!(amd.leaf_80000008.ecx, 0x6017);
    assert_eq!(amd.leaf_80000008.eax, 0x3030, "address widths stay");
    assert_eq!(amd.leaf_b, intel.leaf_b);

    let one = PackageShape::new(Numbering::Domain, Stride::One, 24).unwrap();
    let one = Cpuid::patched(Vendor::Intel, one).unwrap();
    assert_eq!((one.leaf_b[0].eax, one.leaf_b[0].ebx), (0, 1));
    assert_eq!((one.leaf_b[1].eax, one.leaf_b[1].ebx), (5, 24));
    assert_eq!(one.leaf_4[3].eax >> 14 & 0xFFF, 23);
    // Leaf 0xB says one thread a core: no two cores share its caches.
    assert_eq!(
        Cpuid::of_host(Vendor::Intel).leaf_4[0].eax >> 14 & 0xFFF,
        1,
        "two threads on the host"
    );
    assert_eq!(one.leaf_4[0].eax >> 14 & 0xFFF, 0);
    assert_eq!(one.leaf_4[2].eax >> 14 & 0xFFF, 3, "four of the host's cores share level 2");

    // A small package cuts a lower cache that would reach into the next.
    let small = PackageShape::new(Numbering::Domain, Stride::Two, 1).unwrap();
    let small = Cpuid::patched(Vendor::Intel, small).unwrap();
    assert_eq!(small.leaf_4[2].eax >> 14 & 0xFFF, 1);
}

#[test]
fn each_vcpu_reads_its_own_id() {
    let mut leaf = cpuid::Leaf { ebx: 0xAA30_0800, ..cpuid::Leaf::default() };
    cpuid::patch_vcpu(1, ApicId(0x1_42), &mut leaf);
    assert_eq!(leaf.ebx, 0x4230_0800, "8 bits of it");
    for number in [0xB, 0x1F, 0x8000_0026] {
        let mut leaf = cpuid::Leaf::default();
        cpuid::patch_vcpu(number, ApicId(0x1_42), &mut leaf);
        assert_eq!(leaf, cpuid::Leaf { edx: 0x142, ..cpuid::Leaf::default() });
    }
    let mut leaf = cpuid::Leaf::default();
    cpuid::patch_vcpu(7, ApicId(9), &mut leaf);
    assert_eq!(leaf, cpuid::Leaf::default());
}

#[test]
fn leaf_1f_and_80000026_describe_the_same_package() {
    let shape = PackageShape::new(Numbering::Domain, Stride::Two, 24).unwrap();
    type Enumerate = fn(PackageShape, u32, ApicId) -> Result<cpuid::Leaf, Error>;
    let leaf = |enumerate: Enumerate, subleaf| enumerate(shape, subleaf, ApicId(70)).unwrap();
    let values = |leaf: cpuid::Leaf| (leaf.eax, leaf.ebx, leaf.ecx, leaf.edx);
    assert_eq!(values(leaf(cpuid::leaf_1f, 0)), (1, 1, 0x100, 70));
    assert_eq!(values(leaf(cpuid::leaf_1f, 1)), (6, 24, 0x201, 70));
    assert_eq!(values(leaf(cpuid::leaf_1f, 2)), (0, 0, 0x002, 70));
    assert_eq!(values(leaf(cpuid::leaf_80000026, 0)), (1, 1, 0x100, 70));
    assert_eq!(values(leaf(cpuid::leaf_80000026, 1)), (6, 24, 0x201, 70));
    assert_eq!(values(leaf(cpuid::leaf_80000026, 2)), (6, 24, 0x302, 70));
    assert_eq!(values(leaf(cpuid::leaf_80000026, 3)), (6, 24, 0x403, 70));
    assert_eq!(values(leaf(cpuid::leaf_80000026, 4)), (0, 0, 0x004, 70));
    // At any count, what is left behind the last level is the package.
    for (stride, max) in
        [Stride::One, Stride::Two].into_iter().flat_map(|s| (1..=300).map(move |m| (s, m)))
    {
        let shape = PackageShape::new(Numbering::Domain, stride, max).unwrap();
        for enumerate in [cpuid::leaf_1f as Enumerate, cpuid::leaf_80000026] {
            let levels = (0..).map(|subleaf| enumerate(shape, subleaf, ApicId(7)).unwrap());
            let valid = levels.take_while(|leaf| leaf.ecx >> 8 & 0xFF != 0);
            assert_eq!(valid.last().unwrap().eax, shape.pkg_shift());
        }
    }
}
