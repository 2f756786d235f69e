//! The gate's answer and dom0's layout, kept in memory that the caller lends.

use acpi_gen::{ApicId, Distance, ProximityDomain};
use hv_glue::populate::Populate;
use hv_glue::{
    ApicIds, Coverage, Gate, GateInput, HostFacts, Layout, LayoutMemory, Limits, MemoryBlocks,
    NodeId, Scheme, Vmemrange, VnodeId, e820,
};

use crate::fault::{Fault, wide};
use crate::host::{self, Facts, len};
use crate::ids::describe;
use crate::lend::{Lent, Work, call, read, read_mut, slice_mut};
use crate::types::{
    HVG_MEMORY_HOTPLUG, HVG_NONE, HVG_REQUEST_PARTIAL, HVG_REQUEST_PINNED, HVG_REQUEST_PVH,
    HvgCondition, HvgError, HvgGate, HvgHost, HvgLayout, HvgRequest, HvgShape, HvgVmemrange,
};
use crate::what::HvgWhat as What;

/// What a plan begins with, so that other memory is not taken for one.
const MAGIC: u64 = u64::from_le_bytes(*b"hvg plan");

/// dom0's layout with its APIC ids. It stands in the scratch memory of
/// `hvg_plan_make` and is valid as long as that.
#[derive(Clone, Copy)]
pub struct HvgPlan {
    magic: u64,
    layout: Layout<'static>,
    ids: ApicIds<'static>,
    walk: Option<Populate<'static>>,
}

impl HvgPlan {
    /// # Safety
    /// `plan` came from `hvg_plan_make`, whose memory nobody else has.
    pub(crate) unsafe fn borrow<'a>(
        lent: &mut Lent,
        plan: *mut Self,
    ) -> Result<&'a mut Self, Fault> {
        lent.output(plan, 1)?;
        // SAFETY: not null and aligned; one number is read through the pointer.
        let magic = unsafe { core::ptr::addr_of!((*plan).magic).read() };
        if magic != MAGIC {
            return Err(Fault::invalid(What::NotAPlan, 0, wide(plan.addr())));
        }
        // SAFETY: by this function's contract, and checked as far as can be.
        Ok(unsafe { &mut *plan })
    }

    pub(crate) const fn layout(&self) -> &Layout<'static> {
        &self.layout
    }

    pub(crate) const fn walk(&mut self) -> &mut Option<Populate<'static>> {
        &mut self.walk
    }
}

/// vCPUs that arrays are sized for: an implausible number fails at the gate.
fn vcpus(request: &HvgRequest, host: &HvgHost) -> u32 {
    request.vcpus.min(host.nr_pcpus)
}

