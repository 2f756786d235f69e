//! Making, running and ending domains.

use std::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::Error;
use crate::device::Xen;
use crate::domctl::{Domctl, LAYOUT_VERSIONS};
use crate::mirror::{Group, Scope, constants, mirror};

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
impl Domctl for TscInfoCall {
    const COMMAND: (u32, &'static str) = (60, "XEN_DOMCTL_settscinfo");
}

pub(crate) const GROUPS: &[Group] = &[
    Group {
        scope: Scope::Every,
        mirrors: &[ArchConfig::MIRROR],
        constants: constants! { DOMID_FIRST_RESERVED = 0x7FF0, DOMID_SELF = 0x7FF0 },
    },
    Group {
        scope: Scope::Domctl(LAYOUT_VERSIONS),
        mirrors: &[
            CreateDomainCall::MIRROR,
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
            XEN_DOMCTL_max_mem = 11,
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
