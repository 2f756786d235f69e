//! What stays after boot: APIC ids, CPUID leaves and the domains of frames.

use acpi_gen::{ApicId, Violation};
use hv_glue::cpuid::{Leaf, PolicyLeaves, Vendor, patch_policy};
use hv_glue::hypercall::{
    INVALID_NUMA_ID, MAX_MFNS, MfnPxms, PxmRange, get_mfn_pxms, merge_pxm_ranges,
};
use hv_glue::{ApicIds, VnodeId};

use crate::border::call;
use crate::error::Border;
use crate::layout::{describe, described};
use crate::types::{
    HVG_MFN_PXMS_MAX, HVG_NONE, HVG_VENDOR_AMD, HVG_VENDOR_HYGON, HVG_VENDOR_INTEL, HvgCpuid,
    HvgError, HvgLeaf, HvgPxmRange, HvgShape,
};

/// Gives each vCPU of an opted-in guest its APIC id: the first of (vnode, stride 2) and
/// (vnode, stride 1) whose ids are all at most 254. A guest's nodes have no other number than
/// their vnode's. `vcpu_to_vnode` and `ids` have `nr_vcpus` elements.
///
/// Errors: -ERANGE where no encoding fits; -EINVAL above HVG_MAX_VNODES vnodes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_apic_ids(
    vcpu_to_vnode: *const u32,
    nr_vcpus: u32,
    nr_vnodes: u32,
    ids: *mut u32,
    shape: *mut HvgShape,
    error: *mut HvgError,
) -> i32 {
    // SAFETY: the caller's promise; VnodeId and ApicId are transparent u32.
    unsafe {
        call(error, |arguments| {
            let vcpu_to_vnode = arguments.slice(vcpu_to_vnode.cast::<VnodeId>(), nr_vcpus)?;
            let ids = arguments.slice_mut(ids.cast::<ApicId>(), nr_vcpus)?;
            let shape = arguments.read_mut(shape)?;
            let assigned = ApicIds::of_guest(vcpu_to_vnode, nr_vnodes, ids)?;
            describe(assigned.shape(), assigned.highest().0, shape);
            Ok(0)
        })
    }
}

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
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_cpuid_patch(
    cpuid: *const HvgCpuid,
    of: *const HvgShape,
    error: *mut HvgError,
) -> i32 {
    // SAFETY: the caller's promise; the two leaf structures have one layout, as asserted above.
    unsafe {
        call(error, |arguments| {
            let (cpuid, of) = (arguments.read(cpuid)?, arguments.read(of)?);
            let leaves = PolicyLeaves {
                leaf_1: arguments.place(cpuid.leaf_1.cast::<Leaf>())?.assume_init_mut(),
                leaf_4: arguments.slice_mut(cpuid.leaf_4.cast::<Leaf>(), cpuid.nr_leaf_4)?,
                leaf_b: arguments.slice_mut(cpuid.leaf_b.cast::<Leaf>(), cpuid.nr_leaf_b)?,
                leaf_80000008: arguments
                    .optional_mut(cpuid.leaf_80000008.cast::<Leaf>(), 1)?
                    .first_mut(),
            };
            patch(cpuid.vendor, &of, leaves)?;
            Ok(0)
        })
    }
}

/// A frame of its own, as those of a running hypervisor are small.
#[inline(never)]
fn patch(vendor: u32, of: &HvgShape, leaves: PolicyLeaves<'_>) -> Result<(), Violation> {
    let vendor = match vendor {
        HVG_VENDOR_INTEL => Vendor::Intel,
        HVG_VENDOR_AMD => Vendor::Amd,
        HVG_VENDOR_HYGON => Vendor::Hygon,
        other => return Err(Border::StructField.broken(12, other.into())),
    };
    match described(of)? {
        Some(shape) => Ok(patch_policy(vendor, shape, leaves)?),
        None => Ok(()),
    }
}

// The table is read in place, and the limits are the library's.
const _: () = {
    assert!(HVG_MFN_PXMS_MAX == MAX_MFNS && HVG_NONE == INVALID_NUMA_ID);
    assert!(size_of::<HvgPxmRange>() == size_of::<PxmRange>());
    assert!(core::mem::offset_of!(HvgPxmRange, start) == core::mem::offset_of!(PxmRange, start));
    assert!(core::mem::offset_of!(HvgPxmRange, end) == core::mem::offset_of!(PxmRange, end));
    assert!(core::mem::offset_of!(HvgPxmRange, pxm) == core::mem::offset_of!(PxmRange, domain));
};

/// Makes one of ranges that overlap and have one PXM, in place: hvg_mfn_pxms needs ranges that
/// ascend, while Xen accepts an SRAT in which a node's overlap or repeat. Returns how many are
/// left, at the front.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_merge_pxm_ranges(
    ranges: *mut HvgPxmRange,
    nr_ranges: u32,
    error: *mut HvgError,
) -> i32 {
    // SAFETY: the caller's promise; the two range structures have one layout, as asserted above.
    unsafe {
        call(error, |arguments| {
            let ranges = arguments.slice_mut(ranges.cast::<PxmRange>(), nr_ranges)?;
            Ok(i32::try_from(merge_pxm_ranges(ranges)).unwrap_or(i32::MAX))
        })
    }
}

/// Answers XENMEM_get_mfn_pxms by a table of the host's memory blocks, HVG_NONE
/// for a frame in none. `nr` and `pad` are the hypercall's own; `mfns` and `pxms`
/// have the lesser of `nr` and HVG_MFN_PXMS_MAX elements.
///
/// Errors: -EPERM for another than the hardware domain, -EINVAL for a pad other
/// than 0 or ranges that do not ascend, -E2BIG above HVG_MFN_PXMS_MAX frames.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_mfn_pxms(
    ranges: *const HvgPxmRange,
    nr_ranges: u32,
    hardware_domain: u32,
    nr: u32,
    pad: u32,
    mfns: *const u64,
    pxms: *mut u32,
    error: *mut HvgError,
) -> i32 {
    // SAFETY: the caller's promise; the two range structures have one layout, as asserted above.
    unsafe {
        call(error, |arguments| {
            let count = nr.min(HVG_MFN_PXMS_MAX);
            let ranges = arguments.slice(ranges.cast::<PxmRange>(), nr_ranges)?;
            let mfns = arguments.slice(mfns, count)?;
            let pxms = arguments.slice_mut(pxms, count)?;
            let asked = MfnPxms { hardware_domain: hardware_domain != 0, nr, pad };
            get_mfn_pxms(ranges, asked, mfns, pxms)?;
            Ok(0)
        })
    }
}
