//! The steps that populate dom0's memory.

use acpi_gen::Violation;
use hv_glue::Pfn;
use hv_glue::populate::{Binding, MAX_ORDER};

use crate::border::call;
use crate::error::Border;
use crate::plan::HvgPlan;
use crate::types::{
    HVG_ALLOC_ANY, HVG_ALLOC_NODE, HVG_ALLOC_NODE_DMA, HVG_ALLOC_PLAIN, HVG_MAX_ORDER, HVG_NONE,
    HvgError, HvgStep,
};

const _: () = assert!(HVG_MAX_ORDER == u32::from_le_bytes([MAX_ORDER, 0, 0, 0]));
const NO_WALK: Violation = Border::NoWalk.broken(0, 0);

/// Begins to populate `nr_pages` frames from `start` on: a region of RAM. A region
/// that was not finished is given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_populate(
    plan: *mut HvgPlan,
    start: u64,
    nr_pages: u64,
    error: *mut HvgError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        call(error, |arguments| {
            let (dom0, walk) = HvgPlan::dom0(arguments, plan)?;
            *walk = Some(dom0.populate(Pfn(start), nr_pages).pause());
            Ok(0)
        })
    }
}

/// Says what to allocate now: 1 with a step, the same until it is reported on; 0
/// where all is done.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_next(
    plan: *mut HvgPlan,
    step: *mut HvgStep,
    error: *mut HvgError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        call(error, |arguments| {
            let (dom0, walk) = HvgPlan::dom0(arguments, plan)?;
            let step = arguments.read_mut(step)?;
            let Some(request) = dom0.resume(walk.ok_or(NO_WALK)?).next() else { return Ok(0) };
            step.pfn = request.gfn.0;
            step.order = request.order.into();
            step.kind = match request.binding {
                Binding::Node => HVG_ALLOC_NODE,
                Binding::NodeWithDma => HVG_ALLOC_NODE_DMA,
                Binding::AnyNode => HVG_ALLOC_ANY,
                Binding::AnyPage => HVG_ALLOC_PLAIN,
            };
            step.node = match request.node {
                Some(node) if !request.binding.leaves_node() => node.0,
                _ => HVG_NONE,
            };
            step.home = request.node.map_or(HVG_NONE, |node| node.0);
            Ok(1)
        })
    }
}

/// Reports the result of the step: `granted` is 1 where its frames are populated, 0 where
/// the allocation was refused. -ENOMEM where nothing is left to try.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_report(
    plan: *mut HvgPlan,
    granted: u32,
    error: *mut HvgError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        call(error, |arguments| {
            let (dom0, walk) = HvgPlan::dom0(arguments, plan)?;
            let mut populate = dom0.resume(walk.ok_or(NO_WALK)?);
            match granted {
                1 => populate.granted(),
                0 => populate.refused()?,
                other => return Err(Border::StructField.broken(0, other.into())),
            }
            *walk = Some(populate.pause());
            Ok(0)
        })
    }
}
