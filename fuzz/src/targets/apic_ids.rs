//! APIC ids against the formula in wide arithmetic, and the CPUID leaves read as
//! kernels read them: one package and one last-level cache for each node.

use acpi_gen::{ApicId, ProximityDomain};
use arbitrary::{Arbitrary, Unstructured};
use hv_glue::cpuid::{
    Leaf, PolicyLeaves, Vendor, leaf_1f, leaf_80000026, patch_policy, patch_vcpu,
};
use hv_glue::{ApicIds, Error, Numbering, PackageShape, Placement, Scheme, Stride, VnodeId};

use crate::machine::Pxm;
use crate::{Interest, encode};

/// A placement and a scheme.
#[derive(Arbitrary, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Which scheme.
    pub scheme: u8,
    /// The limit; 0 stands for 254.
    pub limit: u32,
    /// Step from each domain to the next, less 1; none is a gap.
    pub domains: Vec<Option<Pxm>>,
    /// Each vCPU's vnode.
    pub vcpus: Vec<u8>,
}
encode::encode_fields!(Input { scheme, limit, domains, vcpus });

const SCHEMES: [Scheme; 6] = [
    Scheme::FirstThatFits,
    Scheme::Legacy,
    Scheme::Package(Numbering::Domain, Stride::Two),
    Scheme::Package(Numbering::Domain, Stride::One),
    Scheme::Package(Numbering::Dense, Stride::Two),
    Scheme::Package(Numbering::Dense, Stride::One),
];

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else { return Interest::Reject };
    let mut next = Some(0_u32);
    let domains: Vec<_> = input
        .domains
        .iter()
        .map(|step| {
            let domain = next?.checked_add(step.as_ref()?.get().0)?;
            next = domain.checked_add(1);
            Some(ProximityDomain(domain))
        })
        .collect();
    let vcpu_to_vnode: Vec<_> = input.vcpus.iter().map(|vnode| VnodeId((*vnode).into())).collect();
    let placement = Placement { vcpu_to_vnode: &vcpu_to_vnode, domains: &domains };
    let scheme = SCHEMES[usize::from(input.scheme) % SCHEMES.len()];
    let limit = ApicId(if input.limit == 0 { 254 } else { input.limit });

    let poison = ApicId(0xA5A5_A5A5);
    let mut scratch = vec![0xA5A5_A5A5; domains.len()];
    let mut ids = vec![poison; vcpu_to_vnode.len()];
    let expected = expected(placement, scheme, limit);
    let assigned = match ApicIds::assign(placement, scheme, limit, &mut scratch, &mut ids) {
        Ok(assigned) => {
            let as_numbers: Vec<u64> = assigned.as_slice().iter().map(|id| id.0.into()).collect();
            assert_eq!(Some(&as_numbers), expected.as_ref());
            assert_eq!(
                u64::from(assigned.highest().0),
                as_numbers.iter().copied().max().unwrap_or(0)
            );
            assigned
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert_eq!(expected, None, "{error}");
            assert!(ids.iter().all(|id| *id == poison), "wrote before it failed");
            return Interest::Keep;
        }
    };
    if let Some(shape) = assigned.shape() {
        for vendor in [Vendor::Intel, Vendor::Amd, Vendor::Hygon] {
            leaves(vendor, shape, assigned.as_slice(), &vcpu_to_vnode);
        }
    }
    Interest::Keep
}

