//! The state of domains.

use std::fmt;

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

use crate::Error;
use crate::buffer::Handle;
use crate::device::Xen;
use crate::domain::{ArchConfig, DomainId};
use crate::domctl::{Domctl, LAYOUT_VERSIONS};
use crate::mirror::{Group, Scope, constants, mirror};
use crate::sysctl::Sysctl;
use crate::versions::SYSCTL_VERSIONS;

/// `struct xen_domctl_getdomaininfo`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
pub(crate) struct InfoCall {
    domain: u16,
    pad1: u16,
    flags: u32,
    tot_pages: u64,
    max_pages: u64,
    outstanding_pages: u64,
    shr_pages: u64,
    paged_pages: u64,
    shared_info_frame: u64,
    cpu_time: u64,
    nr_online_vcpus: u32,
    max_vcpu_id: u32,
    ssidref: u32,
    handle: [u8; 16],
    cpupool: u32,
    gpaddr_bits: u8,
    pad2: [u8; 7],
    arch_config: ArchConfig,
}

mirror!(InfoCall = "struct xen_domctl_getdomaininfo": 112 {
    domain @ 0, pad1 @ 2, flags @ 4, tot_pages @ 8, max_pages @ 16, outstanding_pages @ 24,
    shr_pages @ 32, paged_pages @ 40, shared_info_frame @ 48, cpu_time @ 56,
    nr_online_vcpus @ 64, max_vcpu_id @ 68, ssidref @ 72, handle @ 76, cpupool @ 92,
    gpaddr_bits @ 96, pad2 @ 97, arch_config @ 104
});

const DYING: u32 = 1 << 0;
const SHUTDOWN: u32 = 1 << 2;
const SHUTDOWN_SHIFT: u32 = 16;

/// What became of a domain that shut down: its `SHUTDOWN_*` code. Xen public/sched.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shutdown(pub u8);

impl fmt::Display for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            0 => "poweroff",
            1 => "reboot",
            2 => "suspend",
            3 => "crash",
            4 => "watchdog",
            _ => "unknown",
        })
    }
}

/// A domain's state.
#[derive(Clone, Copy, Debug)]
pub struct DomainInfo {
    /// Its number.
    pub domain: DomainId,
    /// It is being destroyed.
    pub dying: bool,
    /// It has shut down.
    pub shutdown: Option<Shutdown>,
    /// Pages that it has.
    pub pages: u64,
    /// vCPUs that are up.
    pub online_vcpus: u32,
    /// CPU time that it took, in nanoseconds.
    pub cpu_time: u64,
}

impl From<InfoCall> for DomainInfo {
    fn from(call: InfoCall) -> Self {
        let [_, _, code, _] = call.flags.to_le_bytes();
        Self {
            domain: DomainId(call.domain),
            dying: call.flags & DYING != 0,
            shutdown: (call.flags & SHUTDOWN != 0).then_some(Shutdown(code)),
            pages: call.tot_pages,
            online_vcpus: call.nr_online_vcpus,
            cpu_time: call.cpu_time,
        }
    }
}

/// `struct xen_domctl_getvcpuinfo`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct VcpuInfoCall {
    vcpu: u32,
    online: u8,
    blocked: u8,
    running: u8,
    padding: u8,
    cpu_time: u64,
    cpu: u32,
    tail: u32,
}

mirror!(VcpuInfoCall = "struct xen_domctl_getvcpuinfo": 24 {
    vcpu @ 0, online @ 4, blocked @ 5, running @ 6, cpu_time @ 8, cpu @ 16 | padding @ 7, tail @ 20
});

impl Domctl for VcpuInfoCall {
    const COMMAND: (u32, &'static str) = (14, "XEN_DOMCTL_getvcpuinfo");
}

/// `struct xen_sysctl_getdomaininfolist`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct InfoListCall {
    first_domain: u16,
    padding: u16,
    max_domains: u32,
    buffer: Handle,
    num_domains: u32,
    tail: u32,
}

