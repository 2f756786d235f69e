#![cfg_attr(target_os = "none", no_std)]
//! The C interface to hv-glue and acpi-gen; `include/hv_glue.h` is made of it.
//!
//! One library serves both users: a toolstack links the whole archive, Xen gets
//! two objects cut out of it (`xen-objects.sh`), since it frees boot-only code.
//!
//! **Rules of the border.** Functions return 0 or a negative errno, and where
//! the caller passes a `struct hvg_error`, which rule was broken by which
//! element. Structures begin with their size and version. Arrays are the
//! caller's; a call without them fills in their lengths. Every pointer is checked
//! for null, alignment, length and overlap before anything is written, and a
//! failed call leaves the outputs as they were, scratch memory excepted. Nothing
//! is kept after a call but what stands in memory that the caller lent.

mod cpuid;
mod e820;
mod fault;
mod host;
mod ids;
mod lend;
mod plan;
mod populate;
mod pxms;
mod tables;
pub mod types;
mod vnuma;
mod what;

pub use cpuid::hvg_cpuid_patch;
pub use e820::{hvg_e820_trim, hvg_e820_work_len};
pub use ids::hvg_apic_ids;
pub use plan::{HvgPlan, hvg_plan_layout, hvg_plan_make, hvg_plan_work_len};
pub use populate::{hvg_populate_begin, hvg_populate_next, hvg_populate_report};
pub use pxms::hvg_mfn_pxms;
pub use tables::{hvg_tables_emit, hvg_tables_len, hvg_tables_work_len};
pub use vnuma::{hvg_vnuma_check, hvg_vnuma_work_len};
pub use what::HvgWhat;

/// There is no panic path: the linker would ask for this symbol, which nobody has.
#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn hvg_has_a_panic_path() -> !;
    }
    // SAFETY: never linked.
    unsafe { hvg_has_a_panic_path() }
}
