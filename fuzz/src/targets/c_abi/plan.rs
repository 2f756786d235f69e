//! The plan of a dom0: its layout, memory map and populate walk.

use super::*;

pub(super) fn run(input: &Input) {
    let mut lender = Lender::new(&input.how);
    let error = lender.lend_one(input.error());
    let host = host(input, &mut lender);
    let host_at = lender.lend_one(host);
    let vcpus = if input.numbers[1] == 0 { host.nr_pcpus } else { input.numbers[1].into() };
    let request = lender.lend_one(HvgRequest {
        size: input.size::<HvgRequest>(),
        version: input.version(),
        vcpus,
        present_pcpus: host.nr_pcpus,
        flags: input.flags.into(),
        apic_id_limit: input.words.first().copied().unwrap_or(254),
    });
    let work_len = lender.lend_one(0_u64);
    // SAFETY: as in `apic_ids`.
    let status = unsafe { hvg_plan_work_len(host_at, request, work_len, error) };
    judge(&lender, status, error);
    if status != 0 {
        return;
    }
    // SAFETY: the call was good, so the pointer was.
    let work = input.work(unsafe { read(work_len, 1) }[0]);
    let work_at = lender.lend(&work);
    let gate = lender.lend_one(HvgGate {
        size: input.size::<HvgGate>(),
        version: input.version(),
        enabled: 7,
        reserved: 0,
        uncovered_pages: 0,
        conditions: [HvgCondition::default(); 6],
    });
    let made = lender.lend_one(std::ptr::null_mut::<HvgPlan>());
    // SAFETY: as in `apic_ids`.
    let status =
        unsafe { hvg_plan_make(host_at, request, work_at, work.len() as u64, gate, made, error) };
    if lender.wrong {
        // A refusal is told in the report, and a report that is not right is not written.
        return assert!(status <= 0);
    }
    // SAFETY: nothing was lent wrong.
    let (plan, enabled) = unsafe { (read(made, 1)[0], read(gate, 1)[0].enabled) };
    assert!(matches!(status, 0 | -22 | -105), "status {status}");
    assert_eq!(status == 0 && enabled == 1, !plan.is_null());
    if plan.is_null() {
        return;
    }
    layout(input, plan, vcpus);
    walk(input, plan);
}

fn layout(input: &Input, plan: *mut HvgPlan, vcpus: u32) {
    let mut lender = Lender::new(&[]);
    let error = lender.lend_one(HvgError {
        size: size_of::<HvgError>() as u32,
        version: HVG_VERSION,
        what: 0,
        reserved: 0,
        index: 0,
        value: 0,
    });
    let shape = lender.lend_one(HvgShape {
        size: size_of::<HvgShape>() as u32,
        version: HVG_VERSION,
        numbering: 0,
        stride: 0,
        pkg_shift: 0,
        max_per_node: 0,
        highest: 0,
        reserved: 0,
    });
    let null = std::ptr::null_mut();
    let query = HvgLayout {
        size: size_of::<HvgLayout>() as u32,
        version: HVG_VERSION,
        vcpu_to_vnode: null,
        apic_ids: null,
        vnode_to_pnode: null,
        vnode_pxm: null,
        vdistance: null,
        vmemranges: std::ptr::null_mut(),
        range_flags: null,
        nr_vcpus: 0,
        nr_vnodes: 0,
        nr_vmemranges: 0,
        reserved: 0,
    };
    let at = lender.lend_one(query);
    // SAFETY: a plan that was just made, and structures of their own.
    assert_eq!(unsafe { hvg_plan_layout(plan, at, shape, error) }, 0);
    // SAFETY: nothing was lent wrong.
    let sizes = unsafe { read(at, 1) }[0];
    assert_eq!(sizes.nr_vcpus, vcpus);
    let less = |have: u32, number: u8| have - u32::from(number & 1 != 0).min(have);
    let (vnodes, ranges) =
        (less(sizes.nr_vnodes, input.numbers[2]), less(sizes.nr_vmemranges, input.numbers[3]));
    let of = |len: u32| vec![0_u32; len as usize];
    let full = HvgLayout {
        vcpu_to_vnode: lender.lend(&of(vcpus)),
        apic_ids: lender.lend(&of(vcpus)),
        vnode_to_pnode: lender.lend(&of(vnodes)),
        vnode_pxm: lender.lend(&of(vnodes)),
        vdistance: lender.lend(&of(vnodes * vnodes)),
        vmemranges: lender.lend(&vec![HvgVmemrange::default(); ranges as usize]),
        range_flags: lender.lend(&of(ranges)),
        nr_vcpus: vcpus,
        nr_vnodes: vnodes,
        nr_vmemranges: ranges,
        ..query
    };
    let at = lender.lend_one(full);
    // SAFETY: as above, with arrays of these lengths.
    let status = unsafe { hvg_plan_layout(plan, at, shape, error) };
    let short = vnodes < sizes.nr_vnodes || ranges < sizes.nr_vmemranges;
    assert_eq!(status, if short { -105 } else { 0 });
    if status == 0 {
        // SAFETY: nothing was lent wrong.
        let (ids, nodes) = unsafe {
            (read(full.apic_ids, vcpus as usize), read(full.vcpu_to_vnode, vcpus as usize))
        };
        assert!(nodes.iter().all(|vnode| *vnode < vnodes));
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), ids.len(), "an id twice");
    }
}

fn walk(input: &Input, plan: *mut HvgPlan) {
    let mut lender = Lender::new(&[]);
    let step = lender.lend_one(HvgStep {
        size: size_of::<HvgStep>() as u32,
        version: HVG_VERSION,
        pfn: 0,
        order: 0,
        node: 0,
        kind: 0,
        home: 0,
    });
    let error = std::ptr::null_mut();
    // SAFETY: a plan that was just made, a step of its own, no report.
    unsafe {
        assert_eq!(hvg_populate_next(plan, step, error), -22, "a step without a walk");
        assert_eq!(hvg_populate_report(plan, 1, error), -22);
        let start = u64::from(input.numbers[4]) << 8;
        let pages = u64::from(input.numbers[5]) * 97;
        assert_eq!(hvg_populate_begin(plan, start, pages, error), 0);
        let mut at = start;
        for turn in 0..256 {
            match hvg_populate_next(plan, step, error) {
                0 => return assert_eq!(at, start + pages),
                status => assert_eq!(status, 1),
            }
            let now = read(step, 1)[0];
            assert_eq!(now.pfn, at);
            let granted = u32::from(input.numbers[6] >> (turn % 8) & 1 == 0);
            match hvg_populate_report(plan, granted, error) {
                0 => at += u64::from(granted) << now.order,
                status => return assert_eq!((status, granted, now.order), (-12, 0, 0)),
            }
            assert_eq!(hvg_populate_report(plan, 2, error), -22);
        }
    }
}
