//! CPUID and MSR policies.

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

use crate::Error;
use crate::buffer::Handle;
use crate::device::Xen;
use crate::domain::DomainId;
use crate::domctl::{Domctl, LAYOUT_VERSIONS};
use crate::mirror::{Group, Scope, constants, mirror};
use crate::sysctl::Sysctl;
use crate::versions::SYSCTL_VERSIONS;

/// `xen_cpuid_leaf_t`: one leaf of CPUID.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, PartialEq, Eq)]
#[repr(C)]
pub struct CpuidLeaf {
    /// EAX that asks for it.
    pub leaf: u32,
    /// ECX that asks for it; 0xFFFFFFFF where the leaf has no subleaves.
    pub subleaf: u32,
    /// EAX.
    pub a: u32,
    /// EBX.
    pub b: u32,
    /// ECX.
    pub c: u32,
    /// EDX.
    pub d: u32,
}

mirror!(CpuidLeaf = "xen_cpuid_leaf_t": 24 { leaf @ 0, subleaf @ 4, a @ 8, b @ 12, c @ 16, d @ 20 });

/// `xen_msr_entry_t`: one model-specific register.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, PartialEq, Eq)]
#[repr(C)]
pub struct MsrEntry {
    /// Its number.
    pub idx: u32,
    /// Must be 0.
    pub flags: u32,
    /// Its value.
    pub val: u64,
}

mirror!(MsrEntry = "xen_msr_entry_t": 16 { idx @ 0, flags @ 4, val @ 8 });

/// `struct xen_domctl_cpu_policy`.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct PolicyCall {
    nr_leaves: u32,
    nr_msrs: u32,
    leaves: Handle,
    msrs: Handle,
    err_leaf: u32,
    err_subleaf: u32,
    err_msr: u32,
    tail: u32,
}

mirror!(PolicyCall = "struct xen_domctl_cpu_policy": 40 {
    nr_leaves @ 0, nr_msrs @ 4, leaves @ 8, msrs @ 16, err_leaf @ 24, err_subleaf @ 28,
    err_msr @ 32 | tail @ 36
});

/// The same structure, for the command that reads.
#[derive(FromBytes, Immutable, IntoBytes)]
#[repr(transparent)]
struct GetPolicyCall(PolicyCall);

impl Domctl for GetPolicyCall {
    const COMMAND: (u32, &'static str) = (82, "XEN_DOMCTL_get_cpu_policy");
}
impl Domctl for PolicyCall {
    const COMMAND: (u32, &'static str) = (83, "XEN_DOMCTL_set_cpu_policy");
}

/// `struct xen_sysctl_cpu_policy`.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct SystemPolicyCall {
    index: SystemPolicy,
    nr_leaves: u32,
    nr_msrs: u32,
    _rsvd: u32,
    leaves: Handle,
    msrs: Handle,
}

mirror!(SystemPolicyCall = "struct xen_sysctl_cpu_policy": 32 {
    index @ 0, nr_leaves @ 4, nr_msrs @ 8, _rsvd @ 12, leaves @ 16, msrs @ 24
});

impl Sysctl for SystemPolicyCall {
    const COMMAND: (u32, &'static str) = (29, "XEN_SYSCTL_get_cpu_policy");
}

/// A policy of the whole system, `XEN_SYSCTL_cpu_policy_*`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, PartialEq, Eq)]
#[repr(transparent)]
pub struct SystemPolicy(pub u32);

impl SystemPolicy {
    /// What Xen gives a PVH or HVM guest if nobody says otherwise.
    pub const HVM_DEFAULT: Self = Self(5);
}

pub(crate) const GROUPS: &[Group] = &[
    Group {
        scope: Scope::Every,
        mirrors: &[CpuidLeaf::MIRROR, MsrEntry::MIRROR],
        constants: constants! { XEN_CPUID_NO_SUBLEAF = 0xFFFF_FFFF },
    },
    Group {
        scope: Scope::Domctl(LAYOUT_VERSIONS),
        mirrors: &[PolicyCall::MIRROR],
        constants: constants! { XEN_DOMCTL_get_cpu_policy = 82, XEN_DOMCTL_set_cpu_policy = 83 },
    },
    Group {
        scope: Scope::Sysctl(SYSCTL_VERSIONS),
        mirrors: &[SystemPolicyCall::MIRROR],
        constants: constants! {
            XEN_SYSCTL_get_cpu_policy = 29,
            XEN_SYSCTL_cpu_policy_hvm_default = 5,
        },
    },
];

/// What CPUID and some MSRs say to a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuPolicy {
    /// The leaves. Fields that differ between vCPUs, APIC ids among them, are 0.
    pub leaves: Vec<CpuidLeaf>,
    /// The MSRs.
    pub msrs: Vec<MsrEntry>,
}

fn len(count: u32) -> usize {
    usize::try_from(count).unwrap_or(0)
}

impl Xen {
    /// A policy of the system. `XEN_SYSCTL_get_cpu_policy`.
    ///
    /// # Errors
    /// Xen's.
    pub fn system_cpu_policy(&self, index: SystemPolicy) -> Result<CpuPolicy, Error> {
        let (nr_leaves, nr_msrs) = self.policy_sizes()?;
        let mut leaves = self.zeroed::<CpuidLeaf>(len(nr_leaves))?;
        let mut msrs = self.zeroed::<MsrEntry>(len(nr_msrs))?;
        let mut call = SystemPolicyCall {
            index,
            nr_leaves,
            nr_msrs,
            _rsvd: 0,
            leaves: leaves.handle(),
            msrs: msrs.handle(),
        };
        // SAFETY: the arrays have as many elements as the counts say.
        unsafe { self.sysctl(&mut call) }?;
        Ok(CpuPolicy {
            leaves: leaves.as_slice().get(..len(call.nr_leaves)).unwrap_or_default().to_vec(),
            msrs: msrs.as_slice().get(..len(call.nr_msrs)).unwrap_or_default().to_vec(),
        })
    }

