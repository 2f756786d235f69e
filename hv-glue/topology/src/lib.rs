#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
//! Topology files: from TOML to the [`Machine`] that acpi-gen's descriptions
//! borrow from, with the line of whatever is wrong. And [`XlConfig`]: from xl's
//! configurations to a topology file.
//!
//! This takes a heap but no operating system, because loaders read the same files
//! as the command line does.

extern crate alloc;

pub mod cpulist;
mod error;
mod file;
mod from_tables;
mod interrupts;
mod limits;
mod machine;
pub mod number;
pub mod source;
mod xl;

pub use error::FileError;
pub use file::{IdScheme, TopologyFile};
pub use machine::Machine;
pub use xl::{XlConfig, XlVnode};
