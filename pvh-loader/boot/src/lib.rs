#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
//! What the UEFI application and the bare PVH stage share: reading the firmware's
//! ACPI tables, describing the machine by them or by a topology file, and finding
//! files in an archive.

extern crate alloc;

mod archive;
mod error;
mod firmware;
mod machine;

pub use archive::Archive;
pub use error::Error;
pub use firmware::{Firmware, Physical};
pub use machine::{machine, uncovered};