/// The number of bytes that `hvg_plan_make` needs for this host and request.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_work_len(
    host: *const HvgHost,
    request: *const HvgRequest,
    work_len: *mut u64,
    error: *mut HvgError,
) -> i32 {
    let body = |lent: &mut Lent| {
        // SAFETY: the caller's promise.
        let (host, request) = unsafe { (read(lent, host)?, read(lent, request)?) };
        lent.output(work_len, 1)?;
        let vnodes = len(Limits::XEN.vnodes);
        let vcpus = len(vcpus(&request, &host));
        let rooms = [
            host::facts_room(&host),
            Work::room::<HvgPlan>(1),
            Work::room::<Option<ProximityDomain>>(vnodes),
            Work::room::<Option<NodeId>>(vnodes),
            Work::room::<VnodeId>(vcpus),
            Work::room::<Vmemrange>(len(host.nr_blocks)),
            Work::room::<Distance>(vnodes.saturating_mul(vnodes)),
            Work::room::<u32>(vnodes),
            Work::room::<ApicId>(vcpus),
        ];
        let total = rooms.iter().fold(0_usize, |sum, room| sum.saturating_add(*room));
        // SAFETY: noted above.
        unsafe { work_len.write(wide(total)) };
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// Asks the gate, and where it is met lays dom0 out: `*plan` is then not null.
/// A host that cannot be laid out is no failure: the gate is not met, and
/// `error` says why.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said.
/// `work` stays as it is for as long as the plan is used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_make(
    host: *const HvgHost,
    request: *const HvgRequest,
    work: *mut u8,
    work_len: u64,
    gate: *mut HvgGate,
    plan: *mut *mut HvgPlan,
    error: *mut HvgError,
) -> i32 {
    let mut refused = None;
    let body = |lent: &mut Lent| {
        // SAFETY: the caller's promise.
        let (host, request, gate) =
            unsafe { (read(lent, host)?, read(lent, request)?, read_mut(lent, gate)?) };
        host::note(lent, &host)?;
        lent.output(work, work_len)?;
        lent.output(plan, 1)?;
        // SAFETY: noted above. The plan outlives this call, so its slices live as
        // long as `work`, which the caller promises to keep.
        let mut work = unsafe { Work::<'static>::new(work, work_len) };
        // SAFETY: noted above; the facts' own arrays are not kept.
        let facts = unsafe { Facts::lent(&host, &mut work)? };
        let made = make(&facts, &request, &mut work)?;
        let answer = ask(&facts, &request, &made);
        fill(gate, &answer);
        let kept = match made {
            Ok((layout, ids)) if answer.enabled() => {
                let made = HvgPlan { magic: MAGIC, layout, ids, walk: None };
                core::ptr::from_mut(work.take(1, made)?).cast::<HvgPlan>()
            }
            Ok(_) => core::ptr::null_mut(),
            Err(reason) => {
                refused = Some(Fault::from(reason));
                core::ptr::null_mut()
            }
        };
        // SAFETY: noted above.
        unsafe { plan.write(kept) };
        Ok(0)
    };
    // SAFETY: the caller's promise.
    let status = unsafe { call(error, body) };
    match refused {
        // SAFETY: the caller's promise.
        Some(reason) => unsafe { call(error, |_| Err(reason)) }.max(0),
        None => status,
    }
}

type Made = Result<(Layout<'static>, ApicIds<'static>), hv_glue::Error>;

fn make(facts: &Facts<'_>, request: &HvgRequest, work: &mut Work<'static>) -> Result<Made, Fault> {
    let limits = Limits::XEN;
    let host = HostFacts {
        blocks: &facts.blocks,
        cpus: facts.cpus,
        node_to_pxm: facts.node_to_pxm,
        distances: facts.distances,
    };
    if len(request.vcpus) > facts.cpus.len() {
        let pcpus = u32::try_from(facts.cpus.len()).unwrap_or(u32::MAX);
        return Ok(Err(hv_glue::Error::TooManyVcpus { vcpus: request.vcpus, pcpus }));
    }
    let size = match host.layout_size(request.vcpus, limits) {
        Ok(size) => size,
        Err(reason) => return Ok(Err(reason)),
    };
    let memory = LayoutMemory {
        domains: work.take(size.vnodes, None)?,
        pnodes: work.take(size.vnodes, None)?,
        vcpu_to_vnode: work.take(size.vcpus, VnodeId(0))?,
        ranges: work.take(size.ranges, LayoutMemory::UNUSED_RANGE)?,
        distances: work.take(size.distances, Distance::LOCAL)?,
    };
    let layout = match Layout::for_dom0(host, request.vcpus, limits, memory) {
        Ok(layout) => layout,
        Err(reason) => return Ok(Err(reason)),
    };
    let scratch = work.take(layout.domains().len(), 0_u32)?;
    let ids = work.take(layout.vcpu_to_vnode().len(), ApicId(0))?;
    let limit = ApicId(request.apic_id_limit);
    Ok(ApicIds::assign(layout.placement(), Scheme::FirstThatFits, limit, scratch, ids)
        .map(|ids| (layout, ids)))
}

fn ask(facts: &Facts<'_>, request: &HvgRequest, made: &Made) -> Gate {
    let uncovered_pages = match made {
        Ok((layout, _)) => match e820::check_coverage(facts.map, layout.ranges()) {
            Err(hv_glue::Error::RamNotCovered { uncovered, .. }) => uncovered,
            _ => 0,
        },
        Err(_) => 0,
    };
    let count = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    let nodes = match made {
        Ok((layout, _)) => layout.nodes(),
        Err(_) => {
            let used = (0_u32..).zip(facts.node_to_pxm).filter(|(node, _)| {
                facts.blocks.0.iter().any(|block| block.node == *node)
                    || facts.cpus.iter().any(|cpu| cpu.node.0 == *node)
            });
            count(used.count())
        }
    };
    let input = GateInput {
        pvh: request.flags & HVG_REQUEST_PVH != 0,
        pinned: request.flags & HVG_REQUEST_PINNED != 0,
        vcpus: request.vcpus,
        pcpus: request.present_pcpus,
        nodes,
        blocks: count(facts.blocks.count()),
        max_nodes: Limits::XEN.vnodes,
        max_blocks: Limits::XEN.ranges,
        uncovered_pages,
        ids: made.map(|(_, ids)| ids),
        coverage: if request.flags & HVG_REQUEST_PARTIAL != 0 {
            Coverage::Partial
        } else {
            Coverage::Full
        },
    };
    Gate::evaluate(&input, ApicId(request.apic_id_limit))
}

fn fill(out: &mut HvgGate, gate: &Gate) {
    out.enabled = gate.enabled().into();
    out.uncovered_pages = gate.uncovered_pages();
    // The library lists its conditions in the order of HVG_CONDITION_*.
    for ((name, slot), found) in (0..).zip(&mut out.conditions).zip(gate.conditions()) {
        *slot = HvgCondition { name, ok: found.ok.into(), value: found.value, bound: found.bound };
    }
}

/// Copies the layout into the arrays that are lent, skipping null ones, and fills
/// in their lengths. -ENOBUFS where one is too short: then only the lengths are.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said;
/// `plan` came from `hvg_plan_make`, whose memory is still there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_layout(
    plan: *mut HvgPlan,
    layout: *mut HvgLayout,
    shape: *mut HvgShape,
    error: *mut HvgError,
) -> i32 {
    let body = |lent: &mut Lent| {
        // SAFETY: the caller's promise.
        let (plan, out, shape) = unsafe {
            (HvgPlan::borrow(lent, plan)?, read_mut(lent, layout)?, read_mut(lent, shape)?)
        };
        let HvgLayout { nr_vcpus: vcpus, nr_vnodes: vnodes, nr_vmemranges: ranges, .. } = *out;
        lent.output_or_null(out.vcpu_to_vnode, vcpus)?;
        lent.output_or_null(out.apic_ids, vcpus)?;
        lent.output_or_null(out.vnode_to_pnode, vnodes)?;
        lent.output_or_null(out.vnode_pxm, vnodes)?;
        lent.output_or_null(out.vdistance, vnodes.saturating_mul(vnodes))?;
        lent.output_or_null(out.vmemranges, ranges)?;
        lent.output_or_null(out.range_flags, ranges)?;
        // SAFETY: noted above.
        unsafe { copy(plan, out, shape) }
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// # Safety
/// Every array of `out` has passed [`Lent::output_or_null`].
unsafe fn copy(plan: &HvgPlan, out: &mut HvgLayout, shape: &mut HvgShape) -> Result<i32, Fault> {
    let layout = plan.layout();
    let lent = *out;
    let count = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    out.nr_vcpus = count(layout.vcpu_to_vnode().len());
    out.nr_vnodes = count(layout.domains().len());
    out.nr_vmemranges = count(layout.ranges().len());
    let too_short = |have: u32, needed: u32| {
        (have < needed).then(|| Fault::too_short(What::ArrayTooShort, len(have), len(needed)))
    };
    let wants_vcpus = !lent.vcpu_to_vnode.is_null() || !lent.apic_ids.is_null();
    let wants_vnodes =
        !lent.vnode_to_pnode.is_null() || !lent.vnode_pxm.is_null() || !lent.vdistance.is_null();
    let wants_ranges = !lent.vmemranges.is_null() || !lent.range_flags.is_null();
    let short = [
        wants_vcpus.then(|| too_short(lent.nr_vcpus, out.nr_vcpus)),
        wants_vnodes.then(|| too_short(lent.nr_vnodes, out.nr_vnodes)),
        wants_ranges.then(|| too_short(lent.nr_vmemranges, out.nr_vmemranges)),
    ];
    if let Some(fault) = short.into_iter().flatten().flatten().next() {
        return Err(fault);
    }
    describe(&plan.ids, shape);
    let squared = out.nr_vnodes.saturating_mul(out.nr_vnodes);
    // SAFETY: by this function's contract, and long enough by the checks above.
    let (vcpu_to_vnode, apic_ids, pnodes, pxms, distances, ranges, flags) = unsafe {
        (
            slice_mut(lent.vcpu_to_vnode, out.nr_vcpus),
            slice_mut(lent.apic_ids, out.nr_vcpus),
            slice_mut(lent.vnode_to_pnode, out.nr_vnodes),
            slice_mut(lent.vnode_pxm, out.nr_vnodes),
            slice_mut(lent.vdistance, squared),
            slice_mut(lent.vmemranges, out.nr_vmemranges),
            slice_mut(lent.range_flags, out.nr_vmemranges),
        )
    };
    put(vcpu_to_vnode, layout.vcpu_to_vnode().iter().map(|vnode| vnode.0));
    put(apic_ids, plan.ids.as_slice().iter().map(|id| id.0));
    put(pnodes, layout.pnodes().iter().map(|node| node.map_or(HVG_NONE, |node| node.0)));
    put(pxms, layout.domains().iter().map(|pxm| pxm.map_or(HVG_NONE, |pxm| pxm.0)));
    put(distances, layout.distances().iter().map(|distance| distance.get().into()));
    let vmemranges = layout.ranges().iter().map(|range| HvgVmemrange {
        start: range.range.start().0,
        end: range.range.end().0,
        flags: 0,
        nid: range.vnode.0,
    });
    put(ranges, vmemranges);
    let hotplug = |range: &Vmemrange| if range.hotplug { HVG_MEMORY_HOTPLUG } else { 0 };
    put(flags, layout.ranges().iter().map(hotplug));
    Ok(0)
}

/// Fills what is there; arrays that were not lent have no elements.
fn put<T>(into: &mut [T], from: impl Iterator<Item = T>) {
    for (slot, value) in into.iter_mut().zip(from) {
        *slot = value;
    }
}
