//! The opt-in to vNUMA-derived APIC ids.
//!
//! **The contract.** A toolstack that asks for the flag asserts that it reads the
//! APIC ids back (`XEN_DOMCTL_get_vcpu_apicids`) after it set the vNUMA layout,
//! and writes those into the guest's MADT and SRAT. A MADT with `vcpu_id * 2`
//! then disagrees with the local APICs, and secondary CPUs do not come up.
//! Without the flag nothing differs from upstream: ids are `vcpu_id * 2` and the
//! CPUID policy is not touched.
//!
//! The flag is for PVH guests. PV has neither CPUID leaf 0xB nor a local APIC to
//! speak of and is refused. HVM with hvmloader is not supported: hvmloader writes
//! `2 * vcpu` into its own MADT and MP table.

use crate::Error;

/// The name of the flag for log messages and configuration files; its bit is the
/// caller's, as the numbers differ between forks.
pub const FLAG_NAME: &str = "vnuma_apic_topology";

/// What kind of guest is to be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestKind {
    /// Paravirtualised.
    Pv,
    /// Hardware-virtualised: PVH, or HVM with a firmware of its own.
    Hvm,
}

/// Which ids and CPUID leaves a guest gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Upstream's: `vcpu_id * 2`, leaves untouched.
    Upstream,
    /// Derived from the vNUMA layout.
    Vnuma,
}

/// What a guest gets by what was asked for at its creation.
///
/// # Errors
/// [`Error::OptInForPv`] where the flag is set for PV.
pub const fn policy(flag: bool, kind: GuestKind) -> Result<Policy, Error> {
    match (flag, kind) {
        (false, _) => Ok(Policy::Upstream),
        (true, GuestKind::Hvm) => Ok(Policy::Vnuma),
        (true, GuestKind::Pv) => Err(Error::OptInForPv),
    }
}
