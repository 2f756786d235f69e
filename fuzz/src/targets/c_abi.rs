//! The C interface with hostile arguments: null, misaligned and overlapping
//! pointers, structures of another size or version, numbers out of range, scratch
//! memory too short by any amount. Whatever comes: a status and a reason, no byte
//! outside of what was lent, and outputs as they were after a failure.

use arbitrary::{Arbitrary, Unstructured};
use hvg::types::*;
use hvg::*;

use crate::Interest;
use crate::encode::{Encode, encode_fields};
use crate::host::Host;
use crate::lent::{How, Lender, read};
use crate::machine::Machine;

/// A call and its arguments.
#[derive(Arbitrary, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Which call.
    pub call: u8,
    /// How each argument is lent, in order.
    pub how: Vec<How>,
    /// Added to every structure's size, and to its version.
    pub header: (u8, u8),
    /// Scratch memory beyond what is asked for; the high half is negative.
    pub slack: u8,
    /// Flags of the request, the tables or the shape.
    pub flags: u8,
    /// Lengths, limits and other numbers.
    pub numbers: [u8; 8],
    /// 32-bit arguments.
    pub words: Vec<u32>,
    /// For the tables.
    pub machine: Machine,
    /// For the plan and the trim.
    pub host: Host,
}

impl Encode for (u8, u8) {
    fn encode(&self, to: &mut Vec<u8>) {
        self.0.encode(to);
        self.1.encode(to);
    }
}
encode_fields!(Input { call, how, header, slack, flags, numbers, words, machine, host });

/// The most scratch memory that is lent.
const MAX_WORK: u64 = 1 << 20;
const POISON: u8 = 0xA5;

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else { return Interest::Reject };
    match input.call % 5 {
        0 => apic_ids(&input),
        1 => tables(&input),
        2 => plan(&input),
        3 => trim(&input),
        _ => frames_and_leaves(&input),
    }
    Interest::Keep
}

impl Input {
    fn size<T>(&self) -> u32 {
        size_of::<T>() as u32 + u32::from(self.header.0)
    }

    fn version(&self) -> u32 {
        HVG_VERSION + u32::from(self.header.1)
    }

    fn work(&self, needed: u64) -> Vec<u8> {
        let len =
            needed.min(MAX_WORK).saturating_add_signed(i8::from_le_bytes([self.slack]).into());
        vec![POISON; len as usize]
    }

    fn error(&self) -> HvgError {
        let (size, version) = (self.size::<HvgError>(), self.version());
        HvgError { size, version, what: 0, reserved: 0, index: 0, value: 0 }
    }

    fn shape(&self) -> HvgShape {
        HvgShape {
            size: self.size::<HvgShape>(),
            version: self.version(),
            numbering: self.numbers[0].into(),
            stride: self.numbers[1].into(),
            pkg_shift: self.numbers[2].into(),
            max_per_node: self.numbers[3].into(),
            highest: 0,
            reserved: 0,
        }
    }
}

/// What holds of every call: a status of Xen's, and a reason for each failure.
fn judge(lender: &Lender<'_>, status: i32, error: *const HvgError) {
    assert!(matches!(status, 0 | 1 | -1 | -7 | -12 | -22 | -34 | -105), "status {status}");
    if !lender.wrong {
        // SAFETY: nothing was lent wrong.
        let error = unsafe { read(error, 1) }[0];
        let taken = error.size == size_of::<HvgError>() as u32 && error.version == HVG_VERSION;
        assert!(status >= 0 || !taken || error.what != 0, "a failure without a reason");
        assert_ne!(error.what, 0xFF, "a rule without a number");
    }
}

