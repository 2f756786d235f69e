//! The opaque plan, in caller-provided memory: a dom0's or a guest's.

use core::mem::MaybeUninit;

use acpi_gen::{Gpa, GpaRange, ProximityDomain};
use hv_glue::e820::{E820Entry, E820Type};
use hv_glue::populate::Walk;
use hv_glue::{
    Arena, ArenaSize, Dom0Plan, Dom0Request, GuestPlan, HostCpu, HostFacts, Layout, MemoryBlock,
    MemoryRequest, NodeId, Numbering, PackageShape, PcpuId,
};

use crate::border::{Arguments, Work, call, read, read_mut, slice, slice_mut};
use crate::rules::{Border, Fault, wide};
use crate::types::{
    HVG_MEMORY_HOTPLUG, HVG_NONE, HVG_NUMBERING_DENSE, HVG_NUMBERING_DOMAIN, HVG_REQUEST_PARTIAL,
    HVG_REQUEST_PINNED, HVG_REQUEST_PVH, HvgE820, HvgError, HvgGate, HvgHost, HvgLayout, HvgMap,
    HvgRequest, HvgShape, HvgVmemrange,
};

/// What a plan begins with, so that other memory is not taken for one.
const MAGIC: u64 = u64::from_le_bytes(*b"hvg plan");

/// A plan. It is in the memory that was given to `hvg_plan_make` or `hvg_guest_make` and
/// is valid as long as that.
pub struct HvgPlan {
    pub(crate) plan: Plan,
}

// Of memory that holds no plan, only the first 8 bytes are read.
const _: () = assert!(core::mem::offset_of!(HvgPlan, plan.magic) == 0);

#[repr(C)]
pub(crate) struct Plan {
    magic: u64,
    pub(crate) kind: Kind,
    pub(crate) walk: Option<Walk>,
    /// Memory for the tables' arrays.
    pub(crate) spare: &'static mut [MaybeUninit<u8>],
}

#[expect(clippy::large_enum_variant, reason = "in the caller's memory: there is no heap for a box")]
pub(crate) enum Kind {
    Dom0(Dom0Plan<'static>),
    Guest(GuestPlan<'static>),
}

impl HvgPlan {
    pub(crate) const DOM0: Self = Self::empty(Kind::Dom0(Dom0Plan::EMPTY));
    pub(crate) const GUEST: Self = Self::empty(Kind::Guest(GuestPlan::EMPTY));

    const fn empty(kind: Kind) -> Self {
        Self { plan: Plan { magic: MAGIC, kind, walk: None, spare: &mut [] } }
    }

    /// # Safety
    /// `plan` came from `hvg_plan_make` or `hvg_guest_make`, whose memory nobody else has.
    pub(crate) unsafe fn borrow<'a>(
        arguments: &mut Arguments,
        plan: *mut Self,
    ) -> Result<&'a mut Plan, Fault> {
        arguments.output(plan, 1)?;
        // SAFETY: not null and aligned; one number is read through the pointer.
        let magic = unsafe { core::ptr::addr_of!((*plan).plan.magic).read() };
        if magic != MAGIC {
            return Err(Fault::invalid(Border::NotAPlan, 0, wide(plan.addr())));
        }
        // SAFETY: by this function's contract, and checked as far as can be.
        Ok(unsafe { &mut (*plan).plan })
    }

    /// As [`HvgPlan::borrow`], for a dom0's plan.
    ///
    /// # Safety
    /// As [`HvgPlan::borrow`].
    pub(crate) unsafe fn dom0<'a>(
        arguments: &mut Arguments,
        plan: *mut Self,
    ) -> Result<(&'a mut Dom0Plan<'static>, &'a mut Option<Walk>), Fault> {
        // SAFETY: by this function's contract.
        match unsafe { Self::borrow(arguments, plan)? } {
            Plan { kind: Kind::Dom0(dom0), walk, .. } => Ok((dom0, walk)),
            _ => Err(Fault::invalid(Border::NotAPlan, 0, wide(plan.addr()))),
        }
    }
}