    /// The most leaves and MSRs that a policy has.
    fn policy_sizes(&self) -> Result<(u32, u32), Error> {
        let mut call = SystemPolicyCall {
            index: SystemPolicy::HVM_DEFAULT,
            nr_leaves: 0,
            nr_msrs: 0,
            _rsvd: 0,
            leaves: Handle::NULL,
            msrs: Handle::NULL,
        };
        // SAFETY: both handles are null.
        unsafe { self.sysctl(&mut call) }?;
        Ok((call.nr_leaves, call.nr_msrs))
    }

    /// A domain's policy. `XEN_DOMCTL_get_cpu_policy`.
    ///
    /// # Errors
    /// Xen's.
    pub fn cpu_policy(&self, domain: DomainId) -> Result<CpuPolicy, Error> {
        let (nr_leaves, nr_msrs) = self.policy_sizes()?;
        let mut leaves = self.zeroed::<CpuidLeaf>(len(nr_leaves))?;
        let mut msrs = self.zeroed::<MsrEntry>(len(nr_msrs))?;
        let mut call = GetPolicyCall(PolicyCall {
            nr_leaves,
            nr_msrs,
            leaves: leaves.handle(),
            msrs: msrs.handle(),
            ..PolicyCall::new_zeroed()
        });
        // SAFETY: the arrays have as many elements as the counts say.
        unsafe { self.domctl(domain, &mut call) }?;
        let GetPolicyCall(call) = call;
        Ok(CpuPolicy {
            leaves: leaves.as_slice().get(..len(call.nr_leaves)).unwrap_or_default().to_vec(),
            msrs: msrs.as_slice().get(..len(call.nr_msrs)).unwrap_or_default().to_vec(),
        })
    }

    /// Gives a domain that has not run another policy. `XEN_DOMCTL_set_cpu_policy`.
    ///
    /// # Errors
    /// Xen's: -EINVAL for what the host does not have.
    pub fn set_cpu_policy(&self, domain: DomainId, policy: &CpuPolicy) -> Result<(), Error> {
        let count = |len| {
            let errno = crate::Errno::E2BIG;
            u32::try_from(len).map_err(|_| Error::Refused { call: PolicyCall::COMMAND.1, errno })
        };
        let mut leaves = self.copy_of(&policy.leaves)?;
        let mut msrs = self.copy_of(&policy.msrs)?;
        let mut call = PolicyCall {
            nr_leaves: count(policy.leaves.len())?,
            nr_msrs: count(policy.msrs.len())?,
            leaves: leaves.handle(),
            msrs: msrs.handle(),
            ..PolicyCall::new_zeroed()
        };
        // SAFETY: the arrays have as many elements as the counts say.
        unsafe { self.domctl(domain, &mut call) }.map(|_| ())
    }
}