mirror!(InfoListCall = "struct xen_sysctl_getdomaininfolist": 24 {
    first_domain @ 0, max_domains @ 4, buffer @ 8, num_domains @ 16 | padding @ 2, tail @ 20
});

impl Sysctl for InfoListCall {
    const COMMAND: (u32, &'static str) = (6, "XEN_SYSCTL_getdomaininfolist");
}

impl Domctl for InfoCall {
    const COMMAND: (u32, &'static str) = (5, "XEN_DOMCTL_getdomaininfo");
}

pub(crate) const GROUPS: &[Group] = &[
    Group {
        scope: Scope::Every,
        // getdomaininfolist gives this domctl structure, too, whatever the domctl version.
        mirrors: &[InfoCall::MIRROR],
        constants: constants! {
            XEN_DOMINF_dying = 1 << 0,
            XEN_DOMINF_shutdown = 1 << 2,
            XEN_DOMINF_shutdownshift = 16,
        },
    },
    Group {
        scope: Scope::Sysctl(SYSCTL_VERSIONS),
        mirrors: &[InfoListCall::MIRROR],
        constants: constants! { XEN_SYSCTL_getdomaininfolist = 6 },
    },
    Group {
        scope: Scope::Domctl(LAYOUT_VERSIONS),
        mirrors: &[VcpuInfoCall::MIRROR],
        constants: constants! { XEN_DOMCTL_getdomaininfo = 5, XEN_DOMCTL_getvcpuinfo = 14 },
    },
];

const _: () = assert!(SHUTDOWN_SHIFT == 16, "the code is the third byte of the flags");

/// Domains that one call of `domains` reads.
const BATCH: usize = 64;

impl Xen {
    /// A domain's state. `XEN_DOMCTL_getdomaininfo`.
    ///
    /// # Errors
    /// Xen's, such as -ESRCH.
    pub fn domain_info(&self, domain: DomainId) -> Result<DomainInfo, Error> {
        let mut call = InfoCall::new_zeroed();
        // SAFETY: the structure has no handle.
        unsafe { self.domctl(domain, &mut call) }?;
        Ok(call.into())
    }

    /// Whether a vCPU has been started. `XEN_DOMCTL_getvcpuinfo`.
    ///
    /// # Errors
    /// Xen's, such as -ESRCH.
    pub fn vcpu_is_online(&self, domain: DomainId, vcpu: u32) -> Result<bool, Error> {
        let mut call = VcpuInfoCall { vcpu, ..VcpuInfoCall::new_zeroed() };
        // SAFETY: the structure has no handle.
        unsafe { self.domctl(domain, &mut call) }?;
        Ok(call.online != 0)
    }

    /// All domains. `XEN_SYSCTL_getdomaininfolist`.
    ///
    /// # Errors
    /// Xen's.
    pub fn domains(&self) -> Result<Vec<DomainInfo>, Error> {
        let mut all: Vec<DomainInfo> = Vec::new();
        let mut buffer = self.zeroed::<InfoCall>(BATCH)?;
        loop {
            let first = all.last().map_or(0, |last| last.domain.0.saturating_add(1));
            let mut call = InfoListCall {
                first_domain: first,
                padding: 0,
                max_domains: u32::try_from(BATCH).unwrap_or(0),
                buffer: buffer.handle(),
                num_domains: 0,
                tail: 0,
            };
            // SAFETY: the handle is that of BATCH elements, and no reference to them exists.
            unsafe { self.sysctl(&mut call) }?;
            let found = usize::try_from(call.num_domains).unwrap_or(0);
            let part = buffer.as_slice().get(..found).unwrap_or_default();
            all.extend(part.iter().map(|info| DomainInfo::from(*info)));
            if found < BATCH {
                return Ok(all);
            }
        }
    }
}
