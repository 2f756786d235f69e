//! APIC ids: from Xen, and as hv-glue says that Xen has to give them.

use hv_glue::{OwnedArena, VcpuId, legacy_id};
use xen_hypercall::{DomainId, Errno, Xen};

use crate::failure::Failure;
use crate::request::{self, Request};

/// Who said which ids the guest has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// XEN_DOMCTL_get_vcpu_apicids.
    Xen,
    /// This Xen does not have the call, and gives vcpu_id * 2.
    Legacy,
}

/// The ids of a domain whose layout has been set. A Xen without the call has legacy ids.
pub(crate) fn of_domain(
    xen: &Xen,
    domain: DomainId,
    vcpus: usize,
) -> Result<(Vec<u32>, Source), Failure> {
    match xen.vcpu_apic_ids(domain) {
        Ok(ids) => Ok((ids, Source::Xen)),
        Err(error) if error.errno() == Some(Errno::ENOSYS) => Ok((legacy(vcpus), Source::Legacy)),
        Err(error) => Err(error.into()),
    }
}

/// vcpu_id * 2.
pub(crate) fn legacy(vcpus: usize) -> Vec<u32> {
    (0_u32..).take(vcpus).map(|vcpu| legacy_id(VcpuId(vcpu)).0).collect()
}

/// The ids that a Xen with hv-glue gives an opted-in guest.
pub(crate) fn expected(request: &Request) -> Result<Vec<u32>, Failure> {
    let mut arena = OwnedArena::default();
    let mut plan = request::plan(&request.machine, &mut arena)?;
    plan.derive_ids()?;
    Ok(plan.processors().iter().map(|processor| processor.apic_id.0).collect())
}
