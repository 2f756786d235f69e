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
        max_elements: 8 * u32::from(input.numbers[3]),
    });
    let work_len = lender.lend_one(0_u64);
    // SAFETY: as in `apic_ids`.
    let status = unsafe { hvg_plan_len(host_at, request, work_len, error) };
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
        nr_nodes: 0,
        nr_vnodes: 0,
        nr_vmemranges: 0,
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
    assert_eq!(status == 0, !plan.is_null());
    if plan.is_null() {
        return;
    }
    // SAFETY: a plan that was just made, and nothing was lent wrong.
    let unmet = unsafe { hvg_plan_unmet(plan, 0, error) };
    assert_eq!(unmet == 1, enabled == 0, "a reason where it is not met, and only there");
    trim(input, plan);
    let rest = walk(input, plan, lender.rest());
    if enabled == 1 {
        layout(input, plan, vcpus, rest);
    }
    guest::tables(input, plan, rest);
}

fn trim(input: &Input, plan: *mut HvgPlan) {
    let mut lender = Lender::new(&input.how);
    let error = lender.lend_one(HvgError { size: size_of_bit::<HvgError>(input, 5), ..NO_ERROR });
    let unused = HvgE820 { kind: 77, ..HvgE820::default() };
    let entries = vec![unused; input.numbers[4].into()];
    let value = HvgMap {
        size: size_of_bit::<HvgMap>(input, 6),
        version: HVG_VERSION,
        nr_pages: u64::from(input.numbers[1]) << (input.numbers[2] % 32),
        modules: u64::from(input.numbers[5]) << (input.numbers[6] % 40),
        entries: lender.lend(&entries),
        nr_entries: entries.len() as u32,
        by_node: 7,
        merged: 0,
        reserved: 0,
        kept_up_to: 0,
        low_pages: 0,
        low_floor: 0,
    };
    let map = lender.lend_one(value);
    let plan = lender.lend_at(plan);
    // SAFETY: as in `apic_ids`; the plan is one, or refused by its first word.
    let status = unsafe { hvg_plan_trim(plan, map, error) };
    judge(&lender, status, error);
    if !lender.wrong {
        // SAFETY: nothing was lent wrong.
        let (out, map) = unsafe { (read(value.entries, entries.len()), read(map, 1)[0]) };
        let written = out.iter().filter(|entry| entry.kind != 77).count();
        assert!(status == 0 || written == 0, "wrote before it failed");
        assert!(status != 0 || map.nr_entries <= entries.len() as u32);
        assert!(status != 0 || map.by_node == 0 || map.nr_entries <= HVG_MAP_ENTRIES);
    }
}

/// A structure's size, another one where this bit of the numbers says so.
fn size_of_bit<T>(input: &Input, bit: u8) -> u32 {
    size_of::<T>() as u32 + u32::from(input.numbers[7] >> bit & 1)
}

fn layout(input: &Input, plan: *mut HvgPlan, vcpus: u32, how: &[How]) {
    let null = std::ptr::null_mut();
    let query = HvgLayout {
        size: size_of::<HvgLayout>() as u32,
        version: HVG_VERSION,
        vcpu_to_vnode: null,
        apic_ids: null,
        vnode_to_pnode: null,
        vdistance: null,
        vmemranges: std::ptr::null_mut(),
        nr_vcpus: 0,
        nr_vnodes: 0,
        nr_vmemranges: 0,
        reserved: 0,
    };
    let shape = HvgShape {
        size: size_of::<HvgShape>() as u32,
        version: HVG_VERSION,
        numbering: 0,
        stride: 0,
        pkg_shift: 0,
        max_per_node: 0,
        highest: 0,
        reserved: 0,
    };
    let sizes = || {
        let mut lender = Lender::new(&[]);
        let (at, shape) = (lender.lend_one(query), lender.lend_one(shape));
        // SAFETY: a plan that was just made, and structures of their own, lent right.
        unsafe {
            assert_eq!(hvg_plan_layout(plan, at, shape, std::ptr::null_mut()), 0);
            read(at, 1)[0]
        }
    };
    let first = sizes();
    assert_eq!(first.nr_vcpus, vcpus);
    let less = |have: u32, number: u8| have - u32::from(number & 1 != 0).min(have);
    let (vnodes, ranges) =
        (less(first.nr_vnodes, input.numbers[2]), less(first.nr_vmemranges, input.numbers[3]));
    let mut lender = Lender::new(how);
    let error = lender.lend_one(HvgError { size: size_of_bit::<HvgError>(input, 0), ..NO_ERROR });
    let plan = lender.lend_at(plan);
    let shape = lender.lend_one(HvgShape { size: size_of_bit::<HvgShape>(input, 1), ..shape });
    let of = |len: u32| vec![0xA5A5_A5A5_u32; len as usize];
    let full = HvgLayout {
        size: size_of_bit::<HvgLayout>(input, 2),
        vcpu_to_vnode: lender.lend(&of(vcpus)),
        apic_ids: lender.lend(&of(vcpus)),
        vnode_to_pnode: lender.lend(&of(vnodes)),
        vdistance: lender.lend(&of(vnodes * vnodes)),
        vmemranges: lender.lend(&vec![HvgVmemrange::default(); ranges as usize]),
        nr_vcpus: vcpus,
        nr_vnodes: vnodes,
        nr_vmemranges: ranges,
        ..query
    };
    // The last one lent: what shares its memory would else write over the pointers in it.
    let at = lender.lend_one(full);
    // SAFETY: as in `apic_ids`; the plan is one, or refused by its first word.
    let status = unsafe { hvg_plan_layout(plan, at, shape, error) };
    judge(&lender, status, error);
    assert!(matches!(status, 0 | -22 | -105), "status {status}");
    let last = sizes();
    assert_eq!((last.nr_vnodes, last.nr_vmemranges), (first.nr_vnodes, first.nr_vmemranges));
    if lender.wrong {
        return;
    }
    let short = vnodes < first.nr_vnodes || ranges < first.nr_vmemranges;
    let header = input.numbers[7] & 7 != 0;
    assert_eq!(
        status,
        if header {
            -22
        } else if short {
            -105
        } else {
            0
        }
    );
    // SAFETY: nothing was lent wrong.
    let told = unsafe { read(at, 1) }[0];
    let lengths = |of: &HvgLayout| [of.nr_vcpus, of.nr_vnodes, of.nr_vmemranges];
    assert_eq!(lengths(&told), lengths(if header { &full } else { &first }));
    // SAFETY: nothing was lent wrong.
    let (ids, nodes) =
        unsafe { (read(full.apic_ids, vcpus as usize), read(full.vcpu_to_vnode, vcpus as usize)) };
    if status != 0 {
        return assert_eq!((ids, nodes), (of(vcpus), of(vcpus)), "wrote before it failed");
    }
    assert!(nodes.iter().all(|vnode| *vnode < vnodes));
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), ids.len(), "an id twice");
}

