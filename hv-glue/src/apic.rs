//! APIC ids of virtual CPUs: the one place that every user of an id asks.
//!
//! Without the opt-in (the creation flag `vnuma_apic_topology`) an id is [`legacy_id`].
//! With it, each vNUMA node is a package with a power-of-two window of ids:
//! `id = package << pkg_shift | offset in the node * stride`.

use acpi_gen::{ApicId, ProximityDomain};

use crate::layout::MAX_VNODES;
use crate::units::{count, index};
use crate::{Error, VcpuId, VnodeId};

/// The id that Xen, libxl and hvmloader give a vCPU by default: twice its number.
/// Saturates at 2^32 - 1, an id that no guest can have.
#[must_use]
pub const fn legacy_id(vcpu: VcpuId) -> ApicId {
    ApicId(vcpu.0.saturating_mul(2))
}

/// Distance between the ids of two vCPUs of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stride {
    /// Every id of the window: no room for a sibling thread.
    One,
    /// Every second id, as Xen's `vcpu_id * 2`.
    Two,
}

impl Stride {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }
}

/// Which number of a node its ids have in the high bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// Its proximity domain.
    Domain,
    /// Its rank among the layout's nodes, in the order of vnode numbers.
    Dense,
}

/// How ids are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// [`legacy_id`] for each.
    Legacy,
    /// One package encoding, whatever comes out below the limit.
    Package(Numbering, Stride),
    /// For a guest that has no id above the limit: the first of (domain, 2),
    /// (domain, 1), (dense, 2) and (dense, 1) whose ids all fit.
    FirstThatFits,
}

impl Scheme {
    /// The order of [`Scheme::FirstThatFits`].
    pub const IN_ORDER: [(Numbering, Stride); 4] = [
        (Numbering::Domain, Stride::Two),
        (Numbering::Domain, Stride::One),
        (Numbering::Dense, Stride::Two),
        (Numbering::Dense, Stride::One),
    ];
}

/// Where vCPUs sit.
#[derive(Clone, Copy, Debug)]
pub struct Placement<'a> {
    /// Each vCPU's node, by vCPU number.
    pub vcpu_to_vnode: &'a [VnodeId],
    /// Each vnode's proximity domain, by vnode number; `None` is a gap in the numbering.
    pub domains: &'a [Option<ProximityDomain>],
}

/// The shape of a package encoding: what CPUID says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackageShape {
    numbering: Numbering,
    stride: Stride,
    pkg_shift: u32,
    max_per_node: u32,
}

impl PackageShape {
    /// The window that holds `max_per_node` vCPUs at this stride:
    /// `pkg_shift = fls(stride * max_per_node - 1)`.
    ///
    /// # Errors
    /// [`Error::NoVcpus`] for 0, [`Error::ApicIdAboveLimit`] where the window
    /// alone passes 2^32.
    pub const fn new(
        numbering: Numbering,
        stride: Stride,
        max_per_node: u32,
    ) -> Result<Self, Error> {
        if max_per_node == 0 {
            return Err(Error::NoVcpus);
        }
        match max_per_node.checked_mul(stride.get()) {
            // fls(x), the index of the highest set bit plus 1, is 32 - leading zeros.
            Some(ids) => {
                let pkg_shift = 32_u32.saturating_sub(ids.saturating_sub(1).leading_zeros());
                Ok(Self { numbering, stride, pkg_shift, max_per_node })
            }
            None => Err(Error::ApicIdAboveLimit {
                vnode: VnodeId(0),
                id: u64::MAX,
                limit: ApicId(u32::MAX.saturating_sub(1)),
            }),
        }
    }

    /// Which number is in the high bits.
    #[must_use]
    pub const fn numbering(self) -> Numbering {
        self.numbering
    }

    /// Distance between neighbours.
    #[must_use]
    pub const fn stride(self) -> Stride {
        self.stride
    }

    /// The bit at which the package number starts, 0 to 32.
    #[must_use]
    pub const fn pkg_shift(self) -> u32 {
        self.pkg_shift
    }

    /// vCPUs of the fullest node.
    #[must_use]
    pub const fn max_per_node(self) -> u32 {
        self.max_per_node
    }

    /// Ids that a full node spans: stride * `max_per_node`.
    pub(crate) const fn ids_per_package(self) -> u32 {
        self.max_per_node.saturating_mul(self.stride.get())
    }

    /// The id at an offset in a package, as a number that may pass 32 bits.
    const fn wide_id(self, package: u32, offset: u32) -> u64 {
        // u64 holds u32 << 32, and the offset stays inside the window.
        let high = match widen(package).checked_shl(self.pkg_shift) {
            Some(high) => high,
            None => u64::MAX,
        };
        high.saturating_add(widen(offset).saturating_mul(widen(self.stride.get())))
    }
}

