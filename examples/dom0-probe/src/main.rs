//! Prints what Xen, its new hypercalls and CPUID say of dom0's topology, one
//! `probe KEY VALUES` line each, for a test to compare with ACPI and the host.
//!
//! usage: `dom0-probe [MFN...] [NAME@ADDRESS+LENGTH...]`
//!
//! Host frames whose proximity domains are asked for, and parts of dom0's firmware
//! tables to print from memory; numbers are decimal or 0x….
//!
//! Static, for an initrd: `RUSTFLAGS=-Ctarget-feature=+crt-static cargo build
//! --release --target x86_64-unknown-linux-gnu -p dom0-probe`.

mod cpu;
mod frames;
mod memory;

use std::arch::x86_64::__cpuid_count;
use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use crate::cpu::Emulated;
use crate::memory::Part;
use xen_hypercall::{DomainId, Error, MfnPxmsReserved, NoArray, Xen};

/// The most frames of one XENMEM_get_mfn_pxms. Xen public/hv_glue.h.
const MOST_FRAMES: usize = 1024;

fn main() -> ExitCode {
    let (mut frames, mut parts) = (Vec::new(), Vec::new());
    for argument in std::env::args().skip(1) {
        match (number(&argument), Part::parse(&argument)) {
            (Some(frame), _) => frames.push(frame),
            (None, Some(part)) => parts.push(part),
            (None, None) => {
                eprintln!("dom0-probe: neither a frame nor NAME@ADDRESS+LENGTH: {argument}");
                return ExitCode::from(2);
            }
        }
    }
    for part in parts {
        let bytes = part.read().map_or_else(|error| error.to_string(), |bytes| hex(&bytes));
        say("memory", [part.name, bytes]);
    }
    match run(&frames) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dom0-probe: {error}");
            ExitCode::FAILURE
        }
    }
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn run(frames: &[u64]) -> Result<(), Error> {
    let xen = Xen::open()?;
    cpus();
    apic_ids(&xen)?;
    vnuma(&xen);
    pxms(&xen, frames);
    own_frames(&xen);
    // Xen prints each domain's pages by node, and its layout, to its own console.
    xen.debug_keys(b"u")
}

/// CPUID as each CPU has it, and as Xen has it where that may be another.
fn cpus() {
    let emulated = Emulated::new();
    for cpu in cpu::online() {
        let key = format!("cpuid {cpu}");
        say_or_error(&key, cpu::on(cpu, || cpu::topology(__cpuid_count)));
        if let Some(emulated) = &emulated {
            let found =
                cpu::on(cpu, || cpu::topology(|leaf, subleaf| emulated.cpuid(leaf, subleaf)));
            say_or_error(&format!("emulated-{key}"), found);
        }
    }
}

fn say_or_error(key: &str, found: io::Result<String>) {
    say(key, [found.unwrap_or_else(|error| format!("error {error}"))]);
}

/// XEN_DOMCTL_get_vcpu_apicids: the ids, the query for their number, an array that
/// is too short, and none.
fn apic_ids(xen: &Xen) -> Result<(), Error> {
    let dom0 = DomainId(0);
    match xen.vcpu_apic_ids(dom0) {
        Ok(ids) => say("apicids", ids),
        Err(error) => say("apicids", [refusal(&error)]),
    }
    for (key, capacity) in [("apicids-query", 0), ("apicids-short", 1)] {
        let answer = xen.query_apic_ids(dom0, capacity)?;
        let result = answer.result.map_or_else(|error| refusal(&error), |()| "ok".into());
        say(key, [result, answer.filled.to_string()]);
    }
    for (key, array) in [("apicids-null", NoArray::Null), ("apicids-nowhere", NoArray::Unmapped)] {
        let answer = xen.apic_ids_without_array(dom0, 1024, array);
        say(key, [answer.map_or_else(|error| refusal(&error), |filled| format!("ok {filled}"))]);
    }
    Ok(())
}

/// XENMEM_get_vnumainfo.
fn vnuma(xen: &Xen) {
    match xen.vnuma_info(DomainId::SELF) {
        Ok(info) => {
            say("vnuma-distances", info.distances);
            say("vnuma-vcpus", info.vcpu_to_vnode);
            for range in info.ranges {
                let ends = format!("{:#x} {:#x}", range.start, range.end);
                say("vnuma-range", [ends, range.flags.to_string(), range.nid.to_string()]);
            }
        }
        Err(error) => say("vnuma", [refusal(&error)]),
    }
}

/// XENMEM_get_mfn_pxms: the frames asked for, at once and one a call, as many as a call
/// takes, one more, and words that must be 0.
fn pxms(xen: &Xen, frames: &[u64]) {
    let show = |result: Result<Vec<Option<u32>>, Error>| match result {
        Ok(pxms) => pxms.iter().map(|pxm| pxm.map_or("none".into(), |n| n.to_string())).collect(),
        Err(error) => vec![refusal(&error)],
    };
    say("pxms", show(xen.mfn_pxms(frames)));
    // Linux asks for one frame a call, and never again after a refusal.
    let one_by_one: Result<Vec<_>, _> = frames.iter().map(|&mfn| xen.mfn_pxms(&[mfn])).collect();
    say("pxms-one-by-one", show(one_by_one.map(|pxms| pxms.concat())));
    let most = vec![0; MOST_FRAMES];
    say("pxms-most", [xen.mfn_pxms(&most).map_or_else(|e| refusal(&e), |p| p.len().to_string())]);
    let too_many = vec![0; MOST_FRAMES.saturating_add(1)];
    say("pxms-too-many", [xen.mfn_pxms(&too_many).map_or_else(|e| refusal(&e), |_| "ok".into())]);
    for (key, with_frames) in [("pxms-frames-nowhere", false), ("pxms-answers-nowhere", true)] {
        let answer = xen.mfn_pxms_without_array(with_frames);
        say(key, [answer.map_or_else(|error| refusal(&error), |()| "ok".into())]);
    }
    let reserved = [
        ("pxms-flags", MfnPxmsReserved { flags: 1, start_extent: 0 }),
        ("pxms-start-extent", MfnPxmsReserved { flags: 0, start_extent: 1 }),
        ("pxms-start-behind", MfnPxmsReserved { flags: 0, start_extent: 64 }),
    ];
    for (key, reserved) in reserved {
        let answer = xen.mfn_pxms_reserved(&[0, 0], reserved);
        say(key, [answer.map_or_else(|error| refusal(&error), |_| "ok".into())]);
    }
}

/// The proximity domain of each of dom0's own frames that Xen's log names, as
/// `GUEST_FRAME HOST_FRAME PXM`. A PVH dom0 knows its guest frames alone.
fn own_frames(xen: &Xen) {
    let ring = match xen.console_ring() {
        Ok(ring) => ring,
        Err(error) => return say("frame", [refusal(&error)]),
    };
    let named = frames::named(&String::from_utf8_lossy(&ring));
    let hosts: Vec<u64> = named.iter().map(|named| named.host).collect();
    match xen.mfn_pxms(&hosts) {
        Ok(pxms) => {
            for (frame, pxm) in named.iter().zip(pxms) {
                let pxm = pxm.map_or("none".into(), |n| n.to_string());
                say("frame", [format!("{:#x} {:#x} {pxm}", frame.guest, frame.host)]);
            }
        }
        Err(error) => say("frame", [refusal(&error)]),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refusal(error: &Error) -> String {
    error.errno().map_or_else(|| error.to_string(), |errno| format!("errno {}", errno.0))
}

fn say<T: Display>(key: &str, values: impl IntoIterator<Item = T>) {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    println!("probe {key} {}", values.join(" "));
}
