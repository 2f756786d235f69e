//! What a loader on the bare machine cannot do in safe code: reach physical memory,
//! and leave 64-bit mode for a PVH kernel's 32-bit entry.

mod jump;
mod memory;

pub use jump::{PAGE, Trampoline};
pub use memory::IdentityMapped;