pub(crate) fn len(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

pub(crate) fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// The range of an element of an array.
pub(crate) fn range(index: usize, start: u64, end: u64) -> Result<GpaRange, Fault> {
    GpaRange::new(Gpa(start), Gpa(end))
        .map_err(|_| Fault::invalid(Border::ElementField, wide(index), start))
}

/// Bytes of an arena, and of the arrays of so many elements of the tables.
pub(crate) fn arena_room(size: ArenaSize, elements: u32) -> usize {
    let ArenaSize { processors, pieces, scratch } = size;
    let rooms = [
        Work::room::<acpi_gen::Processor>(processors),
        Work::room::<hv_glue::e820::Piece>(pieces),
        Work::room::<u32>(scratch),
        crate::tables::room(elements),
    ];
    rooms.iter().fold(0, |sum: usize, room| sum.saturating_add(*room))
}

pub(crate) fn arena<'a>(work: &mut Work<'a>, size: ArenaSize) -> Result<Arena<'a>, Fault> {
    Ok(Arena {
        processors: work.take(size.processors, Arena::PROCESSOR)?,
        pieces: work.take(size.pieces, hv_glue::e820::Piece::UNUSED)?,
        scratch: work.take(size.scratch, 0)?,
    })
}

fn dom0_size(host: &HvgHost, request: &HvgRequest) -> ArenaSize {
    ArenaSize::for_dom0(len(request.vcpus), len(host.nr_e820), len(host.nr_blocks))
}

