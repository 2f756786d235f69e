#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]
//! What the UEFI application and the bare PVH stage share: `load` reads the
//! firmware's ACPI tables, describes the machine by them or by a topology file, and
//! places the guest; [`Archive`] finds files in a cpio archive; [`Received`] is what a
//! loader that is itself a PVH kernel was passed. Features choose the parts: see
//! Cargo.toml.

extern crate alloc;

mod archive;
#[cfg(all(feature = "load", target_arch = "x86_64"))]
mod cpuid;
#[cfg(feature = "decompress")]
pub mod decompress;
mod error;
#[cfg(feature = "load")]
mod firmware;
#[cfg(all(feature = "load", target_arch = "x86_64"))]
mod load;
#[cfg(feature = "load")]
mod machine;
#[cfg(all(feature = "metal", target_arch = "x86_64"))]
#[expect(unsafe_code, reason = "physical memory and privileged instructions")]
pub mod metal;
mod received;
mod staged;

pub use archive::Archive;
#[cfg(all(feature = "load", target_arch = "x86_64"))]
pub use cpuid::boot_apic_id;
pub use error::Error;
#[cfg(feature = "load")]
pub use firmware::Firmware;
#[cfg(all(feature = "load", target_arch = "x86_64"))]
pub use load::{Files, MemoryMap, OtherTables, Platform, load};
#[cfg(feature = "load")]
pub use machine::machine;
pub use received::{Received, command_line};
pub use staged::{Staged, Staging};
