//! The init of the test's guests: says over port 0xE9 what the kernel and the processors
//! make of the topology, and powers off. Lines are "@@ KEY VALUE"; Xen prints them with
//! the domain's number in front.

mod cpu;
mod port;
mod tree;

use std::fs;
use std::process::ExitCode;

use rustix::mount::{MountFlags, mount};
use rustix::system::{RebootCommand, finit_module, reboot};
use xen_hypercall::Xen;

use crate::port::Port;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    if let Err(error) = run() {
        eprintln!("guest-report: {error}");
    }
    // A process 1 that ends is a panic of the kernel.
    match reboot(RebootCommand::PowerOff) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run() -> Outcome {
    for (kind, target) in [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")] {
        mount(kind, target, kind, MountFlags::empty(), None)?;
    }
    // The kernel writes to the same port: from here on only what is fatal.
    fs::write("/proc/sys/kernel/printk", "1\n")?;
    let mut port = Port::open()?;
    port.line("begin", "guest")?;
    tree::nodes(&mut port)?;
    tree::cpus(&mut port)?;
    cpu::report(&mut port)?;
    tree::tables(&mut port)?;
    tree::kernel_log(&mut port)?;
    port.line("get_mfn_pxms", &mfn_pxms())?;
    port.line("end", "guest")?;
    Ok(())
}

/// What Xen answers a guest that asks for the host's domains.
fn mfn_pxms() -> String {
    let module = "/xen-privcmd.ko";
    if let Ok(file) = fs::File::open(module)
        && let Err(error) = finit_module(&file, c"", 0)
    {
        return format!("{module}: {error}");
    }
    match Xen::open().and_then(|xen| xen.mfn_pxms(&[0], 0)) {
        Ok(pxms) => format!("{pxms:?}"),
        Err(error) => error.errno().map_or_else(|| error.to_string(), |errno| errno.to_string()),
    }
}
