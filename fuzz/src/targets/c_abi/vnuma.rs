//! The checks of a toolstack's layout.

use hv_glue::hypercall::{VnumaInfo, check_vnumainfo};
use hv_glue::{Vmemrange, VnodeId};

use super::*;
use crate::lent::How;

pub(super) fn run(input: &Input) {
    let parts = input.host.parts();
    let vnodes = parts.node_to_pxm.len() as u32 + u32::from(input.numbers[1] % 4);
    let mut distances: Vec<u32> = parts.distances.iter().map(|d| (*d).into()).collect();
    distances.resize((vnodes * vnodes) as usize, 20);
    let vcpus: Vec<u32> = parts.cpus.iter().map(|cpu| cpu.node.0).collect();
    let ranges: Vec<_> = parts
        .blocks
        .iter()
        .map(|block| HvgVmemrange {
            start: block.range.start().0,
            end: block.range.end().0,
            flags: 0,
            nid: block.node.0,
        })
        .collect();
    let map = if input.numbers[0] == 0 { Vec::new() } else { memory_map(&parts) };
    let mut lender = Lender::new(&input.how);
    let error = lender.lend_one(input.error());
    let value = HvgVnuma {
        size: input.size::<HvgVnuma>(),
        version: input.version(),
        vdistance: lender.lend(&distances),
        vcpu_to_vnode: lender.lend(&vcpus),
        vmemranges: lender.lend(&ranges),
        e820: lender.lend(&map),
        nr_vnodes: vnodes,
        nr_vcpus: vcpus.len() as u32,
        nr_vmemranges: ranges.len() as u32,
        nr_e820: map.len() as u32,
    };
    let vnuma = lender.lend_one(value);
    let work_len = lender.lend_one(0_u64);
    // SAFETY: as in `apic_ids`.
    let status = unsafe { hvg_vnuma_work_len(vnuma, work_len, error) };
    judge(&lender, status, error);
    if status != 0 {
        return;
    }
    // SAFETY: the call was good, so the pointer was.
    let needed = unsafe { read(work_len, 1) }[0];
    let work = input.work(needed);
    let work_at = lender.lend(&work);
    // SAFETY: as in `apic_ids`.
    let status = unsafe { hvg_vnuma_check(vnuma, work_at, work.len() as u64, error) };
    judge(&lender, status, error);
    if lender.hopeless && input.how.first().is_none_or(|how| *how == How::Right) {
        // SAFETY: this one was lent right.
        let what = unsafe { read(error, 1) }[0].what;
        assert_eq!((status, what < 6), (-22, true), "not for how it was lent, but {what}");
    }
    if lender.wrong {
        return;
    }
    // What is asked for has room to align a map, too, which a layout without one does not take.
    let short = (work.len() as u64) < needed;
    assert!(short || status != -105, "enough scratch memory, and refused");
    assert!(!short || status == -105 || map.is_empty(), "went on with too little scratch memory");
    if status == -105 {
        return;
    }
    // The target `hypercalls` holds these rules against plain arithmetic; here they come through C.
    let vcpu_to_vnode: Vec<_> = vcpus.iter().copied().map(VnodeId).collect();
    let ranges: Vec<_> = parts
        .blocks
        .iter()
        .map(|b| Vmemrange { range: b.range, vnode: VnodeId(b.node.0), hotplug: false })
        .collect();
    let info =
        VnumaInfo { vnodes, distances: &distances, vcpu_to_vnode: &vcpu_to_vnode, ranges: &ranges };
    let map = (!map.is_empty()).then_some(parts.map.as_slice());
    let right = check_vnumainfo(&info, map).map_or_else(|error| -error.errno().0, |()| 0);
    assert_eq!(status, right);
}