fn apic_ids(input: &Input) {
    let domains: Vec<u32> =
        input.host.node_to_pxm.iter().map(|pxm| pxm.map_or(HVG_NONE, |p| p.get().0)).collect();
    let vcpus: Vec<u32> = input.host.cpus.iter().map(|vnode| (*vnode).into()).collect();
    let work = input.work(domains.len() as u64 * 12 + 16);
    let poison = vec![0xA5A5_A5A5_u32; vcpus.len()];
    let mut lender = Lender::new(&input.how);
    let error = lender.lend_one(input.error());
    let (of_vcpus, of_vnodes) = (lender.lend(&vcpus), lender.lend(&domains));
    let (work_at, ids) = (lender.lend(&work), lender.lend(&poison));
    let shape = lender.lend_one(input.shape());
    let limit = input.words.first().copied().unwrap_or(254);
    // SAFETY: every pointer is null, refused before it is followed, or points at
    // as many initialised elements as are said.
    let status = unsafe {
        let (vcpus, vnodes) = (vcpus.len() as u32, domains.len() as u32);
        hvg_apic_ids(
            of_vcpus,
            vcpus,
            of_vnodes,
            vnodes,
            limit,
            work_at,
            work.len() as u64,
            ids,
            shape,
            error,
        )
    };
    judge(&lender, status, error);
    if !lender.wrong {
        // SAFETY: nothing was lent wrong.
        let written = unsafe { read(ids, poison.len()) };
        assert!(status == 0 || written == poison, "wrote before it failed");
        assert!(status != 0 || written.iter().all(|id| *id <= limit));
    }
}

fn tables(input: &Input) {
    let parts = input.machine.parts();
    let described = parts.description();
    let processors: Vec<_> = described
        .processors
        .iter()
        .map(|p| HvgProcessor {
            apic_id: p.apic_id.0,
            pxm: p.domain.map_or(HVG_NONE, |domain| domain.0),
            flags: u32::from(p.state == acpi_gen::ProcessorState::OnlineCapable)
                | u32::from(input.numbers[4] & 0xF0),
        })
        .collect();
    let memory: Vec<_> = described
        .memory
        .iter()
        .map(|m| HvgMemory {
            start: m.range.start().0,
            end: if input.numbers[5] == 1 { m.range.start().0 } else { m.range.end().0 },
            pxm: m.domain.0,
            flags: u32::from(m.hot_pluggable) | u32::from(m.non_volatile) << 1,
        })
        .collect();
    let domains: Vec<u32> = described.distances.domains.iter().map(|domain| domain.0).collect();
    let matrix: Vec<u32> = (0..domains.len() * domains.len())
        .map(|at| described.distances.matrix.get(at).map_or(20, |d| d.get().into()))
        .collect();
    let io_apics: Vec<_> = described
        .io_apics
        .iter()
        .map(|io| HvgIoApic { id: io.id.into(), address: io.address, gsi_base: io.gsi_base })
        .collect();
    let numbers = |at: usize| input.words.get(at).copied().unwrap_or_default();
    let overrides: Vec<_> = described
        .overrides
        .iter()
        .map(|o| HvgOverride { source: o.source.into(), gsi: o.gsi, flags: numbers(0) })
        .collect();
    let nmis: Vec<_> = described
        .nmis
        .iter()
        .map(|n| HvgNmi { uid: HVG_NONE, lint: n.lint.into(), flags: numbers(1) })
        .collect();
    let foreign: Vec<u64> = input.words.iter().map(|word| (*word).into()).collect();

    let mut lender = Lender::new(&input.how);
    let error = lender.lend_one(input.error());
    let value = HvgTables {
        size: input.size::<HvgTables>(),
        version: input.version(),
        processors: lender.lend(&processors),
        memory: lender.lend(&memory),
        distance_pxm: lender.lend(&domains),
        distances: lender.lend(&matrix),
        io_apics: lender.lend(&io_apics),
        overrides: lender.lend(&overrides),
        nmis: lender.lend(&nmis),
        foreign: lender.lend(&foreign),
        nr_processors: processors.len() as u32,
        nr_memory: memory.len() as u32,
        nr_distances: domains.len() as u32,
        nr_io_apics: io_apics.len() as u32,
        nr_overrides: overrides.len() as u32,
        nr_nmis: nmis.len() as u32,
        nr_foreign: foreign.len() as u32,
        flags: input.flags.into(),
        madt_revision: input.numbers[6].into(),
        oem_revision: described.oem.revision,
        oem_id: described.oem.id,
        oem_table_id: described.oem.table_id,
        reserved: [0; 2],
    };
    let tables = lender.lend_one(value);
    let (work_len, tables_len) = (lender.lend_one(0_u64), lender.lend_one(u64::MAX));
    // SAFETY: as in `apic_ids`.
    let status = unsafe { hvg_tables_work_len(tables, work_len, error) };
    judge(&lender, status, error);
    if status != 0 {
        return;
    }
    // SAFETY: the call was good, so the pointer was.
    let work = input.work(unsafe { read(work_len, 1) }[0]);
    let work_at = lender.lend(&work);
    // SAFETY: as in `apic_ids`.
    let status = unsafe { hvg_tables_len(tables, work_at, work.len() as u64, tables_len, error) };
    judge(&lender, status, error);
    if status != 0 {
        return;
    }
    // SAFETY: as above.
    let len = unsafe { read(tables_len, 1) }[0];
    if len > 1 << 16 {
        return;
    }
    let have = len.saturating_add_signed(i8::from_le_bytes([input.numbers[7]]).into());
    let buffer = vec![POISON; have as usize];
    let buffer_at = lender.lend(&buffer);
    let placed = HvgPlaced {
        size: input.size::<HvgPlaced>(),
        version: input.version(),
        rsdp: 1,
        madt: 1,
        len: 1,
    };
    let placed_at = lender.lend_one(placed);
    let base = u64::from(numbers(2)) << 4;
    // SAFETY: as in `apic_ids`.
    let status = unsafe {
        hvg_tables_emit(
            tables,
            work_at,
            work.len() as u64,
            buffer_at,
            have as u32,
            base,
            placed_at,
            error,
        )
    };
    judge(&lender, status, error);
    if !lender.wrong {
        // SAFETY: nothing was lent wrong.
        let (bytes, placed) = unsafe { (read(buffer_at, buffer.len()), read(placed_at, 1)[0]) };
        if status == 0 {
            assert_eq!((placed.len, placed.rsdp), (len, base));
            assert!(
                bytes.starts_with(b"RSD PTR ")
                    && bytes[len as usize..].iter().all(|b| *b == POISON)
            );
        } else {
            assert_eq!((bytes, placed.len), (buffer, 1), "wrote before it failed");
        }
    }
}