/// The number of bytes that `hvg_plan_make` needs for this host and request.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_len(
    host: *const HvgHost,
    request: *const HvgRequest,
    memory_len: *mut u64,
    error: *mut HvgError,
) -> i32 {
    let body = |arguments: &mut Arguments| {
        // SAFETY: the caller's promise.
        let (host, request) = unsafe { (read(arguments, host)?, read(arguments, request)?) };
        arguments.output(memory_len, 1)?;
        let rooms = [
            Work::room::<HvgPlan>(1),
            Work::room::<MemoryBlock>(len(host.nr_blocks)),
            Work::room::<HostCpu>(len(host.nr_pcpus)),
            Work::room::<Option<ProximityDomain>>(len(host.nr_nodes)),
            Work::room::<E820Entry>(len(host.nr_e820)),
            arena_room(dom0_size(&host, &request), request.max_elements),
        ];
        let total = rooms.iter().fold(0_usize, |sum, room| sum.saturating_add(*room));
        // SAFETY: noted above.
        unsafe { memory_len.write(wide(total)) };
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// Plans a dom0: asks the gate, and where it is met lays dom0 out. A host that cannot be laid
/// out is no failure: the gate is not met. Nothing of `host` is kept.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said. `memory` stays
/// as it is for as long as the plan is used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_make(
    host: *const HvgHost,
    request: *const HvgRequest,
    memory: *mut u8,
    memory_len: u64,
    gate: *mut HvgGate,
    plan: *mut *mut HvgPlan,
    error: *mut HvgError,
) -> i32 {
    let body = |arguments: &mut Arguments| {
        // SAFETY: the caller's promise.
        let (host, request, gate) = unsafe {
            (read(arguments, host)?, read(arguments, request)?, read_mut(arguments, gate)?)
        };
        note(arguments, &host)?;
        arguments.output(memory, memory_len)?;
        arguments.output(plan, 1)?;
        // SAFETY: noted above. The plan outlives this call, so its slices live as
        // long as `memory`, which the caller promises to keep.
        let mut work = unsafe { Work::<'static>::new(memory, memory_len) };
        let [slot] = work.slots::<HvgPlan>(1)? else { return Ok(0) };
        let made = slot.write(HvgPlan::DOM0);
        let Kind::Dom0(dom0) = &mut made.plan.kind else { return Ok(0) };
        // SAFETY: noted above.
        let facts = unsafe { facts(&host, &mut work)? };
        let size = dom0_size(&host, &request);
        let asked = Dom0Request {
            pvh: request.flags & HVG_REQUEST_PVH != 0,
            pinned: request.flags & HVG_REQUEST_PINNED != 0,
            vcpus: request.vcpus,
            pcpus: request.present_pcpus,
            partial: request.flags & HVG_REQUEST_PARTIAL != 0,
        };
        dom0.build(facts, asked, arena(&mut work, size)?)?;
        let layout = dom0.layout();
        gate.enabled = layout.is_some().into();
        gate.nr_nodes = layout.map_or(0, |layout| count(layout.domains().len()));
        gate.nr_vnodes = layout.map_or(0, Layout::vnodes);
        gate.nr_vmemranges = layout.map_or(0, |layout| count(layout.memory().len()));
        made.plan.spare = work.into_rest();
        // SAFETY: noted above.
        unsafe { plan.write(made) };
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// Says why dom0 gets no vNUMA: 1 with the reason at `index` in `error`, 0 where there are no
/// more.
///
/// # Safety
/// `error` is null or points at an initialised structure; `plan` came from `hvg_plan_make`,
/// whose memory is still there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_unmet(
    plan: *mut HvgPlan,
    index: u32,
    error: *mut HvgError,
) -> i32 {
    let mut reason = None;
    let body = |arguments: &mut Arguments| {
        // SAFETY: the caller's promise.
        let (dom0, _) = unsafe { HvgPlan::dom0(arguments, plan)? };
        reason = dom0.unmet().nth(len(index));
        Ok(reason.is_some().into())
    };
    // SAFETY: the caller's promise.
    let status = unsafe { call(error, body) };
    // SAFETY: the caller's promise.
    unsafe { explain(error, status, reason) }
}

/// A call's status, with a report of why it did less than it could.
///
/// # Safety
/// As [`call`].
unsafe fn explain(error: *mut HvgError, status: i32, reason: Option<hv_glue::Error>) -> i32 {
    if let Some(reason) = reason.filter(|_| status >= 0) {
        // SAFETY: by this function's contract.
        unsafe { call(error, |_| Err(reason.into())) };
    }
    status
}

/// Elements of the distances: all, or none.
fn distances_len(host: &HvgHost) -> u32 {
    if host.distances.is_null() { 0 } else { host.nr_nodes.saturating_mul(host.nr_nodes) }
}

/// Notes every array of the host as read by this call.
fn note(arguments: &mut Arguments, host: &HvgHost) -> Result<(), Fault> {
    arguments.input(host.blocks, host.nr_blocks.into())?;
    arguments.input(host.e820, host.nr_e820.into())?;
    arguments.input(host.pcpus, host.nr_pcpus.into())?;
    arguments.input(host.pcpu_node, host.nr_pcpus.into())?;
    arguments.input(host.node_pxm, host.nr_nodes.into())?;
    arguments.input(host.distances, distances_len(host).into())
}

/// The host as the library takes it. The distances are the caller's own array.
///
/// # Safety
/// [`note`] has passed this host in this call, and its arrays are initialised.
unsafe fn facts(host: &HvgHost, work: &mut Work<'static>) -> Result<HostFacts<'static>, Fault> {
    // SAFETY: by this function's contract. The distances are not kept beyond the call.
    let (blocks, map, pcpus, pcpu_node, node_pxm, distances) = unsafe {
        (
            slice(host.blocks, host.nr_blocks),
            slice(host.e820, host.nr_e820),
            slice(host.pcpus, host.nr_pcpus),
            slice(host.pcpu_node, host.nr_pcpus),
            slice(host.node_pxm, host.nr_nodes),
            slice(host.distances, distances_len(host)),
        )
    };
    let blocks = convert(blocks, work, |index, block| {
        let range = range(index, block.start, block.end)?;
        let hotplug = block.flags & HVG_MEMORY_HOTPLUG != 0;
        Ok(MemoryBlock { range, node: NodeId(block.node), hotplug })
    })?;
    let cpus = work.take(pcpus.len(), HostCpu { pcpu: PcpuId(0), node: NodeId(0) })?;
    for ((cpu, pcpu), node) in cpus.iter_mut().zip(pcpus).zip(pcpu_node) {
        *cpu = HostCpu { pcpu: PcpuId(*pcpu), node: NodeId(*node) };
    }
    let node_to_pxm =
        convert(node_pxm, work, |_, pxm| Ok((*pxm != HVG_NONE).then_some(ProximityDomain(*pxm))))?;
    Ok(HostFacts { blocks, cpus, node_to_pxm, distances, map: map_entries(map, work)? })
}

/// Each element in the library's form.
pub(crate) fn convert<'a, F, T: Copy>(
    from: &[F],
    work: &mut Work<'a>,
    element: impl Fn(usize, &F) -> Result<T, Fault>,
) -> Result<&'a [T], Fault> {
    // `T` has no default, so the first element fills the slots until they are converted.
    let Some(first) = from.first() else { return Ok(&[]) };
    let into = work.take(from.len(), element(0, first)?)?;
    for ((index, slot), value) in into.iter_mut().enumerate().zip(from) {
        *slot = element(index, value)?;
    }
    Ok(into)
}

/// A memory map; entries without bytes are left out.
fn map_entries<'a>(map: &[HvgE820], work: &mut Work<'a>) -> Result<&'a [E820Entry], Fault> {
    let Ok(none) = GpaRange::new(Gpa(0), Gpa(1)) else { return Ok(&[]) };
    let entries = work.take(map.len(), E820Entry { range: none, kind: E820Type::RESERVED })?;
    let mut filled = 0_usize;
    for (index, entry) in map.iter().enumerate() {
        if entry.start != entry.end
            && let Some(slot) = entries.get_mut(filled)
        {
            let range = range(index, entry.start, entry.end)?;
            *slot = E820Entry { range, kind: E820Type(entry.kind) };
            filled = filled.saturating_add(1);
        }
    }
    Ok(entries.get(..filled).unwrap_or_default())
}

