//! The plan of a dom0: its host, gate and memory map.

use acpi_gen::ProximityDomain;
use hv_glue::e820::{E820Entry, E820Type};
use hv_glue::{
    ArenaSize, Dom0Plan, Dom0Request, HostCpu, HostFacts, Layout, MemoryBlock, MemoryRequest,
    NodeId, PcpuId,
};

use crate::border::{call, call_with_reason, count, index};
use crate::error::Border;
use crate::plan::{HvgPlan, PlanOf, arena, no_plan, plan_room, range};
use crate::types::{
    HVG_MEMORY_HOTPLUG, HVG_NONE, HVG_REQUEST_PARTIAL, HVG_REQUEST_PINNED, HVG_REQUEST_PVH,
    HvgE820, HvgError, HvgGate, HvgHost, HvgMap, HvgRequest,
};
use crate::work::Work;

fn arena_size(host: &HvgHost, request: &HvgRequest) -> ArenaSize {
    ArenaSize::for_dom0(index(request.vcpus), index(host.nr_e820), index(host.nr_blocks))
}

/// The number of bytes that `hvg_plan_make` needs for this host and request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_len(
    host: *const HvgHost,
    request: *const HvgRequest,
    memory_len: *mut u64,
    error: *mut HvgError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        call(error, |arguments| {
            let (host, request) = (arguments.read(host)?, arguments.read(request)?);
            let facts = [
                Work::room::<MemoryBlock>(index(host.nr_blocks)),
                Work::room::<HostCpu>(index(host.nr_pcpus)),
                Work::room::<Option<ProximityDomain>>(index(host.nr_nodes)),
                Work::room::<E820Entry>(index(host.nr_e820)),
            ];
            let size = arena_size(&host, &request);
            let total = plan_room(size, request.max_elements, &facts);
            arguments.place(memory_len)?.write(total);
            Ok(0)
        })
    }
}

/// Plans a dom0: asks the gate, and where it is met lays dom0 out. A host that cannot be laid
/// out is no failure: the gate is not met. Nothing of `host` is kept.
/// `memory` stays as it is for as long as the plan is used.
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
    // SAFETY: the caller's promise. The plan outlives this call, so its slices live as long
    // as `memory`, which the caller promises to keep; those of `host` are converted.
    unsafe {
        call(error, |arguments| {
            let (host, request) = (arguments.read(host)?, arguments.read(request)?);
            let gate = arguments.read_mut(gate)?;
            let blocks = arguments.slice(host.blocks, host.nr_blocks)?;
            let map = arguments.slice(host.e820, host.nr_e820)?;
            let pcpus = arguments.slice(host.pcpus, host.nr_pcpus)?;
            let pcpu_node = arguments.slice(host.pcpu_node, host.nr_pcpus)?;
            let node_pxm = arguments.slice(host.node_pxm, host.nr_nodes)?;
            let pairs = if host.distances.is_null() { 0 } else { host.nr_nodes };
            let distances = arguments.slice(host.distances, pairs.saturating_mul(pairs))?;
            let mut work = arguments.work(memory, memory_len)?;
            let plan = arguments.place(plan)?;

            let made = HvgPlan::start(&mut work, || PlanOf::Dom0(Dom0Plan::new()))?;
            let PlanOf::Dom0(dom0) = made.of() else { return Err(no_plan(made)) };
            let pxm = |pxm: u32| (pxm != HVG_NONE).then_some(ProximityDomain(pxm));
            let cpus = pcpus.iter().zip(pcpu_node);
            let facts = HostFacts {
                blocks: work.convert(blocks, |at, block| {
                    let range = range(at, block.start, block.end)?;
                    let hotplug = block.flags & HVG_MEMORY_HOTPLUG != 0;
                    Ok(MemoryBlock { range, node: NodeId(block.node), hotplug })
                })?,
                cpus: work.collect(
                    pcpus.len(),
                    cpus.map(|(pcpu, node)| {
                        Ok(HostCpu { pcpu: PcpuId(*pcpu), node: NodeId(*node) })
                    }),
                )?,
                node_to_pxm: work.convert(node_pxm, |_, domain| Ok(pxm(*domain)))?,
                distances,
                // Entries without bytes are left out.
                map: work.collect(
                    map.len(),
                    map.iter().enumerate().filter(|(_, entry)| entry.start != entry.end).map(
                        |(at, entry)| {
                            let range = range(at, entry.start, entry.end)?;
                            Ok(E820Entry { range, kind: E820Type(entry.kind) })
                        },
                    ),
                )?,
            };
            let asked = Dom0Request {
                pvh: request.flags & HVG_REQUEST_PVH != 0,
                pinned: request.flags & HVG_REQUEST_PINNED != 0,
                vcpus: request.vcpus,
                pcpus: request.present_pcpus,
                partial: request.flags & HVG_REQUEST_PARTIAL != 0,
            };
            dom0.build(facts, asked, arena(&mut work, arena_size(&host, &request))?)?;
            let layout = dom0.layout();
            gate.enabled = layout.is_some().into();
            gate.nr_nodes = layout.map_or(0, |layout| count(layout.domains().len()));
            gate.nr_vnodes = layout.map_or(0, Layout::vnodes);
            gate.nr_vmemranges = layout.map_or(0, |layout| count(layout.memory().len()));
            plan.write(made.keep(work));
            Ok(0)
        })
    }
}

/// Says why dom0 gets no vNUMA: 1 with the reason at `index` in `error`, 0 where there are no
/// more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_unmet(
    plan: *mut HvgPlan,
    index: u32,
    error: *mut HvgError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        call_with_reason(error, |arguments| {
            let (dom0, _) = HvgPlan::dom0(arguments, plan)?;
            let reason = dom0.unmet().nth(crate::border::index(index));
            Ok((reason.is_some().into(), reason))
        })
    }
}

/// Trims the host's map to dom0's pages: for a PVH dom0 of several nodes, each node in
/// proportion, of which room for the kernel and RAM below 4 GiB come first; else, or where that
/// is refused and `error` says why, in address order as Xen does. What dom0 does not get becomes
/// unusable. Fills in the numbers; -ENOBUFS where `entries` are too few.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_trim(
    plan: *mut HvgPlan,
    map: *mut HvgMap,
    error: *mut HvgError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        call_with_reason(error, |arguments| {
            let (dom0, _) = HvgPlan::dom0(arguments, plan)?;
            let out = arguments.read_mut(map)?;
            let entries = arguments.optional_mut(out.entries, out.nr_entries)?;
            let HvgMap { nr_pages, modules, .. } = *out;
            dom0.trim(MemoryRequest { nr_pages, modules, keep: None })?;
            let have = out.nr_entries;
            out.nr_entries = count(dom0.memory_map().count());
            out.by_node = dom0.is_by_node().into();
            out.merged = dom0.merged();
            out.kept_up_to = dom0.kept_up_to().0;
            (out.low_pages, out.low_floor) = (dom0.low_pages(), dom0.low_floor());
            if !out.entries.is_null() && have < out.nr_entries {
                return Err(Border::ArrayTooShort.broken(have.into(), out.nr_entries.into()));
            }
            for (slot, entry) in entries.iter_mut().zip(dom0.memory_map()) {
                let (start, end) = (entry.range.start().0, entry.range.end().0);
                *slot = HvgE820 { start, end, kind: entry.kind.0, reserved: 0 };
            }
            Ok((0, dom0.first_fit()))
        })
    }
}