/// The host's arrays, lent.
fn host(input: &Input, lender: &mut Lender<'_>) -> HvgHost {
    let parts = input.host.parts();
    let blocks: Vec<_> = parts
        .blocks
        .iter()
        .map(|b| HvgBlock {
            start: b.range.start().0,
            end: b.range.end().0,
            node: b.node.0,
            flags: u32::from(b.hotplug),
        })
        .collect();
    let map: Vec<_> = parts
        .map
        .iter()
        .map(|e| HvgE820 {
            start: e.range.start().0,
            end: e.range.end().0,
            kind: e.kind.0,
            reserved: 0,
        })
        .collect();
    let pcpus: Vec<u32> = parts.cpus.iter().map(|cpu| cpu.pcpu.0).collect();
    let nodes: Vec<u32> = parts.cpus.iter().map(|cpu| cpu.node.0).collect();
    let pxms: Vec<u32> = parts.node_to_pxm.iter().map(|p| p.map_or(HVG_NONE, |p| p.0)).collect();
    let mut distances = parts.distances;
    distances.resize(pxms.len() * pxms.len(), 20);
    HvgHost {
        size: input.size::<HvgHost>(),
        version: input.version(),
        blocks: lender.lend(&blocks),
        e820: lender.lend(&map),
        pcpus: lender.lend(&pcpus),
        pcpu_node: lender.lend(&nodes),
        node_pxm: lender.lend(&pxms),
        distances: if input.numbers[0] == 0 { std::ptr::null() } else { lender.lend(&distances) },
        nr_blocks: blocks.len() as u32,
        nr_e820: map.len() as u32,
        nr_pcpus: pcpus.len() as u32,
        nr_nodes: pxms.len() as u32,
    }
}