/// Trims the host's map to dom0's pages: for a PVH dom0 of several nodes, each node in
/// proportion, of which room for the kernel and RAM below 4 GiB come first; else, or where that
/// is refused and `error` says why, in address order as Xen does. What dom0 does not get becomes
/// unusable. Fills in the numbers; -ENOBUFS where `entries` are too few.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said; `plan` came from
/// `hvg_plan_make`, whose memory is still there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_trim(
    plan: *mut HvgPlan,
    map: *mut HvgMap,
    error: *mut HvgError,
) -> i32 {
    let mut refusal = None;
    let body = |arguments: &mut Arguments| {
        // SAFETY: the caller's promise.
        let ((dom0, _), out) =
            unsafe { (HvgPlan::dom0(arguments, plan)?, read_mut(arguments, map)?) };
        arguments.output_or_null(out.entries, out.nr_entries)?;
        // SAFETY: noted above.
        let entries = unsafe { slice_mut(out.entries, out.nr_entries) };
        let HvgMap { nr_pages, modules, .. } = *out;
        dom0.trim(MemoryRequest { nr_pages, modules, keep: None })?;
        let needed = dom0.memory_map().count();
        out.nr_entries = count(needed);
        out.by_node = dom0.is_by_node().into();
        out.merged = dom0.merged();
        out.kept_up_to = dom0.kept_up_to().0;
        (out.low_pages, out.low_floor) = (dom0.low_pages(), dom0.low_floor());
        refusal = dom0.first_fit();
        if !out.entries.is_null() && entries.len() < needed {
            return Err(Fault::too_short(Border::ArrayTooShort, entries.len(), needed));
        }
        for (slot, entry) in entries.iter_mut().zip(dom0.memory_map()) {
            let (start, end) = (entry.range.start().0, entry.range.end().0);
            *slot = HvgE820 { start, end, kind: entry.kind.0, reserved: 0 };
        }
        Ok(0)
    };
    // SAFETY: the caller's promise.
    let status = unsafe { call(error, body) };
    // SAFETY: the caller's promise.
    unsafe { explain(error, status, refusal) }
}

