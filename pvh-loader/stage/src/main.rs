#![cfg_attr(target_os = "none", no_std, no_main)]
//! A bare PVH kernel that boots another: it finds kernel, initrd, command line and
//! topology in its module, a cpio archive, places them by pvh-loader with tables of
//! its own, and enters the kernel. QEMU loads it by `-kernel pvh-stage -initrd ARCHIVE`.
//!
//! The archive holds `kernel`, and may hold `initrd`, `cmdline` and `topology.toml`.

#[cfg(target_os = "none")]
mod boot_info;
#[cfg(target_os = "none")]
mod hardware;
#[cfg(target_os = "none")]
mod stage;
#[cfg(target_os = "none")]
mod start;

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    eprintln!(
        "pvh-stage runs without an operating system: build it with --target x86_64-unknown-none"
    );
    std::process::ExitCode::from(2)
}
