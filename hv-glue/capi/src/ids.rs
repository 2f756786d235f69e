//! APIC ids of a layout.

use acpi_gen::{ApicId, ProximityDomain};
use hv_glue::{ApicIds, Numbering, PackageShape, Placement, Scheme, Stride, VnodeId};

use crate::fault::Fault;
use crate::lend::{Work, call, read_mut, slice, slice_mut};
use crate::types::{HVG_NONE, HVG_NUMBERING_DENSE, HVG_NUMBERING_DOMAIN, HvgError, HvgShape};
use crate::what::HvgWhat as What;

/// Gives each vCPU its APIC id: the first of (proximity domain, stride 2),
/// (domain, 1), (rank, 2) and (rank, 1) whose ids are all at most `limit`.
///
/// `vcpu_to_vnode` and `ids` have `nr_vcpus` elements, `vnode_pxm` has
/// `nr_vnodes`, HVG_NONE for a gap. `work` has HVG_APIC_IDS_WORK(nr_vnodes)
/// bytes. Errors: -ERANGE where no encoding fits.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_apic_ids(
    vcpu_to_vnode: *const u32,
    nr_vcpus: u32,
    vnode_pxm: *const u32,
    nr_vnodes: u32,
    limit: u32,
    work: *mut u8,
    work_len: u64,
    ids: *mut u32,
    shape: *mut HvgShape,
    error: *mut HvgError,
) -> i32 {
    let body = |lent: &mut crate::lend::Lent| {
        lent.input(vcpu_to_vnode, nr_vcpus.into())?;
        lent.input(vnode_pxm, nr_vnodes.into())?;
        lent.output(work, work_len)?;
        lent.output(ids, nr_vcpus.into())?;
        // SAFETY: the caller's promise; VnodeId and ApicId are transparent u32.
        let (vcpu_to_vnode, vnode_pxm, mut work, ids, shape) = unsafe {
            (
                slice(vcpu_to_vnode.cast::<VnodeId>(), nr_vcpus),
                slice(vnode_pxm, nr_vnodes),
                Work::new(work, work_len),
                slice_mut(ids.cast::<ApicId>(), nr_vcpus),
                read_mut(lent, shape)?,
            )
        };
        let domains = work.take(vnode_pxm.len(), None)?;
        for (slot, pxm) in domains.iter_mut().zip(vnode_pxm) {
            *slot = (*pxm != HVG_NONE).then_some(ProximityDomain(*pxm));
        }
        let scratch = work.take(domains.len(), 0_u32)?;
        let placement = Placement { vcpu_to_vnode, domains };
        let assigned =
            ApicIds::assign(placement, Scheme::FirstThatFits, ApicId(limit), scratch, ids)?;
        describe(&assigned, shape);
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// Fills in the shape of ids.
pub(crate) fn describe(ids: &ApicIds<'_>, out: &mut HvgShape) {
    out.highest = ids.highest().0;
    (out.numbering, out.stride, out.pkg_shift, out.max_per_node) = match ids.shape() {
        Some(shape) => {
            let numbering = match shape.numbering() {
                Numbering::Domain => HVG_NUMBERING_DOMAIN,
                Numbering::Dense => HVG_NUMBERING_DENSE,
            };
            (numbering, shape.stride().get(), shape.pkg_shift(), shape.max_per_node())
        }
        None => (HVG_NUMBERING_DOMAIN, 0, 0, 0),
    };
}

/// The shape that [`describe`] described; `None` for ids of `2 * vCPU`.
pub(crate) fn shape(of: &HvgShape) -> Result<Option<PackageShape>, Fault> {
    let field = |offset, value: u32| Err(Fault::invalid(What::StructField, offset, value.into()));
    let numbering = match of.numbering {
        HVG_NUMBERING_DOMAIN => Numbering::Domain,
        HVG_NUMBERING_DENSE => Numbering::Dense,
        other => return field(2, other),
    };
    let stride = match of.stride {
        0 => return Ok(None),
        1 => Stride::One,
        2 => Stride::Two,
        other => return field(3, other),
    };
    let shape = PackageShape::new(numbering, stride, of.max_per_node)?;
    if shape.pkg_shift() != of.pkg_shift {
        return field(4, of.pkg_shift);
    }
    Ok(Some(shape))
}
