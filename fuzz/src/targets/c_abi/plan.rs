//! The plan of a dom0: its layout, memory map and populate walk.

use super::*;

pub(super) fn run(input: &Input) {
    let mut arguments = Arguments::new(&input.how);
    let error = arguments.value(input.error());
    let host = host(input, &mut arguments);
    let host_at = arguments.value(host);
    let vcpus = if input.numbers[1] == 0 { host.nr_pcpus } else { input.numbers[1].into() };
    let request = arguments.value(HvgRequest {
        size: input.size::<HvgRequest>(),
        version: input.version(),
        vcpus,
        present_pcpus: host.nr_pcpus,
        flags: input.flags.into(),
        max_elements: 8 * u32::from(input.numbers[3]),
    });
    let work_len = arguments.value(0_u64);
    // SAFETY: as in `apic_ids`.
    let status = unsafe { hvg_plan_len(host_at, request, work_len, error) };
    check(&arguments, status, error);
    if status != 0 {
        return;
    }
    // SAFETY: the call was good, so the pointer was.
    let work = input.work(unsafe { read(work_len, 1) }[0]);
    let work_at = arguments.array(&work);
    let gate = arguments.value(HvgGate {
        size: input.size::<HvgGate>(),
        version: input.version(),
        enabled: 7,
        nr_nodes: 0,
        nr_vnodes: 0,
        nr_vmemranges: 0,
    });
    let made = arguments.value(std::ptr::null_mut::<HvgPlan>());
    // SAFETY: as in `apic_ids`.
    let status =
        unsafe { hvg_plan_make(host_at, request, work_at, work.len() as u64, gate, made, error) };
    if arguments.wrong {
        // A refusal is told in the report, and a report that is not right is not written.
        return assert!(status <= 0);
    }
    // SAFETY: every argument is right.
    let (plan, enabled) = unsafe { (read(made, 1)[0], read(gate, 1)[0].enabled) };
    assert!(matches!(status, 0 | -22 | -105), "status {status}");
    assert_eq!(status == 0, !plan.is_null());
    if plan.is_null() {
        return;
    }
    // SAFETY: a plan that was just made, and every argument is right.
    let unmet = unsafe { hvg_plan_unmet(plan, 0, error) };
    assert_eq!(unmet == 1, enabled == 0, "a reason where it is not met, and only there");
    trim(input, plan);
    let rest = walk(input, plan, arguments.rest());
    if enabled == 1 {
        layout(input, plan, vcpus, rest);
    }
    guest::tables(input, plan, rest);
}

fn trim(input: &Input, plan: *mut HvgPlan) {
    let mut arguments = Arguments::new(&input.how);
    let error = arguments.value(HvgError { size: size_of_bit::<HvgError>(input, 5), ..NO_ERROR });
    let unused = HvgE820 { kind: 77, ..HvgE820::default() };
    let entries = vec![unused; input.numbers[4].into()];
    let value = HvgMap {
        size: size_of_bit::<HvgMap>(input, 6),
        version: HVG_VERSION,
        nr_pages: u64::from(input.numbers[1]) << (input.numbers[2] % 32),
        modules: u64::from(input.numbers[5]) << (input.numbers[6] % 40),
        entries: arguments.array(&entries),
        nr_entries: entries.len() as u32,
        by_node: 7,
        merged: 0,
        reserved: 0,
        kept_up_to: 0,
        low_pages: 0,
        low_floor: 0,
    };
    let map = arguments.value(value);
    let plan = arguments.existing(plan);
    // SAFETY: as in `apic_ids`; the plan is one, or refused by its first word.
    let status = unsafe { hvg_plan_trim(plan, map, error) };
    check(&arguments, status, error);
    if !arguments.wrong {
        // SAFETY: every argument is right.
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

fn layout(input: &Input, plan: *mut HvgPlan, vcpus: u32, how: &[Form]) {
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
        let mut arguments = Arguments::new(&[]);
        let (at, shape) = (arguments.value(query), arguments.value(shape));
        // SAFETY: a plan that was just made, and structures of their own in the right form.
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
    let mut arguments = Arguments::new(how);
    let error = arguments.value(HvgError { size: size_of_bit::<HvgError>(input, 0), ..NO_ERROR });
    let plan = arguments.existing(plan);
    let shape = arguments.value(HvgShape { size: size_of_bit::<HvgShape>(input, 1), ..shape });
    let of = |len: u32| vec![0xA5A5_A5A5_u32; len as usize];
    let full = HvgLayout {
        size: size_of_bit::<HvgLayout>(input, 2),
        vcpu_to_vnode: arguments.array(&of(vcpus)),
        apic_ids: arguments.array(&of(vcpus)),
        vnode_to_pnode: arguments.array(&of(vnodes)),
        vdistance: arguments.array(&of(vnodes * vnodes)),
        vmemranges: arguments.array(&vec![HvgVmemrange::default(); ranges as usize]),
        nr_vcpus: vcpus,
        nr_vnodes: vnodes,
        nr_vmemranges: ranges,
        ..query
    };
    // The last argument: what shares its memory would else write over the pointers in it.
    let at = arguments.value(full);
    // SAFETY: as in `apic_ids`; the plan is one, or refused by its first word.
    let status = unsafe { hvg_plan_layout(plan, at, shape, error) };
    check(&arguments, status, error);
    assert!(matches!(status, 0 | -22 | -105), "status {status}");
    let last = sizes();
    assert_eq!((last.nr_vnodes, last.nr_vmemranges), (first.nr_vnodes, first.nr_vmemranges));
    if arguments.wrong {
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
    // SAFETY: every argument is right.
    let told = unsafe { read(at, 1) }[0];
    let lengths = |of: &HvgLayout| [of.nr_vcpus, of.nr_vnodes, of.nr_vmemranges];
    assert_eq!(lengths(&told), lengths(if header { &full } else { &first }));
    // SAFETY: every argument is right.
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
fn walk<'i>(input: &Input, plan: *mut HvgPlan, how: &'i [Form]) -> &'i [Form] {
    let mut arguments = Arguments::new(how);
    let report = HvgError { size: size_of_bit::<HvgError>(input, 3), ..NO_ERROR };
    let hostile_error = arguments.value(report);
    let hostile_plan = arguments.existing(plan);
    let step = HvgStep {
        size: size_of::<HvgStep>() as u32,
        version: HVG_VERSION,
        pfn: u64::MAX,
        order: 0,
        node: 0,
        kind: 0,
        home: 0,
    };
    let hostile_step = arguments.value(HvgStep { size: size_of_bit::<HvgStep>(input, 4), ..step });
    let rest = arguments.rest();
    let mut right = Arguments::new(&[]);
    let (step, error) = (right.value(step), std::ptr::null_mut());
    let start = u64::from(input.numbers[4]) << 8;
    let pages = u64::from(input.numbers[5]) * 97;
    // SAFETY: as in `apic_ids`; `plan` was just made, and `hostile_plan` is that or refused by its first word.
    unsafe {
        assert_eq!(hvg_plan_next(plan, step, error), -22, "a step without a walk");
        assert_eq!(hvg_plan_report(plan, 1, error), -22);
        let refused = hvg_plan_populate(hostile_plan, start, pages, hostile_error);
        check(&arguments, refused, hostile_error);
        assert_eq!(hvg_plan_populate(plan, start, pages, error), 0);
        let mut at = start;
        for turn in 0..256 {
            let hostile = hvg_plan_next(hostile_plan, hostile_step, hostile_error);
            check(&arguments, hostile, hostile_error);
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
            check(&arguments, -22, hostile_error);
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
