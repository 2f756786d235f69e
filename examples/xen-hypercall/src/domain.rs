//! Making, running and ending domains.

use std::fmt;

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

use crate::Error;
use crate::buffer::Handle;
use crate::device::Xen;
use crate::domctl::{Domctl, LAYOUT_VERSIONS};
use crate::mirror::{Group, Scope, constants, mirror};
use crate::sysctl::Sysctl;
use crate::versions::SYSCTL_VERSIONS;

/// A domain's number, `domid_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct DomainId(pub u16);

/// The first number that no domain has; to `createdomain` it says "choose one".
pub const DOMID_FIRST_RESERVED: DomainId = DomainId(0x7FF0);
const DOMID_SELF: u16 = 0x7FF0;

impl DomainId {
    /// The calling domain, for the calls that take it.
    pub const SELF: Self = Self(DOMID_SELF);
}

impl fmt::Display for DomainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "d{}", self.0)
    }
}

/// `XEN_DOMCTL_CDF_*`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, PartialEq, Eq)]
#[repr(transparent)]
pub struct DomainFlags(pub u32);

impl DomainFlags {
    /// None: a PV guest.
    pub const NONE: Self = Self(0);
    /// PVH or HVM.
    pub const HVM: Self = Self(1 << 0);
    /// Hardware-assisted paging.
    pub const HAP: Self = Self(1 << 1);
    /// APIC ids and CPUID from the vNUMA layout: hv-glue's flag, refused by a Xen without it.
    pub const VNUMA_APIC_TOPOLOGY: Self = Self(1 << 31);

    /// These flags and those.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// `XEN_X86_EMU_*`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, PartialEq, Eq)]
#[repr(transparent)]
pub struct EmulationFlags(pub u32);

impl EmulationFlags {
    /// Nothing: PV.
    pub const NONE: Self = Self(0);
    /// A local APIC alone: PVH.
    pub const LAPIC: Self = Self(1 << 0);
}

/// `struct xen_arch_domainconfig`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
pub(crate) struct ArchConfig {
    emulation_flags: EmulationFlags,
    misc_flags: u32,
}

mirror!(ArchConfig = "struct xen_arch_domainconfig": 8 { emulation_flags @ 0, misc_flags @ 4 });

/// `struct xen_domctl_createdomain`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct CreateDomainCall {
    ssidref: u32,
    handle: [u8; 16],
    flags: DomainFlags,
    iommu_opts: u32,
    max_vcpus: u32,
    max_evtchn_port: u32,
    max_grant_frames: i32,
    max_maptrack_frames: i32,
    grant_opts: u32,
    // Until 4.20 altp2m_opts; from 4.21 on two halves, opts and nr. 0 means none in both.
    altp2m: u32,
    vmtrace_size: u32,
    cpupool_id: u32,
    arch: ArchConfig,
}

mirror!(CreateDomainCall = "struct xen_domctl_createdomain": 68 {
    ssidref @ 0, handle @ 4, flags @ 20, iommu_opts @ 24, max_vcpus @ 28, max_evtchn_port @ 32,
    max_grant_frames @ 36, max_maptrack_frames @ 40, grant_opts @ 44,
    vmtrace_size @ 52, cpupool_id @ 56, arch @ 60 | altp2m @ 48
});

/// What a domain is made with; the rest is as xl has it for a guest with no devices.
#[derive(Clone, Copy, Debug)]
pub struct CreateDomain {
    /// Its kind and options.
    pub flags: DomainFlags,
    /// What Xen emulates for it.
    pub emulation: EmulationFlags,
    /// The most vCPUs that it may have.
    pub max_vcpus: u32,
    /// Its UUID.
    pub handle: [u8; 16],
}

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

/// `struct xen_domctl_tsc_info`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct TscInfoCall {
    tsc_mode: TscMode,
    gtsc_khz: u32,
    incarnation: u32,
    pad: u32,
    elapsed_nsec: u64,
}

mirror!(TscInfoCall = "struct xen_domctl_tsc_info": 24 {
    tsc_mode @ 0, gtsc_khz @ 4, incarnation @ 8, pad @ 12, elapsed_nsec @ 16
});

