//! A domain up to its vNUMA layout: what needs neither memory nor a kernel.

use std::fs::File;
use std::io::Read;

use xen_hypercall::{
    CreateDomain, DomainFlags, DomainId, EmulationFlags, Errno, SystemPolicy, TscMode, Vmemrange,
    Vnuma, Xen,
};

use crate::failure::Failure;
use crate::owned::OwnedDomain;
use crate::request::Request;

/// Memory beyond the guest's own: for the page of [`crate::special`], and to spare.
const SLACK_KIB: u64 = 1024;

/// In which order Xen hears of vCPUs, layout and CPU policy. All must come to the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Order {
    /// vCPUs, policy, layout.
    PolicyVnuma,
    /// vCPUs, layout, policy.
    VnumaPolicy,
    /// Layout, vCPUs, policy.
    VnumaVcpusPolicy,
    /// Policy, layout, vCPUs.
    PolicyVnumaVcpus,
}

impl Order {
    pub(crate) const ALL: [Self; 4] =
        [Self::PolicyVnuma, Self::VnumaPolicy, Self::VnumaVcpusPolicy, Self::PolicyVnumaVcpus];

    const fn steps(self) -> [Step; 3] {
        match self {
            Self::PolicyVnuma => [Step::Vcpus, Step::Policy, Step::Vnuma],
            Self::VnumaPolicy => [Step::Vcpus, Step::Vnuma, Step::Policy],
            Self::VnumaVcpusPolicy => [Step::Vnuma, Step::Vcpus, Step::Policy],
            Self::PolicyVnumaVcpus => [Step::Policy, Step::Vnuma, Step::Vcpus],
        }
    }
}

enum Step {
    Vcpus,
    Vnuma,
    Policy,
}

/// Whether a guest's ids and CPUID follow its layout: XEN_DOMCTL_CDF_vnuma_apic_topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OptIn {
    /// They are as for any guest.
    No,
    /// They do where this Xen knows the flag.
    IfKnown,
    /// They do, or there is no guest.
    Required,
}

/// The flags of a PVH guest.
pub(crate) const fn pvh_flags(opt_in: bool) -> DomainFlags {
    let flags = DomainFlags::HVM.with(DomainFlags::HAP);
    if opt_in { flags.with(DomainFlags::VNUMA_APIC_TOPOLOGY) } else { flags }
}

/// A PVH domain with nothing in it, and whether it is opted in.
pub(crate) fn empty_pvh<'x>(
    xen: &'x Xen,
    request: &Request,
    opt_in: OptIn,
) -> Result<(OwnedDomain<'x>, bool), Failure> {
    let make = |flag| empty(xen, request, pvh_flags(flag), EmulationFlags::LAPIC);
    match (opt_in, make(opt_in != OptIn::No)) {
        // -EINVAL is also what else is wrong with the configuration; then it comes again.
        (OptIn::IfKnown, Err(Failure::Xen(error))) if error.errno() == Some(Errno::EINVAL) => {
            Ok((make(false)?, false))
        }
        (_, made) => Ok((made?, opt_in != OptIn::No)),
    }
}

/// A domain with nothing in it.
pub(crate) fn empty<'x>(
    xen: &'x Xen,
    request: &Request,
    flags: DomainFlags,
    emulation: EmulationFlags,
) -> Result<OwnedDomain<'x>, Failure> {
    let vcpus = request.machine.processors.len();
    // Request::read saw that these are at most 128.
    let max_vcpus = u32::try_from(vcpus).unwrap_or(u32::MAX);
    OwnedDomain::create(xen, &CreateDomain { flags, emulation, max_vcpus, handle: uuid()? })
}

/// A paused PVH domain with vCPUs, layout and policy, and limits for its memory; and
/// whether it is opted in.
pub(crate) fn create<'x>(
    xen: &'x Xen,
    request: &Request,
    opt_in: OptIn,
    order: Order,
) -> Result<(OwnedDomain<'x>, bool), Failure> {
    let (domain, opted_in) = empty_pvh(xen, request, opt_in)?;
    let id = domain.id();
    let kib = request.bytes() >> 10;
    xen.set_max_memory(id, kib.saturating_add(SLACK_KIB))?;
    for step in order.steps() {
        match step {
            Step::Vcpus => {
                let vcpus = u32::try_from(request.machine.processors.len()).unwrap_or(u32::MAX);
                xen.set_max_vcpus(id, vcpus)?;
            }
            Step::Vnuma => set_vnuma(xen, id, request)?,
            Step::Policy => {
                let policy = xen.system_cpu_policy(SystemPolicy::HVM_DEFAULT)?;
                xen.set_cpu_policy(id, &policy)?;
            }
        }
    }
    Ok((domain, opted_in))
}

/// As libxl has it: 1 MiB for each vCPU, and 8 KiB for each MiB of memory.
pub(crate) fn set_paging_mempool(
    xen: &Xen,
    domain: DomainId,
    request: &Request,
) -> Result<(), Failure> {
    let vcpus = u64::try_from(request.machine.processors.len()).unwrap_or(0);
    let bytes = (vcpus << 20).saturating_add(request.bytes() >> 7);
    Ok(xen.set_paging_mempool(domain, bytes.next_multiple_of(crate::request::PAGE))?)
}

/// The host's time-stamp counter for the guest.
pub(crate) fn set_native_tsc(xen: &Xen, domain: DomainId) -> Result<(), Failure> {
    Ok(xen.set_tsc_mode(domain, TscMode::NEVER_EMULATE)?)
}

/// The layout as Xen takes it.
pub(crate) fn set_vnuma(xen: &Xen, domain: DomainId, request: &Request) -> Result<(), Failure> {
    set_vnuma_of(xen, domain, request, &request.vcpu_to_vnode)
}

/// The layout with another vnode of each vCPU.
pub(crate) fn set_vnuma_of(
    xen: &Xen,
    domain: DomainId,
    request: &Request,
    vcpu_to_vnode: &[u32],
) -> Result<(), Failure> {
    let vnode_to_pnode: Vec<u32> = request.pnodes.iter().copied().map(u32::from).collect();
    let ranges = ranges(request);
    let vnuma = Vnuma {
        distances: &request.distances,
        vcpu_to_vnode,
        vnode_to_pnode: &vnode_to_pnode,
        ranges: &ranges,
    };
    Ok(xen.set_vnuma(domain, &vnuma)?)
}

/// The vnodes' memory as Xen takes it.
pub(crate) fn ranges(request: &Request) -> Vec<Vmemrange> {
    let range = |(memory, vnode): &(acpi_gen::MemoryRange, usize)| Vmemrange {
        start: memory.range.start().0,
        end: memory.range.end().0,
        flags: 0,
        nid: u32::try_from(*vnode).unwrap_or(u32::MAX),
    };
    request.memory.iter().map(range).collect()
}

/// A random UUID. RFC 9562, 5.4.
fn uuid() -> Result<[u8; 16], Failure> {
    let path = "/dev/urandom";
    let mut bytes = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|error| Failure::File { path: path.into(), what: error.to_string() })?;
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
    *version = *version & 0x0F | 0x40;
    *variant = *variant & 0x3F | 0x80;
    Ok(bytes)
}