/// `u64::from`, which is not const.
const fn widen(value: u32) -> u64 {
    let [a, b, c, d] = value.to_le_bytes();
    u64::from_le_bytes([a, b, c, d, 0, 0, 0, 0])
}

/// Every vCPU's id, in the caller's slice. A lookup reads one slot.
#[derive(Clone, Copy, Debug)]
pub struct ApicIds<'a> {
    ids: &'a [ApicId],
    shape: Option<PackageShape>,
    highest: ApicId,
}

impl<'a> ApicIds<'a> {
    /// Gives every vCPU of `placement` its id: one pass that counts and one that
    /// writes. `scratch` holds a word for each vnode, `ids` one for each vCPU;
    /// `limit` is the highest id that the guest can use: 254 where it has neither
    /// interrupt remapping nor the extended destination id, as under Xen.
    ///
    /// # Errors
    /// [`Error::NoVcpus`], [`Error::VcpuOnUnknownVnode`], [`Error::ApicIdAboveLimit`],
    /// [`Error::NoEncodingFits`], [`Error::ScratchTooSmall`], [`Error::OutputTooSmall`].
    /// `ids` is unchanged then.
    pub fn assign(
        placement: Placement<'_>,
        scheme: Scheme,
        limit: ApicId,
        scratch: &mut [u32],
        ids: &'a mut [ApicId],
    ) -> Result<Self, Error> {
        let Placement { vcpu_to_vnode, domains } = placement;
        let (needed, have) = (vcpu_to_vnode.len(), ids.len());
        let Some((ids, _)) = ids.split_at_mut_checked(needed) else {
            return Err(Error::OutputTooSmall { needed, have });
        };
        if scheme == Scheme::Legacy {
            return Self::assign_legacy(limit, ids);
        }
        let (needed, have) = (domains.len(), scratch.len());
        let Some((counts, _)) = scratch.split_at_mut_checked(needed) else {
            return Err(Error::ScratchTooSmall { needed, have });
        };
        // A vCPU without a vnode is on one that does not exist.
        let vnode = |at: usize, _: &ApicId| vcpu_to_vnode.get(at).copied().unwrap_or(NO_VNODE);
        let set = |slot: &mut ApicId, id| *slot = id;
        let (shape, highest) = assign(ids, domains, scheme, limit, counts, vnode, set)?;
        Ok(Self { ids, shape: Some(shape), highest })
    }

    /// The ids of an opted-in guest, whose nodes have no other number than their vnode's.
    ///
    /// # Errors
    /// Those of [`ApicIds::assign`], and [`Error::TooManyVnodes`].
    // A frame of its own: those of a running hypervisor are small.
    #[inline(never)]
    pub fn of_guest(
        vcpu_to_vnode: &[VnodeId],
        vnodes: u32,
        ids: &'a mut [ApicId],
    ) -> Result<Self, Error> {
        let (mut numbers, mut counts) = ([None; MAX_VNODES], [0; MAX_VNODES]);
        for (slot, number) in numbers.iter_mut().zip(0..vnodes) {
            *slot = Some(ProximityDomain(number));
        }
        let too_many = Error::TooManyVnodes { needed: vnodes, max: count(MAX_VNODES) };
        let domains = numbers.get(..index(vnodes)).ok_or(too_many)?;
        let placement = Placement { vcpu_to_vnode, domains };
        Self::assign(placement, Scheme::FirstThatFits, crate::APIC_ID_LIMIT, &mut counts, ids)
    }

    fn assign_legacy(limit: ApicId, ids: &'a mut [ApicId]) -> Result<Self, Error> {
        let last = count(ids.len()).checked_sub(1).ok_or(Error::NoVcpus)?;
        let highest = widen(last).saturating_mul(2);
        let fits = ApicId(u32::try_from(highest).unwrap_or(u32::MAX));
        if fits > limit || fits == ApicId::RESERVED {
            return Err(Error::ApicIdAboveLimit { vnode: VnodeId(0), id: highest, limit });
        }
        for (vcpu, id) in (0..).map(VcpuId).zip(ids.iter_mut()) {
            *id = legacy_id(vcpu);
        }
        Ok(Self { ids, shape: None, highest: fits })
    }

    /// All ids by vCPU number.
    #[must_use]
    pub const fn as_slice(&self) -> &'a [ApicId] {
        self.ids
    }

    /// The package encoding; `None` for legacy ids, whose CPUID is left as it is.
    #[must_use]
    pub const fn shape(&self) -> Option<PackageShape> {
        self.shape
    }

    /// The highest id of all.
    #[must_use]
    pub const fn highest(&self) -> ApicId {
        self.highest
    }
}

/// A number that no vnode has.
const NO_VNODE: VnodeId = VnodeId(u32::MAX);

