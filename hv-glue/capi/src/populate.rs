//! Walking through dom0's memory, allocation by allocation.

use hv_glue::Pfn;
use hv_glue::populate::{Binding, MAX_ORDER, Populate};

use crate::fault::Fault;
use crate::lend::{Lent, call, read_mut};
use crate::plan::HvgPlan;
use crate::types::{
    HVG_ALLOC_ANY, HVG_ALLOC_NODE, HVG_ALLOC_NODE_DMA, HVG_ALLOC_PLAIN, HVG_MAX_ORDER, HVG_NONE,
    HvgError, HvgStep,
};
use crate::what::HvgWhat as What;

const _: () = assert!(HVG_MAX_ORDER == u32::from_le_bytes([MAX_ORDER, 0, 0, 0]));

/// Begins to populate `nr_pages` frames from `start` on: a region of RAM. A walk
/// that was not finished is given up.
///
/// # Safety
/// `plan` came from `hvg_plan_make`, whose memory is still there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_populate_begin(
    plan: *mut HvgPlan,
    start: u64,
    nr_pages: u64,
    error: *mut HvgError,
) -> i32 {
    let body = |lent: &mut Lent| {
        // SAFETY: the caller's promise.
        let plan = unsafe { HvgPlan::borrow(lent, plan)? };
        *plan.walk() = Some(Populate::new(*plan.layout(), Pfn(start), nr_pages));
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// Says what to allocate now: 1 with a step, the same until it is reported on; 0
/// where all is done.
///
/// # Safety
/// As `hvg_populate_begin`; `step` is null or points at an initialised structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_populate_next(
    plan: *mut HvgPlan,
    step: *mut HvgStep,
    error: *mut HvgError,
) -> i32 {
    let body = |lent: &mut Lent| {
        // SAFETY: the caller's promise.
        let (plan, step) = unsafe { (HvgPlan::borrow(lent, plan)?, read_mut(lent, step)?) };
        let walk = plan.walk().as_ref().ok_or(Fault::invalid(What::NoWalk, 0, 0))?;
        let Some(request) = walk.next() else { return Ok(0) };
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
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// Reports what became of the step: `granted` is 1 where its frames are
/// populated, 0 where the allocation was refused. -ENOMEM where nothing is left
/// to try.
///
/// # Safety
/// As `hvg_populate_begin`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_populate_report(
    plan: *mut HvgPlan,
    granted: u32,
    error: *mut HvgError,
) -> i32 {
    let body = |lent: &mut Lent| {
        // SAFETY: the caller's promise.
        let plan = unsafe { HvgPlan::borrow(lent, plan)? };
        let walk = plan.walk().as_mut().ok_or(Fault::invalid(What::NoWalk, 0, 0))?;
        match granted {
            1 => walk.granted(),
            0 => walk.refused()?,
            other => return Err(Fault::invalid(What::StructField, 0, other.into())),
        }
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}
