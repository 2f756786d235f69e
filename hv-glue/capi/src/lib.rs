#![cfg_attr(target_os = "none", no_std)]
//! The C interface to hv-glue and acpi-gen; `include/hv_glue.h` is made of it.
//!
//! One library serves both users: a toolstack links the whole archive, Xen gets
//! two objects cut out of it (`xen-objects.sh`), since it frees boot-only code.
//!
//! **Rules of the border.** Functions return 0 or a negative errno, and where the caller
//! passes a `struct hvg_error`, which rule was broken by which element; `hvg_strerror` has the
//! words. Structures begin with their size and version. Arrays are the caller's. Every pointer
//! is checked for null, alignment, length and overlap before anything is written, and a failed
//! call leaves the outputs as they were, a plan's memory excepted. Nothing is kept after a call
//! but what is in a plan's memory.
//!
//! # Safety
//! Of every function: a pointer is null or points at as many initialised elements as its
//! length says, which nothing else uses during the call. A plan came from `hvg_plan_make` or
//! `hvg_guest_make`, and its memory is still there, unchanged.
#![expect(clippy::missing_safety_doc, reason = "one rule for all functions, above")]

mod border;
mod dom0;
mod error;
mod guest;
mod ids;
mod layout;
mod plan;
mod populate;
mod tables;
pub mod types;
mod work;

pub use dom0::{hvg_plan_len, hvg_plan_make, hvg_plan_trim, hvg_plan_unmet};
pub use error::{hvg_strerror, rules};
pub use guest::{hvg_guest_ids, hvg_guest_len, hvg_guest_make};
pub use ids::{hvg_apic_ids, hvg_cpuid_patch, hvg_merge_pxm_ranges, hvg_mfn_pxms};
pub use layout::hvg_plan_layout;
pub use plan::HvgPlan;
pub use populate::{hvg_plan_next, hvg_plan_populate, hvg_plan_report};
pub use tables::{hvg_plan_tables_emit, hvg_plan_tables_len};

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