/// Gives each vCPU its id by a package scheme: one pass that counts and one that writes.
/// `vnode` reads a vCPU's vnode by its number, `set` writes its id. Nothing is written on
/// an error. `counts` has a word for each vnode.
pub(crate) fn assign<T>(
    vcpus: &mut [T],
    domains: &[Option<ProximityDomain>],
    scheme: Scheme,
    limit: ApicId,
    counts: &mut [u32],
    vnode: impl Fn(usize, &T) -> VnodeId,
    set: impl Fn(&mut T, ApicId),
) -> Result<(PackageShape, ApicId), Error> {
    let vnodes = vcpus.iter().enumerate().map(|(at, vcpu)| vnode(at, vcpu));
    let max_per_node = count_vcpus(vnodes, domains, counts)?;
    let (shape, highest) = choose(scheme, limit, max_per_node, domains, counts)?;
    // The counts become each node's next id. Nodes without vCPUs may have numbers above
    // 32 bits, which no vCPU takes.
    for (next, package) in counts.iter_mut().zip(packages(shape.numbering, domains)) {
        *next = u32::try_from(shape.wide_id(package, 0)).unwrap_or(u32::MAX);
    }
    for (at, vcpu) in vcpus.iter_mut().enumerate() {
        if let Some(next) = counts.get_mut(index(vnode(at, vcpu).0)) {
            set(vcpu, ApicId(*next));
            *next = next.saturating_add(shape.stride.get());
        }
    }
    Ok((shape, highest))
}

/// Counts each vnode's vCPUs and returns the most.
fn count_vcpus(
    vcpu_to_vnode: impl Iterator<Item = VnodeId>,
    domains: &[Option<ProximityDomain>],
    counts: &mut [u32],
) -> Result<u32, Error> {
    counts.fill(0);
    let mut most = 0_u32;
    for (vcpu, vnode) in (0..).map(VcpuId).zip(vcpu_to_vnode) {
        let exists = matches!(domains.get(index(vnode.0)), Some(Some(_)));
        match counts.get_mut(index(vnode.0)) {
            Some(count) if exists => {
                *count = count.saturating_add(1);
                most = most.max(*count);
            }
            _ => {
                let vnodes = domains.len();
                return Err(Error::VcpuOnUnknownVnode { vcpu, vnode, vnodes });
            }
        }
    }
    if most == 0 { Err(Error::NoVcpus) } else { Ok(most) }
}

/// Each vnode's package number, gaps included.
fn packages(
    numbering: Numbering,
    domains: &[Option<ProximityDomain>],
) -> impl Iterator<Item = u32> + '_ {
    let mut rank = 0_u32;
    domains.iter().map(move |domain| {
        let package = match (numbering, domain) {
            (Numbering::Domain, Some(domain)) => domain.0,
            _ => rank,
        };
        rank = rank.saturating_add(u32::from(domain.is_some()));
        package
    })
}

/// The highest id of an encoding, and the vnode that has it.
fn highest_id(
    shape: PackageShape,
    domains: &[Option<ProximityDomain>],
    counts: &[u32],
) -> (u64, VnodeId) {
    let mut highest = (0, VnodeId(0));
    let of_vnodes = (0..).map(VnodeId).zip(packages(shape.numbering, domains)).zip(counts);
    for ((vnode, package), count) in of_vnodes {
        if let Some(last) = count.checked_sub(1) {
            let id = shape.wide_id(package, last);
            if id >= highest.0 {
                highest = (id, vnode);
            }
        }
    }
    highest
}

fn choose(
    scheme: Scheme,
    limit: ApicId,
    max_per_node: u32,
    domains: &[Option<ProximityDomain>],
    counts: &[u32],
) -> Result<(PackageShape, ApicId), Error> {
    // 0xFFFFFFFF is the id that tables reserve for "ignore".
    let limit = limit.min(ApicId(ApicId::RESERVED.0.saturating_sub(1)));
    let fits = |numbering, stride, limit: ApicId| {
        let shape = PackageShape::new(numbering, stride, max_per_node)?;
        let (id, vnode) = highest_id(shape, domains, counts);
        match u32::try_from(id) {
            Ok(id) if id <= limit.0 => Ok((shape, ApicId(id))),
            _ => Err(Error::ApicIdAboveLimit { vnode, id, limit }),
        }
    };
    match scheme {
        Scheme::Package(numbering, stride) => fits(numbering, stride, limit),
        // `Legacy` never comes here.
        Scheme::FirstThatFits | Scheme::Legacy => {
            let mut lowest = u64::MAX;
            for (numbering, stride) in Scheme::IN_ORDER {
                match fits(numbering, stride, limit) {
                    Err(Error::ApicIdAboveLimit { id, .. }) => lowest = lowest.min(id),
                    other => return other,
                }
            }
            let vcpus = counts.iter().fold(0_u32, |sum, count| sum.saturating_add(*count));
            Err(Error::NoEncodingFits { vcpus, max_per_node, highest: lowest, limit })
        }
    }
}
