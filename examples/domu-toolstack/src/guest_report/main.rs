//! The init of the test's guests: says in the kernel's log what the kernel and the processors
//! make of the topology, and powers off. Lines are "@@ KEY VALUE"; Xen prints them with the
//! domain's number in front.

mod cpu;
mod log;
mod tree;

use std::fs;
use std::process::ExitCode;

use rustix::mount::{MountFlags, mount};
use rustix::system::{RebootCommand, finit_module, reboot};
use xen_hypercall::Xen;

use crate::log::Log;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    if let Err(error) = run() {
        // To the kernel's console, where it has one.
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
    let mut log = Log::open()?;
    log.line("begin", "guest")?;
    tree::nodes(&mut log)?;
    tree::cpus(&mut log)?;
    tree::lines(&mut log, "/proc/cpuinfo", &["processor", "apicid", "initial apicid"])?;
    tree::lines(&mut log, "/proc/zoneinfo", &["Node", "present"])?;
    cpu::report(&mut log)?;
    tree::tables(&mut log)?;
    log.line("get_mfn_pxms", &mfn_pxms())?;
    log.line("end", "guest")?;
    Ok(())
}

/// What Xen answers a guest that asks for the host's domains.
fn mfn_pxms() -> String {
    let module = "/xen-privcmd.ko";
    // Without the parameter, opening the device in a guest waits for xenstore, which there is not.
    if let Ok(file) = fs::File::open(module)
        && let Err(error) = finit_module(&file, c"unrestricted=1", 0)
    {
        return format!("{module}: {error}");
    }
    match Xen::open().and_then(|xen| xen.mfn_pxms(&[0])) {
        Ok(pxms) => format!("{pxms:?}"),
        Err(error) => error.errno().map_or_else(|| error.to_string(), |errno| errno.to_string()),
    }
}
