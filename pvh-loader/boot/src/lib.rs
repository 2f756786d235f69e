#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
//! What the UEFI application and the bare PVH stage share: [`load`] reads the
//! firmware's ACPI tables, describes the machine by them or by a topology file, and
//! places the guest; [`Archive`] finds files in a cpio archive; [`Received`] is what a
//! loader that is itself a PVH kernel was passed.

extern crate alloc;

mod archive;
#[cfg(target_arch = "x86_64")]
mod cpuid;
mod error;
mod firmware;
#[cfg(target_arch = "x86_64")]
mod load;
mod machine;
mod received;
mod staged;

pub use archive::Archive;
#[cfg(target_arch = "x86_64")]
pub use cpuid::boot_apic_id;
pub use error::Error;
pub use firmware::Firmware;
#[cfg(target_arch = "x86_64")]
pub use load::{Files, MemoryMap, OtherTables, Platform, load};
pub use machine::machine;
pub use received::{Received, command_line};
pub use staged::{Staged, Staging};
