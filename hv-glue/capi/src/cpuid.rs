//! CPUID leaves of a policy.

use hv_glue::cpuid::{Leaf, PolicyLeaves, Vendor, patch_policy};

use crate::fault::Fault;
use crate::ids::shape;
use crate::lend::{Lent, call, read, slice_mut};
use crate::types::{
    HVG_VENDOR_AMD, HVG_VENDOR_HYGON, HVG_VENDOR_INTEL, HvgCpuid, HvgError, HvgLeaf, HvgShape,
};
use crate::what::HvgWhat as What;

// A policy's leaves are read and written in place.
const _: () = {
    assert!(size_of::<HvgLeaf>() == size_of::<Leaf>());
    assert!(core::mem::offset_of!(HvgLeaf, a) == core::mem::offset_of!(Leaf, eax));
    assert!(core::mem::offset_of!(HvgLeaf, b) == core::mem::offset_of!(Leaf, ebx));
    assert!(core::mem::offset_of!(HvgLeaf, c) == core::mem::offset_of!(Leaf, ecx));
    assert!(core::mem::offset_of!(HvgLeaf, d) == core::mem::offset_of!(Leaf, edx));
};

/// Makes a guest's CPUID policy say what its APIC ids say: one package and one
/// last-level cache for each node. Nothing changes for ids of `2 * vCPU`, nor on
/// an error: -ERANGE where a field is too narrow.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_cpuid_patch(
    cpuid: *const HvgCpuid,
    of: *const HvgShape,
    error: *mut HvgError,
) -> i32 {
    let body = |lent: &mut Lent| {
        // SAFETY: the caller's promise.
        let (cpuid, of) = unsafe { (read(lent, cpuid)?, read(lent, of)?) };
        lent.output(cpuid.leaf_1, 1)?;
        lent.output(cpuid.leaf_4, cpuid.nr_leaf_4.into())?;
        lent.output(cpuid.leaf_b, cpuid.nr_leaf_b.into())?;
        let nr_extended = u32::from(!cpuid.leaf_80000008.is_null());
        lent.output(cpuid.leaf_80000008, nr_extended.into())?;
        let vendor = match cpuid.vendor {
            HVG_VENDOR_INTEL => Vendor::Intel,
            HVG_VENDOR_AMD => Vendor::Amd,
            HVG_VENDOR_HYGON => Vendor::Hygon,
            other => return Err(Fault::invalid(What::StructField, 12, other.into())),
        };
        let Some(shape) = shape(&of)? else { return Ok(0) };
        // SAFETY: noted above; the two leaf structures have one layout, as
        // asserted above.
        let leaves = unsafe {
            PolicyLeaves {
                leaf_1: &mut *cpuid.leaf_1.cast::<Leaf>(),
                leaf_4: slice_mut(cpuid.leaf_4.cast::<Leaf>(), cpuid.nr_leaf_4),
                leaf_b: slice_mut(cpuid.leaf_b.cast::<Leaf>(), cpuid.nr_leaf_b),
                leaf_80000008: slice_mut(cpuid.leaf_80000008.cast::<Leaf>(), nr_extended)
                    .first_mut(),
            }
        };
        patch_policy(vendor, shape, leaves)?;
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}
