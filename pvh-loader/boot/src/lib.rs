#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
//! What the UEFI application and the bare PVH stage share: reading the firmware's
//! ACPI tables, describing the machine by them or by a topology file, and finding
//! files in an archive.

extern crate alloc;

mod archive;
#[cfg(target_arch = "x86_64")]
mod cpuid;
mod error;
mod firmware;
mod machine;

pub use archive::Archive;
#[cfg(target_arch = "x86_64")]
pub use cpuid::boot_apic_id;
pub use error::Error;
pub use firmware::{Firmware, Physical};
pub use machine::{machine, uncovered};
