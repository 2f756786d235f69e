//! The checks of a toolstack's layout that Xen leaves to it.

use hv_glue::hypercall::{VnumaInfo, check_vnumainfo};
use hv_glue::{LayoutMemory, Vmemrange, VnodeId};

use crate::fault::wide;
use crate::host::{len, map_entries, range};
use crate::lend::{Lent, Work, call, read, slice};
use crate::types::{HvgE820, HvgError, HvgVmemrange, HvgVnuma};

/// The number of bytes that `hvg_vnuma_check` needs.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_vnuma_work_len(
    vnuma: *const HvgVnuma,
    work_len: *mut u64,
    error: *mut HvgError,
) -> i32 {
    let body = |lent: &mut Lent| {
        // SAFETY: the caller's promise.
        let vnuma = unsafe { read(lent, vnuma)? };
        lent.output(work_len, 1)?;
        let room = Work::room::<Vmemrange>(len(vnuma.nr_vmemranges))
            .saturating_add(crate::host::map_room(vnuma.nr_e820));
        // SAFETY: noted above.
        unsafe { work_len.write(wide(room)) };
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// Refuses a layout that a guest would refuse, or see otherwise than it was
/// meant: distances other than 10 on the diagonal or not above 10 elsewhere,
/// ranges that do not ascend or overlap or are not on pages, vCPUs and ranges on
/// vnodes that do not exist, and, where the guest's memory map is given, RAM in
/// no range.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_vnuma_check(
    vnuma: *const HvgVnuma,
    work: *mut u8,
    work_len: u64,
    error: *mut HvgError,
) -> i32 {
    let body = |lent: &mut Lent| {
        // SAFETY: the caller's promise.
        let vnuma = unsafe { read(lent, vnuma)? };
        let squared = u64::from(vnuma.nr_vnodes).saturating_mul(vnuma.nr_vnodes.into());
        lent.input(vnuma.vdistance, squared)?;
        lent.input(vnuma.vcpu_to_vnode, vnuma.nr_vcpus.into())?;
        lent.input::<HvgVmemrange>(vnuma.vmemranges, vnuma.nr_vmemranges.into())?;
        lent.input::<HvgE820>(vnuma.e820, vnuma.nr_e820.into())?;
        lent.output(work, work_len)?;
        let squared = u32::try_from(squared).unwrap_or(u32::MAX);
        // SAFETY: noted above; VnodeId is a transparent u32.
        let (distances, vcpu_to_vnode, given, map, mut work) = unsafe {
            (
                slice(vnuma.vdistance, squared),
                slice(vnuma.vcpu_to_vnode.cast::<VnodeId>(), vnuma.nr_vcpus),
                slice(vnuma.vmemranges, vnuma.nr_vmemranges),
                slice(vnuma.e820, vnuma.nr_e820),
                Work::new(work, work_len),
            )
        };
        let ranges = work.take(given.len(), LayoutMemory::UNUSED_RANGE)?;
        for ((index, slot), given) in ranges.iter_mut().enumerate().zip(given) {
            let range = range(index, given.start, given.end)?;
            *slot = Vmemrange { range, vnode: VnodeId(given.nid), hotplug: false };
        }
        let map = if map.is_empty() { None } else { Some(map_entries(map, &mut work)?) };
        let info = VnumaInfo { vnodes: vnuma.nr_vnodes, distances, vcpu_to_vnode, ranges };
        check_vnumainfo(&info, map)?;
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}
