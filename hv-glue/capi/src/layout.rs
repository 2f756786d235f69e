//! A plan's layout and the shape of its ids, for the hypervisor.

use acpi_gen::{MemoryRange, Violation};
use hv_glue::{Numbering, PackageShape, Stride, VnodeId};

use crate::border::{call, count};
use crate::error::Border;
use crate::plan::{HvgPlan, PlanOf, no_plan};
use crate::types::{
    HVG_NONE, HVG_NUMBERING_DENSE, HVG_NUMBERING_DOMAIN, HvgError, HvgLayout, HvgShape,
    HvgVmemrange,
};

/// Copies the layout into the caller's arrays, skipping null ones, and fills in their
/// lengths. -ENOBUFS where one is too short: then only the lengths are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_layout(
    plan: *mut HvgPlan,
    layout: *mut HvgLayout,
    shape: *mut HvgShape,
    error: *mut HvgError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        call(error, |arguments| {
            let made = HvgPlan::borrow(arguments, plan)?;
            let (out, shape) = (arguments.read_mut(layout)?, arguments.read_mut(shape)?);
            let pairs = out.nr_vnodes.saturating_mul(out.nr_vnodes);
            let vcpu_to_vnode = arguments.optional_mut(out.vcpu_to_vnode, out.nr_vcpus)?;
            let apic_ids = arguments.optional_mut(out.apic_ids, out.nr_vcpus)?;
            let pnodes = arguments.optional_mut(out.vnode_to_pnode, out.nr_vnodes)?;
            let distances = arguments.optional_mut(out.vdistance, pairs)?;
            let vmemranges = arguments.optional_mut(out.vmemranges, out.nr_vmemranges)?;

            let (layout, processors, of, at_boot) = match &made.of {
                PlanOf::Dom0(plan) => (plan.layout(), plan.processors(), plan.shape(), false),
                PlanOf::Guest(plan) => (Some(plan.layout()), plan.processors(), plan.shape(), true),
            };
            let layout = layout.ok_or(no_plan(plan))?;
            let ranges = || layout.memory().iter().filter(|it| !(at_boot && it.hot_pluggable));
            let have = *out;
            out.nr_vcpus = count(processors.len());
            out.nr_vnodes = layout.vnodes();
            out.nr_vmemranges = count(ranges().count());
            let vcpus = !(out.vcpu_to_vnode.is_null() && out.apic_ids.is_null());
            check_len(vcpus, have.nr_vcpus, out.nr_vcpus)?;
            let vnodes = !(out.vnode_to_pnode.is_null() && out.vdistance.is_null());
            check_len(vnodes, have.nr_vnodes, out.nr_vnodes)?;
            check_len(!out.vmemranges.is_null(), have.nr_vmemranges, out.nr_vmemranges)?;

            let highest = processors.iter().map(|processor| processor.apic_id.0).max();
            describe(of, highest.unwrap_or(0), shape);
            let vnode = |domain| layout.vnode(domain).map_or(HVG_NONE, |vnode| vnode.0);
            put(vcpu_to_vnode, processors.iter().map(|cpu| cpu.domain.map_or(HVG_NONE, vnode)));
            put(apic_ids, processors.iter().map(|cpu| cpu.apic_id.0));
            let vnodes = || (0..layout.vnodes()).map(VnodeId);
            let pnode = |vnode| layout.domain(vnode).and_then(|domain| layout.pnode(domain));
            put(pnodes, vnodes().map(|vnode| pnode(vnode).map_or(HVG_NONE, |pnode| pnode.0)));
            let pairs = vnodes().flat_map(|from| vnodes().map(move |to| (from, to)));
            put(distances, pairs.map(|(from, to)| layout.distance(from, to).get().into()));
            let vmemrange = |memory: &MemoryRange| HvgVmemrange {
                start: memory.range.start().0,
                end: memory.range.end().0,
                flags: 0,
                nid: vnode(memory.domain),
            };
            put(vmemranges, ranges().map(vmemrange));
            Ok(0)
        })
    }
}

fn check_len(is_wanted: bool, have: u32, needed: u32) -> Result<(), Violation> {
    if is_wanted && have < needed {
        return Err(Border::ArrayTooShort.broken(have.into(), needed.into()));
    }
    Ok(())
}

/// Fills an array; a null one has no elements.
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

/// The shape that [`describe`] described; `None` for ids of `2 * vCPU`.
pub(crate) fn described(from: &HvgShape) -> Result<Option<PackageShape>, Violation> {
    let field = |at, value: u32| Err(Border::StructField.broken(at, value.into()));
    let numbering = match from.numbering {
        HVG_NUMBERING_DOMAIN => Numbering::Domain,
        HVG_NUMBERING_DENSE => Numbering::Dense,
        other => return field(2, other),
    };
    let stride = match from.stride {
        0 => return Ok(None),
        1 => Stride::One,
        2 => Stride::Two,
        other => return field(3, other),
    };
    let shape = PackageShape::new(numbering, stride, from.max_per_node)?;
    if shape.pkg_shift() != from.pkg_shift {
        return field(4, from.pkg_shift);
    }
    Ok(Some(shape))
}
