#![cfg_attr(target_os = "uefi", no_std, no_main)]
//! pvh-loader as a UEFI application: boots a PVH kernel with vNUMA tables.
//!
//! It reads from the folder that it is in: `kernel` (a bzImage or an ELF file), and
//! where they are there `initrd`, `cmdline` and `topology.toml`. On an error it
//! returns to the firmware with a status and a sentence.

#[cfg(target_os = "uefi")]
mod app;
#[cfg(target_os = "uefi")]
mod console;
#[cfg(target_os = "uefi")]
mod failure;
#[cfg(target_os = "uefi")]
mod files;
#[cfg(target_os = "uefi")]
mod firmware;

#[cfg(not(target_os = "uefi"))]
fn main() -> std::process::ExitCode {
    eprintln!("pvh-loader runs on UEFI firmware: build it with --target x86_64-unknown-uefi");
    std::process::ExitCode::from(2)
}
