//! The plan of a toolstack's guest.

use acpi_gen::{
    ApicId, Distance, Distances, MemoryRange, Processor, ProcessorState, ProcessorUid,
    ProximityDomain, Violation,
};
use hv_glue::{ArenaSize, GuestPlan, GuestRequest, NodeId};

use crate::border::{call, count, index};
use crate::error::bad_element;
use crate::plan::{HvgPlan, PlanOf, arena, no_plan, plan_room, range};
use crate::types::{
    HVG_MEMORY_HOTPLUG, HVG_MEMORY_NONVOLATILE, HVG_PROCESSOR_ONLINE_CAPABLE, HvgError, HvgGuest,
    HvgMemory, HvgProcessor,
};
use crate::work::Work;

/// The number of bytes that `hvg_guest_make` needs for this guest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_guest_len(
    guest: *const HvgGuest,
    memory_len: *mut u64,
    error: *mut HvgError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        call(error, |arguments| {
            let guest = arguments.read(guest)?;
            let (processors, domains) = (index(guest.nr_processors), index(guest.nr_distances));
            let request = [
                Work::room::<Processor>(processors),
                Work::room::<MemoryRange>(index(guest.nr_memory)),
                Work::room::<ProximityDomain>(domains),
                Work::room::<Distance>(domains.saturating_mul(domains)),
                Work::room::<NodeId>(index(guest.nr_pnodes)),
            ];
            let size = ArenaSize::for_guest(processors);
            arguments.place(memory_len)?.write(plan_room(size, guest.max_elements, &request));
            Ok(0)
        })
    }
}

/// Plans a guest. Its APIC ids are 2 * vCPU until `hvg_guest_ids` says otherwise. Nothing of
/// `guest` is kept.
/// `memory` stays as it is for as long as the plan is used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_guest_make(
    guest: *const HvgGuest,
    memory: *mut u8,
    memory_len: u64,
    plan: *mut *mut HvgPlan,
    error: *mut HvgError,
) -> i32 {
    // SAFETY: the caller's promise; the plan's slices live as long as `memory`, which the
    // caller promises to keep.
    unsafe {
        call(error, |arguments| {
            let guest = arguments.read(guest)?;
            let processors = arguments.slice(guest.processors, guest.nr_processors)?;
            let ranges = arguments.slice(guest.memory, guest.nr_memory)?;
            let domains = arguments.slice(guest.distance_pxm, guest.nr_distances)?;
            let pairs = guest.nr_distances.saturating_mul(guest.nr_distances);
            let distances = arguments.slice(guest.distances, pairs)?;
            let pnodes = arguments.slice(guest.pnodes, guest.nr_pnodes)?;
            let mut work = arguments.work(memory, memory_len)?;
            let plan = arguments.place(plan)?;

            let made = HvgPlan::start(&mut work, || PlanOf::Guest(GuestPlan::new()))?;
            let PlanOf::Guest(of) = made.of() else { return Err(no_plan(made)) };
            let request = GuestRequest {
                processors: work.convert(processors, processor)?,
                memory: work.convert(ranges, memory_range)?,
                distances: Distances {
                    domains: work.convert(domains, |_, domain| Ok(ProximityDomain(*domain)))?,
                    matrix: work.convert(distances, |_, value| Ok(Distance::clamped(*value)))?,
                },
                pnodes: work.convert(pnodes, |_, pnode| Ok(NodeId(*pnode)))?,
            };
            of.build(request, arena(&mut work, ArenaSize::for_guest(processors.len()))?)?;
            plan.write(made.keep(work));
            Ok(0)
        })
    }
}

/// Gives a guest's vCPUs the ids that the hypervisor returned
/// (XEN_DOMCTL_get_vcpu_apicids); with `ids` null those that a hypervisor with hv-glue gives
/// an opted-in guest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_guest_ids(
    plan: *mut HvgPlan,
    ids: *const u32,
    nr_ids: u32,
    error: *mut HvgError,
) -> i32 {
    // SAFETY: the caller's promise; ApicId is a transparent u32.
    unsafe {
        call(error, |arguments| {
            let made = HvgPlan::borrow(arguments, plan)?;
            let PlanOf::Guest(guest) = &mut made.of else { return Err(no_plan(plan)) };
            if ids.is_null() {
                guest.derive_ids()?;
            } else {
                guest.set_ids(arguments.slice(ids.cast::<ApicId>(), nr_ids)?)?;
            }
            Ok(0)
        })
    }
}

fn processor(at: usize, from: &HvgProcessor) -> Result<Processor, Violation> {
    let processor = Processor::on(ProximityDomain(from.pxm), ProcessorUid(count(at)));
    match from.flags {
        0 => Ok(processor),
        HVG_PROCESSOR_ONLINE_CAPABLE => {
            Ok(Processor { state: ProcessorState::OnlineCapable, ..processor })
        }
        other => Err(bad_element(at, other)),
    }
}

fn memory_range(at: usize, from: &HvgMemory) -> Result<MemoryRange, Violation> {
    if from.flags & !(HVG_MEMORY_HOTPLUG | HVG_MEMORY_NONVOLATILE) != 0 {
        return Err(bad_element(at, from.flags));
    }
    Ok(MemoryRange {
        range: range(at, from.start, from.end)?,
        domain: ProximityDomain(from.pxm),
        hot_pluggable: from.flags & HVG_MEMORY_HOTPLUG != 0,
        non_volatile: from.flags & HVG_MEMORY_NONVOLATILE != 0,
    })
}