/// Copies the layout into the caller's arrays, skipping null ones, and fills in their
/// lengths. -ENOBUFS where one is too short: then only the lengths are.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said; `plan` came from
/// `hvg_plan_make` with the gate met, or from `hvg_guest_make`, whose memory is still there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_layout(
    plan: *mut HvgPlan,
    layout: *mut HvgLayout,
    shape: *mut HvgShape,
    error: *mut HvgError,
) -> i32 {
    let body = |arguments: &mut Arguments| {
        // SAFETY: the caller's promise.
        let (of, out, shape) = unsafe {
            (
                HvgPlan::borrow(arguments, plan)?,
                read_mut(arguments, layout)?,
                read_mut(arguments, shape)?,
            )
        };
        let HvgLayout { nr_vcpus: vcpus, nr_vnodes: vnodes, nr_vmemranges: ranges, .. } = *out;
        arguments.output_or_null(out.vcpu_to_vnode, vcpus)?;
        arguments.output_or_null(out.apic_ids, vcpus)?;
        arguments.output_or_null(out.vnode_to_pnode, vnodes)?;
        arguments.output_or_null(out.vdistance, vnodes.saturating_mul(vnodes))?;
        arguments.output_or_null(out.vmemranges, ranges)?;
        // SAFETY: noted above.
        unsafe { copy(of, out, shape) }
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// # Safety
/// Every array of `out` has passed [`Arguments::output_or_null`].
unsafe fn copy(plan: &Plan, out: &mut HvgLayout, shape: &mut HvgShape) -> Result<i32, Fault> {
    let (layout, processors, of, at_boot) = match &plan.kind {
        Kind::Dom0(plan) => (plan.layout(), plan.processors(), plan.shape(), false),
        Kind::Guest(plan) => (Some(plan.layout()), plan.processors(), plan.shape(), true),
    };
    let layout = layout.ok_or(Fault::invalid(Border::NotAPlan, 0, 0))?;
    let ranges = || layout.memory().iter().filter(|memory| !(at_boot && memory.hot_pluggable));
    let given = *out;
    out.nr_vcpus = count(processors.len());
    out.nr_vnodes = layout.vnodes();
    out.nr_vmemranges = count(ranges().count());
    let too_short = |wanted: bool, have: u32, needed: u32| {
        let short = || Fault::too_short(Border::ArrayTooShort, len(have), len(needed));
        (wanted && have < needed).then(short)
    };
    let wants_vcpus = !given.vcpu_to_vnode.is_null() || !given.apic_ids.is_null();
    let wants_vnodes = !given.vnode_to_pnode.is_null() || !given.vdistance.is_null();
    let short = too_short(wants_vcpus, given.nr_vcpus, out.nr_vcpus)
        .or(too_short(wants_vnodes, given.nr_vnodes, out.nr_vnodes))
        .or(too_short(!given.vmemranges.is_null(), given.nr_vmemranges, out.nr_vmemranges));
    if let Some(fault) = short {
        return Err(fault);
    }
    let highest = processors.iter().map(|processor| processor.apic_id.0).max().unwrap_or(0);
    describe(of, highest, shape);
    let squared = out.nr_vnodes.saturating_mul(out.nr_vnodes);
    // SAFETY: by this function's contract, and long enough by the checks above.
    let (vcpu_to_vnode, apic_ids, pnodes, distances, vmemranges) = unsafe {
        (
            slice_mut(given.vcpu_to_vnode, out.nr_vcpus),
            slice_mut(given.apic_ids, out.nr_vcpus),
            slice_mut(given.vnode_to_pnode, out.nr_vnodes),
            slice_mut(given.vdistance, squared),
            slice_mut(given.vmemranges, out.nr_vmemranges),
        )
    };
    let vnodes = || (0..out.nr_vnodes).map(hv_glue::VnodeId);
    let vnode = |domain| layout.vnode(domain).map_or(HVG_NONE, |vnode| vnode.0);
    put(vcpu_to_vnode, processors.iter().map(|cpu| cpu.domain.map_or(HVG_NONE, vnode)));
    put(apic_ids, processors.iter().map(|cpu| cpu.apic_id.0));
    let pnode = |vnode| layout.domain(vnode).and_then(|domain| layout.pnode(domain));
    put(pnodes, vnodes().map(|vnode| pnode(vnode).map_or(HVG_NONE, |pnode| pnode.0)));
    let pairs = vnodes().flat_map(|from| vnodes().map(move |to| (from, to)));
    put(distances, pairs.map(|(from, to)| layout.distance(from, to).get().into()));
    let vmemrange = |memory: &acpi_gen::MemoryRange| HvgVmemrange {
        start: memory.range.start().0,
        end: memory.range.end().0,
        flags: 0,
        nid: vnode(memory.domain),
    };
    put(vmemranges, ranges().map(vmemrange));
    Ok(0)
}

/// Fills what is there; null arrays have no elements.
fn put<T>(into: &mut [T], from: impl Iterator<Item = T>) {
    for (slot, value) in into.iter_mut().zip(from) {
        *slot = value;
    }
}

/// Fills in the shape of ids.
pub(crate) fn describe(shape: Option<PackageShape>, highest: u32, out: &mut HvgShape) {
    out.highest = highest;
    (out.numbering, out.stride, out.pkg_shift, out.max_per_node) = match shape {
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
