//! `create`: makes a guest, runs it until it shuts down, and destroys it.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Serialize;
use xen_hypercall::{DomainInfo, Xen};

use crate::domain::{OptIn, Order};
use crate::failure::Failure;
use crate::guest::{self, Images, MadtIds, Options};
use crate::request::{Request, RequestArgs};
use crate::{host, ids, report};

/// Create a PVH guest, run it until it shuts down, destroy it
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    request: RequestArgs,
    /// Kernel with a PVH entry: ELF or bzImage
    #[arg(long, value_name = "FILE")]
    kernel: PathBuf,
    /// Initial RAM disk
    #[arg(long, value_name = "FILE")]
    initrd: Option<PathBuf>,
    /// The kernel's command line
    #[arg(long, value_name = "TEXT", default_value = "", allow_hyphen_values = true)]
    cmdline: String,
    /// APIC ids and CPUID from the layout: XEN_DOMCTL_CDF_vnuma_apic_topology
    #[arg(
        long,
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_value = "no",
        default_missing_value = "required"
    )]
    opt_in: OptIn,
    /// Ids of the tables; "legacy" with --opt-in breaks the contract, to show what follows
    #[arg(long, value_enum, default_value = "xen")]
    madt_ids: MadtIds,
    /// Order of vCPUs, layout and CPU policy
    #[arg(long, value_enum, default_value = "policy-vnuma")]
    order: Order,
    /// Give the guest the host's time-stamp counter
    #[arg(long)]
    native_tsc: bool,
    /// Xen's debug keys to press when the guest has its memory and before it starts
    #[arg(long, value_name = "KEYS")]
    debug_keys: Option<String>,
    /// Seconds that the guest may run
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,
}

#[derive(Serialize)]
struct Created<'a> {
    domain: u16,
    opt_in: bool,
    order: Order,
    id_source: ids::Source,
    ids: &'a [u32],
    /// What hv-glue says that an opted-in guest gets.
    expected_ids: &'a [u32],
    madt: &'a [u32],
    pnodes: &'a [u8],
    vcpus: usize,
    online_at_boot: usize,
    pages: u64,
}

#[derive(Serialize)]
struct Ended {
    domain: u16,
    shutdown: String,
    milliseconds: u128,
    cpu_milliseconds: u64,
    /// Whether each vCPU was seen to run at any time.
    vcpus_started: Vec<bool>,
}

pub(crate) fn run(xen: &Xen, args: &Args) -> Result<(), Failure> {
    let numa = xen.host_numa()?;
    let request = Request::read(&args.request, &host::nodes(&numa))?;
    host::check(&numa, &request)?;
    let expected_ids = ids::expected(&request)?;
    let images = Images::read(&args.kernel, args.initrd.as_deref(), &args.cmdline)?;
    let options = Options {
        opt_in: args.opt_in,
        order: args.order,
        madt_ids: args.madt_ids,
        native_tsc: args.native_tsc,
    };
    let guest = guest::build(xen, &request, &images, options)?;
    let domain = guest.domain.id();
    eprint!("{}", guest.plan);
    report::line(
        "created",
        &Created {
            domain: domain.0,
            opt_in: guest.opted_in,
            order: args.order,
            id_source: guest.id_source,
            ids: &guest.ids,
            expected_ids: &expected_ids,
            madt: &guest.madt,
            pnodes: &request.pnodes,
            vcpus: request.machine.processors.len(),
            online_at_boot: request.online_vcpus(),
            pages: xen.domain_info(domain)?.pages,
        },
    );
    if let Some(keys) = &args.debug_keys {
        xen.debug_keys(keys.as_bytes())?;
    }
    let start = Instant::now();
    xen.unpause_domain(domain)?;
    let mut vcpus_started = vec![false; request.machine.processors.len()];
    let info = wait(&guest, start, Duration::from_secs(args.timeout), &mut vcpus_started)?;
    let shutdown = info.shutdown.map_or_else(String::new, |code| code.to_string());
    let ended = Ended {
        domain: domain.0,
        shutdown,
        milliseconds: start.elapsed().as_millis(),
        cpu_milliseconds: info.cpu_time / 1_000_000,
        vcpus_started,
    };
    report::line("ended", &ended);
    if info.shutdown.is_some_and(|code| code.0 <= 1) {
        Ok(())
    } else {
        Err(Failure::Contract(format!("{domain} ended by {}", ended.shutdown)))
    }
}

fn wait(
    guest: &guest::BuiltGuest<'_>,
    start: Instant,
    timeout: Duration,
    vcpus_started: &mut [bool],
) -> Result<DomainInfo, Failure> {
    let (xen, domain) = (guest.domain.xen(), guest.domain.id());
    loop {
        let info = xen.domain_info(domain)?;
        for (vcpu, started) in (0..).zip(vcpus_started.iter_mut()) {
            *started |= xen.vcpu_is_online(domain, vcpu)?;
        }
        if info.shutdown.is_some() || info.dying {
            return Ok(info);
        }
        if start.elapsed() > timeout {
            return Err(Failure::StillRunning { domain, seconds: timeout.as_secs() });
        }
        sleep(Duration::from_millis(100));
    }
}