/// The ids that a scheme gives, or `None` where it must refuse.
fn expected(placement: Placement<'_>, scheme: Scheme, limit: ApicId) -> Option<Vec<u64>> {
    let vcpus = placement.vcpu_to_vnode;
    if vcpus.is_empty() {
        return None;
    }
    let limit = u64::from(limit.0.min(0xFFFF_FFFE));
    let fitting = |ids: Vec<u64>, limit: u64| ids.iter().all(|id| *id <= limit).then_some(ids);
    if scheme == Scheme::Legacy {
        return fitting((0..).step_by(2).take(vcpus.len()).collect(), limit);
    }
    if vcpus
        .iter()
        .any(|vnode| placement.domains.get(vnode.0 as usize).copied().flatten().is_none())
    {
        return None;
    }
    let package = |numbering, stride: Stride| -> Vec<u64> {
        let count = |vnode: &VnodeId| vcpus.iter().filter(|other| *other == vnode).count() as u64;
        let window = vcpus.iter().map(count).max().unwrap_or(0) * u64::from(stride.get());
        let mut shift = 0;
        while 1 << shift < window {
            shift += 1;
        }
        let id = |(vcpu, vnode): (usize, &VnodeId)| {
            let at = vnode.0 as usize;
            let number = match numbering {
                Numbering::Domain => u64::from(placement.domains[at].expect("a domain").0),
                Numbering::Dense => placement.domains[..at].iter().flatten().count() as u64,
            };
            let before = vcpus[..vcpu].iter().filter(|other| *other == vnode).count() as u64;
            (number << shift) + before * u64::from(stride.get())
        };
        vcpus.iter().enumerate().map(id).collect()
    };
    match scheme {
        Scheme::Legacy => None,
        Scheme::Package(numbering, stride) => fitting(package(numbering, stride), limit),
        Scheme::FirstThatFits => {
            Scheme::IN_ORDER.iter().find_map(|(n, stride)| fitting(package(*n, *stride), limit))
        }
    }
}

fn leaves(vendor: Vendor, shape: PackageShape, ids: &[ApicId], vnodes: &[VnodeId]) {
    let mut leaf_1 = Leaf { ebx: 0xFFFF_FFFF, ..Leaf::default() };
    // L1d, L1i, L2, L3 as a host has them, with a fifth that is not there.
    let mut leaf_4 = [0x121, 0x122, 0x143, 0x163, 0].map(|eax| Leaf { eax, ..Leaf::default() });
    let mut leaf_b = [Leaf::default(); 2];
    let mut leaf_8 = Leaf::default();
    let policy = PolicyLeaves {
        leaf_1: &mut leaf_1,
        leaf_4: if vendor == Vendor::Intel { &mut leaf_4 } else { &mut [] },
        leaf_b: &mut leaf_b,
        leaf_80000008: (vendor != Vendor::Intel).then_some(&mut leaf_8),
    };
    if let Err(error) = patch_policy(vendor, shape, policy) {
        let Error::CpuidFieldOverflow { value, max, .. } = error else { panic!("{error}") };
        assert!(value > max);
        assert_eq!(
            (leaf_1.ebx, leaf_b, leaf_8),
            (0xFFFF_FFFF, [Leaf::default(); 2], Leaf::default())
        );
        return;
    }
    let package_shift = leaf_b[1].eax & 0x1F;
    let cache_shift = match vendor {
        // Linux: the shift is the bits of the number of ids that share the cache.
        Vendor::Intel => u32::BITS - (leaf_4[3].eax >> 14 & 0xFFF).leading_zeros(),
        Vendor::Amd | Vendor::Hygon => leaf_8.ecx >> 12 & 0xF,
    };
    let mut packages = std::collections::HashMap::new();
    for (id, vnode) in ids.iter().zip(vnodes) {
        let mut registers = leaf_b[1];
        patch_vcpu(0xB, *id, &mut registers);
        assert_eq!(registers.edx, id.0);
        let mut first = leaf_1;
        patch_vcpu(1, *id, &mut first);
        assert_eq!(first.ebx >> 24, id.0 & 0xFF);
        assert_eq!(
            leaf_1f(shape, 1, *id).map(|leaf| (leaf.eax, leaf.edx)),
            Ok((package_shift, id.0))
        );
        let socket = leaf_80000026(shape, 3, *id).map(|leaf| (leaf.eax, leaf.edx));
        assert_eq!(socket, Ok((package_shift, id.0)));
        let package = (id.0 >> package_shift, id.0 >> cache_shift);
        assert_eq!(packages.entry(package).or_insert(*vnode), vnode, "two nodes in one package");
    }
    let mut nodes: Vec<_> = vnodes.to_vec();
    nodes.sort();
    nodes.dedup();
    assert_eq!(packages.len(), nodes.len(), "one node in two packages or caches");
}