/// How a guest sees the time-stamp counter, `XEN_CPUID_TSC_MODE_*`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, PartialEq, Eq)]
#[repr(transparent)]
pub struct TscMode(pub u32);

impl TscMode {
    /// Emulated where the host's counter is not safe.
    pub const DEFAULT: Self = Self(0);
    /// The host's counter.
    pub const NEVER_EMULATE: Self = Self(2);
}

/// A command whose structure is one number.
macro_rules! number_call {
    ($name:ident($type:ty) = $c_type:literal, $field:ident, $size:literal, $number:literal, $call:literal) => {
        #[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
        #[repr(C)]
        struct $name {
            $field: $type,
        }
        mirror!($name = $c_type: $size { $field @ 0 });
        impl Domctl for $name {
            const COMMAND: (u32, &'static str) = ($number, $call);
        }
    };
}

number_call!(MaxMemCall(u64) = "struct xen_domctl_max_mem", max_memkb, 8, 11, "XEN_DOMCTL_max_mem");
number_call!(MaxVcpusCall(u32) = "struct xen_domctl_max_vcpus", max, 4, 15, "XEN_DOMCTL_max_vcpus");
number_call!(
    MempoolCall(u64) = "struct xen_domctl_paging_mempool",
    size,
    8,
    86,
    "XEN_DOMCTL_set_paging_mempool_size"
);

/// A command without a structure.
macro_rules! bare_call {
    ($name:ident = $number:literal, $call:literal) => {
        #[derive(FromBytes, Immutable, IntoBytes)]
        #[repr(C)]
        struct $name;
        impl Domctl for $name {
            const COMMAND: (u32, &'static str) = ($number, $call);
        }
    };
}

bare_call!(DestroyCall = 2, "XEN_DOMCTL_destroydomain");
bare_call!(PauseCall = 3, "XEN_DOMCTL_pausedomain");
bare_call!(UnpauseCall = 4, "XEN_DOMCTL_unpausedomain");

impl Domctl for CreateDomainCall {
    const COMMAND: (u32, &'static str) = (1, "XEN_DOMCTL_createdomain");
}
impl Domctl for InfoCall {
    const COMMAND: (u32, &'static str) = (5, "XEN_DOMCTL_getdomaininfo");
}
impl Domctl for TscInfoCall {
    const COMMAND: (u32, &'static str) = (60, "XEN_DOMCTL_settscinfo");
}

pub(crate) const GROUPS: &[Group] = &[
    Group {
        scope: Scope::Every,
        // getdomaininfolist gives these domctl structures, too, whatever the domctl version.
        mirrors: &[ArchConfig::MIRROR, InfoCall::MIRROR],
        constants: constants! {
            DOMID_FIRST_RESERVED = 0x7FF0,
            DOMID_SELF = 0x7FF0,
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
        mirrors: &[
            CreateDomainCall::MIRROR,
            VcpuInfoCall::MIRROR,
            TscInfoCall::MIRROR,
            MaxMemCall::MIRROR,
            MaxVcpusCall::MIRROR,
            MempoolCall::MIRROR,
        ],
        constants: constants! {
            XEN_DOMCTL_createdomain = 1,
            XEN_DOMCTL_destroydomain = 2,
            XEN_DOMCTL_pausedomain = 3,
            XEN_DOMCTL_unpausedomain = 4,
            XEN_DOMCTL_getdomaininfo = 5,
            XEN_DOMCTL_max_mem = 11,
            XEN_DOMCTL_getvcpuinfo = 14,
            XEN_DOMCTL_max_vcpus = 15,
            XEN_DOMCTL_settscinfo = 60,
            XEN_DOMCTL_set_paging_mempool_size = 86,
            XEN_DOMCTL_CDF_hvm = 1 << 0,
            XEN_DOMCTL_CDF_hap = 1 << 1,
            XEN_X86_EMU_LAPIC = 1 << 0,
            XEN_CPUID_TSC_MODE_NEVER_EMULATE = 2,
        },
    },
];

const _: () = assert!(SHUTDOWN_SHIFT == 16, "the code is the third byte of the flags");

/// Domains that one call of `domains` reads.
const BATCH: usize = 64;

impl Xen {
    /// Makes a paused domain without vCPUs and memory. `XEN_DOMCTL_createdomain`.
    ///
    /// # Errors
    /// Xen's, such as -EINVAL for a flag that it does not know.
    pub fn create_domain(&self, domain: &CreateDomain) -> Result<DomainId, Error> {
        let mut call = CreateDomainCall {
            ssidref: 0,
            handle: domain.handle,
            flags: domain.flags,
            iommu_opts: 0,
            max_vcpus: domain.max_vcpus,
            max_evtchn_port: 1023,
            // Below 0: Xen's defaults.
            max_grant_frames: -1,
            max_maptrack_frames: -1,
            grant_opts: 1,
            altp2m: 0,
            vmtrace_size: 0,
            cpupool_id: 0,
            arch: ArchConfig { emulation_flags: domain.emulation, misc_flags: 0 },
        };
        // SAFETY: the structure has no handle.
        unsafe { self.domctl(DOMID_FIRST_RESERVED, &mut call) }
    }

    /// Ends a domain and gives its memory back. `XEN_DOMCTL_destroydomain`.
    ///
    /// # Errors
    /// Xen's, such as -ESRCH.
    pub fn destroy_domain(&self, domain: DomainId) -> Result<(), Error> {
        // SAFETY: there is no structure.
        unsafe { self.domctl(domain, &mut DestroyCall) }.map(|_| ())
    }

    /// Stops all vCPUs; counts. `XEN_DOMCTL_pausedomain`.
    ///
    /// # Errors
    /// Xen's.
    pub fn pause_domain(&self, domain: DomainId) -> Result<(), Error> {
        // SAFETY: there is no structure.
        unsafe { self.domctl(domain, &mut PauseCall) }.map(|_| ())
    }

    /// Takes one pause back; a new domain has one. `XEN_DOMCTL_unpausedomain`.
    ///
    /// # Errors
    /// Xen's.
    pub fn unpause_domain(&self, domain: DomainId) -> Result<(), Error> {
        // SAFETY: there is no structure.
        unsafe { self.domctl(domain, &mut UnpauseCall) }.map(|_| ())
    }

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

    /// Makes the domain's vCPUs. `XEN_DOMCTL_max_vcpus`.
    ///
    /// # Errors
    /// Xen's, such as -EINVAL for another number than `createdomain` was given.
    pub fn set_max_vcpus(&self, domain: DomainId, max: u32) -> Result<(), Error> {
        // SAFETY: the structure has no handle.
        unsafe { self.domctl(domain, &mut MaxVcpusCall { max }) }.map(|_| ())
    }

    /// The most memory that the domain may have, in KiB. `XEN_DOMCTL_max_mem`.
    ///
    /// # Errors
    /// Xen's.
    pub fn set_max_memory(&self, domain: DomainId, kib: u64) -> Result<(), Error> {
        // SAFETY: the structure has no handle.
        unsafe { self.domctl(domain, &mut MaxMemCall { max_memkb: kib }) }.map(|_| ())
    }

    /// Memory for the domain's page tables, in bytes. `XEN_DOMCTL_set_paging_mempool_size`.
    ///
    /// # Errors
    /// Xen's, such as -ENOMEM.
    pub fn set_paging_mempool(&self, domain: DomainId, bytes: u64) -> Result<(), Error> {
        // SAFETY: the structure has no handle.
        unsafe { self.domctl(domain, &mut MempoolCall { size: bytes }) }.map(|_| ())
    }

    /// How the guest sees the time-stamp counter. `XEN_DOMCTL_settscinfo`.
    ///
    /// # Errors
    /// Xen's.
    pub fn set_tsc_mode(&self, domain: DomainId, mode: TscMode) -> Result<(), Error> {
        let mut call =
            TscInfoCall { tsc_mode: mode, gtsc_khz: 0, incarnation: 0, pad: 0, elapsed_nsec: 0 };
        // SAFETY: the structure has no handle.
        unsafe { self.domctl(domain, &mut call) }.map(|_| ())
    }
}