fn plan(input: &Input) {
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

fn trim(input: &Input) {
    let mut lender = Lender::new(&input.how);
    let error = lender.lend_one(input.error());
    let host = host(input, &mut lender);
    let host_at = lender.lend_one(host);
    let keep: Vec<_> = input
        .words
        .chunks_exact(2)
        .map(|pair| HvgRange {
            start: u64::from(pair[0]) << 12,
            end: (u64::from(pair[0]) + u64::from(pair[1])) << 12,
        })
        .collect();
    let value = HvgTrim {
        size: input.size::<HvgTrim>(),
        version: input.version(),
        nr_pages: u64::from(input.numbers[1]) << (input.numbers[2] % 32),
        keep: lender.lend(&keep),
        nr_keep: keep.len() as u32,
        max_entries: input.numbers[3].into(),
        nr_entries: 0,
        merged: 0,
    };
    let trim = lender.lend_one(value);
    let work_len = lender.lend_one(0_u64);
    // SAFETY: as in `apic_ids`.
    let status = unsafe { hvg_e820_work_len(host_at, trim, work_len, error) };
    judge(&lender, status, error);
    if status != 0 {
        return;
    }
    // SAFETY: the call was good, so the pointer was.
    let work = input.work(unsafe { read(work_len, 1) }[0]);
    let work_at = lender.lend(&work);
    let unused = HvgE820 { kind: 77, ..HvgE820::default() };
    let entries = vec![unused; input.numbers[4].into()];
    let entries_at = lender.lend(&entries);
    // SAFETY: as in `apic_ids`.
    let status = unsafe {
        let len = entries.len() as u32;
        hvg_e820_trim(host_at, trim, work_at, work.len() as u64, entries_at, len, error)
    };
    judge(&lender, status, error);
    if !lender.wrong {
        // SAFETY: nothing was lent wrong.
        let (out, trim) = unsafe { (read(entries_at, entries.len()), read(trim, 1)[0]) };
        let written = out.iter().filter(|entry| entry.kind != 77).count();
        assert!(status == 0 || written == 0, "wrote before it failed");
        assert!(status != 0 || entries.is_empty() || trim.nr_entries <= entries.len() as u32);
    }
}

fn frames_and_leaves(input: &Input) {
    let ranges: Vec<_> = input
        .words
        .chunks_exact(3)
        .map(|w| HvgPxmRange { start: w[0].into(), end: w[1].into(), pxm: w[2] })
        .collect();
    let nr = u32::from(input.numbers[0]) << (input.numbers[1] % 8);
    let mfns: Vec<u64> = (0..u64::from(nr.min(HVG_MFN_PXMS_MAX))).collect();
    let mut lender = Lender::new(&input.how);
    let error = lender.lend_one(input.error());
    let (ranges_at, mfns_at) = (lender.lend(&ranges), lender.lend(&mfns));
    let pxms = lender.lend(&vec![0xA5A5_A5A5_u32; mfns.len()]);
    let (hardware, pad) = (u32::from(input.flags & 1), u32::from(input.numbers[2]));
    // SAFETY: as in `apic_ids`.
    let status = unsafe {
        hvg_mfn_pxms(ranges_at, ranges.len() as u32, hardware, nr, pad, mfns_at, pxms, error)
    };
    judge(&lender, status, error);

    let mut lender = Lender::new(&input.how);
    let error = lender.lend_one(input.error());
    let leaves = [HvgLeaf::default(); 5];
    let cpuid = HvgCpuid {
        size: input.size::<HvgCpuid>(),
        version: input.version(),
        leaf_1: lender.lend_one(leaves[0]),
        leaf_4: lender.lend(&leaves[..usize::from(input.numbers[4] % 6)]),
        leaf_b: lender.lend(&leaves[..usize::from(input.numbers[5] % 6)]),
        leaf_80000008: lender.lend_one(leaves[0]),
        nr_leaf_4: (input.numbers[4] % 6).into(),
        nr_leaf_b: (input.numbers[5] % 6).into(),
        vendor: input.numbers[6].into(),
        reserved: 0,
    };
    let cpuid = lender.lend_one(cpuid);
    let shape = lender.lend_one(input.shape());
    // SAFETY: as in `apic_ids`.
    let status = unsafe { hvg_cpuid_patch(cpuid, shape, error) };
    judge(&lender, status, error);
}
