//! The plan of a toolstack's guest.

use acpi_gen::{
    ApicId, Distance, Distances, MemoryRange, Processor, ProcessorState, ProcessorUid,
    ProximityDomain,
};
use hv_glue::{ArenaSize, GuestRequest, NodeId};

use crate::border::{Arguments, Work, call, read, slice};
use crate::plan::{HvgPlan, Kind, arena, arena_room, convert, count, len, range};
use crate::rules::{Border, Fault, wide};
use crate::types::{
    HVG_MEMORY_HOTPLUG, HVG_MEMORY_NONVOLATILE, HVG_PROCESSOR_ONLINE_CAPABLE, HvgError, HvgGuest,
    HvgMemory, HvgProcessor,
};

/// The number of bytes that `hvg_guest_make` needs for this guest.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_guest_len(
    guest: *const HvgGuest,
    memory_len: *mut u64,
    error: *mut HvgError,
) -> i32 {
    let body = |arguments: &mut Arguments| {
        // SAFETY: the caller's promise.
        let guest = unsafe { read(arguments, guest)? };
        arguments.output(memory_len, 1)?;
        let (processors, distances) = (len(guest.nr_processors), len(guest.nr_distances));
        let rooms = [
            Work::room::<HvgPlan>(1),
            Work::room::<Processor>(processors),
            Work::room::<MemoryRange>(len(guest.nr_memory)),
            Work::room::<ProximityDomain>(distances),
            Work::room::<Distance>(distances.saturating_mul(distances)),
            Work::room::<NodeId>(len(guest.nr_pnodes)),
            arena_room(ArenaSize::for_guest(processors), guest.max_elements),
        ];
        let total = rooms.iter().fold(0_usize, |sum, room| sum.saturating_add(*room));
        // SAFETY: noted above.
        unsafe { memory_len.write(wide(total)) };
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// Plans a guest. Its APIC ids are 2 * vCPU until `hvg_guest_ids` says otherwise. Nothing of
/// `guest` is kept.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said. `memory` stays
/// as it is for as long as the plan is used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_guest_make(
    guest: *const HvgGuest,
    memory: *mut u8,
    memory_len: u64,
    plan: *mut *mut HvgPlan,
    error: *mut HvgError,
) -> i32 {
    let body = |arguments: &mut Arguments| {
        // SAFETY: the caller's promise.
        let guest = unsafe { read(arguments, guest)? };
        let squared = guest.nr_distances.saturating_mul(guest.nr_distances);
        arguments.input(guest.processors, guest.nr_processors.into())?;
        arguments.input(guest.memory, guest.nr_memory.into())?;
        arguments.input(guest.distance_pxm, guest.nr_distances.into())?;
        arguments.input(guest.distances, squared.into())?;
        arguments.input(guest.pnodes, guest.nr_pnodes.into())?;
        arguments.output(memory, memory_len)?;
        arguments.output(plan, 1)?;
        // SAFETY: noted above; the plan's slices live as long as `memory`, which the caller
        // promises to keep.
        let (processors, ranges, pxms, distances, pnodes, mut work) = unsafe {
            (
                slice(guest.processors, guest.nr_processors),
                slice(guest.memory, guest.nr_memory),
                slice(guest.distance_pxm, guest.nr_distances),
                slice(guest.distances, squared),
                slice(guest.pnodes, guest.nr_pnodes),
                Work::<'static>::new(memory, memory_len),
            )
        };
        let [slot] = work.slots::<HvgPlan>(1)? else { return Ok(0) };
        let made = slot.write(HvgPlan::GUEST);
        let Kind::Guest(of) = &mut made.plan.kind else { return Ok(0) };
        let request = GuestRequest {
            processors: convert(processors, &mut work, processor)?,
            memory: convert(ranges, &mut work, memory_range)?,
            distances: Distances {
                domains: convert(pxms, &mut work, |_, pxm| Ok(ProximityDomain(*pxm)))?,
                matrix: convert(distances, &mut work, |_, value| Ok(Distance::clamped(*value)))?,
            },
            pnodes: convert(pnodes, &mut work, |_, pnode| Ok(NodeId(*pnode)))?,
        };
        let size = ArenaSize::for_guest(processors.len());
        of.build(request, arena(&mut work, size)?)?;
        made.plan.spare = work.into_rest();
        // SAFETY: noted above.
        unsafe { plan.write(made) };
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// Gives a guest's vCPUs the ids that the hypervisor returned
/// (XEN_DOMCTL_get_vcpu_apicids); with `ids` null those that a hypervisor with hv-glue gives
/// an opted-in guest.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said; `plan` came from
/// `hvg_guest_make`, whose memory is still there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_guest_ids(
    plan: *mut HvgPlan,
    ids: *const u32,
    nr_ids: u32,
    error: *mut HvgError,
) -> i32 {
    let body = |arguments: &mut Arguments| {
        // SAFETY: the caller's promise.
        let of = unsafe { HvgPlan::borrow(arguments, plan)? };
        arguments.input(ids, if ids.is_null() { 0 } else { nr_ids.into() })?;
        let Kind::Guest(guest) = &mut of.kind else {
            return Err(Fault::invalid(Border::NotAPlan, 0, wide(plan.addr())));
        };
        if ids.is_null() {
            guest.derive_ids()?;
        } else {
            // SAFETY: noted above; ApicId is a transparent u32.
            guest.set_ids(unsafe { slice(ids.cast::<ApicId>(), nr_ids) })?;
        }
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

fn processor(index: usize, from: &HvgProcessor) -> Result<Processor, Fault> {
    Ok(Processor {
        uid: ProcessorUid(count(index)),
        apic_id: ApicId(0),
        domain: Some(ProximityDomain(from.pxm)),
        state: match from.flags {
            0 => ProcessorState::Enabled,
            HVG_PROCESSOR_ONLINE_CAPABLE => ProcessorState::OnlineCapable,
            other => return Err(bad_element(index, other)),
        },
    })
}

fn memory_range(index: usize, from: &HvgMemory) -> Result<MemoryRange, Fault> {
    if from.flags & !(HVG_MEMORY_HOTPLUG | HVG_MEMORY_NONVOLATILE) != 0 {
        return Err(bad_element(index, from.flags));
    }
    Ok(MemoryRange {
        range: range(index, from.start, from.end)?,
        domain: ProximityDomain(from.pxm),
        hot_pluggable: from.flags & HVG_MEMORY_HOTPLUG != 0,
        non_volatile: from.flags & HVG_MEMORY_NONVOLATILE != 0,
    })
}

pub(crate) fn bad_element(index: usize, value: u32) -> Fault {
    Fault::invalid(Border::ElementField, wide(index), value.into())
}