const NO_ERROR: HvgError = HvgError {
    size: size_of::<HvgError>() as u32,
    version: HVG_VERSION,
    what: 0,
    reserved: 0,
    index: 0,
    value: 0,
};

/// Each call of the walk twice: as `how` says, and right. What the first is refused, it leaves as it was.
fn walk<'i>(input: &Input, plan: *mut HvgPlan, how: &'i [How]) -> &'i [How] {
    let mut lender = Lender::new(how);
    let report = HvgError { size: size_of_bit::<HvgError>(input, 3), ..NO_ERROR };
    let hostile_error = lender.lend_one(report);
    let hostile_plan = lender.lend_at(plan);
    let step = HvgStep {
        size: size_of::<HvgStep>() as u32,
        version: HVG_VERSION,
        pfn: u64::MAX,
        order: 0,
        node: 0,
        kind: 0,
        home: 0,
    };
    let hostile_step = lender.lend_one(HvgStep { size: size_of_bit::<HvgStep>(input, 4), ..step });
    let rest = lender.rest();
    let mut right = Lender::new(&[]);
    let (step, error) = (right.lend_one(step), std::ptr::null_mut());
    let start = u64::from(input.numbers[4]) << 8;
    let pages = u64::from(input.numbers[5]) * 97;
    // SAFETY: as in `apic_ids`; `plan` was just made, and `hostile_plan` is that or refused by its first word.
    unsafe {
        assert_eq!(hvg_plan_next(plan, step, error), -22, "a step without a walk");
        assert_eq!(hvg_plan_report(plan, 1, error), -22);
        let refused = hvg_plan_populate(hostile_plan, start, pages, hostile_error);
        judge(&lender, refused, hostile_error);
        assert_eq!(hvg_plan_populate(plan, start, pages, error), 0);
        let mut at = start;
        for turn in 0..256 {
            let hostile = hvg_plan_next(hostile_plan, hostile_step, hostile_error);
            judge(&lender, hostile, hostile_error);
            let status = hvg_plan_next(plan, step, error);
            assert!(hostile == -22 || (refused == 0 && hostile == status), "{hostile} {status}");
            if status == 0 {
                assert_eq!(at, start + pages);
                break;
            }
            assert_eq!(status, 1);
            let now = read(step, 1)[0];
            assert_eq!(now.pfn, at);
            if hostile == 1 {
                assert_eq!(read(hostile_step, 1)[0].pfn, at);
            }
            // What was refused a walk before is refused what would change it, too.
            if refused != 0 {
                assert_eq!(hvg_plan_populate(hostile_plan, 0, 1, hostile_error), refused);
                assert_eq!(hvg_plan_report(hostile_plan, 1, hostile_error), refused);
            }
            assert_eq!(hvg_plan_report(hostile_plan, 2, hostile_error), -22);
            judge(&lender, -22, hostile_error);
            let granted = u32::from(input.numbers[6] >> (turn % 8) & 1 == 0);
            match hvg_plan_report(plan, granted, error) {
                0 => at += u64::from(granted) << now.order,
                status => {
                    assert_eq!((status, granted, now.order), (-12, 0, 0));
                    break;
                }
            }
        }
    }
    rest
}
