//! APIC ids: from Xen, and as hv-glue says that Xen has to give them.

use acpi_gen::{ApicId, ProximityDomain};
use hv_glue::{ApicIds, Placement, Scheme, VcpuId, legacy_id};
use xen_hypercall::{DomainId, Errno, Xen};

use crate::failure::Failure;
use crate::request::Request;

/// Who said which ids the guest has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// XEN_DOMCTL_get_vcpu_apicids.
    Xen,
    /// Nobody: this Xen does not know the call, and gives vcpu_id * 2.
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
    let vcpu_to_vnode = request.vnode_ids();
    // Guests have no host domain to align with: Xen numbers their vnodes 0, 1, ….
    let domains: Vec<Option<ProximityDomain>> =
        (0_u32..).take(request.domains.len()).map(|n| Some(ProximityDomain(n))).collect();
    let mut scratch = vec![0; domains.len()];
    let mut ids = vec![ApicId(0); vcpu_to_vnode.len()];
    let placement = Placement { vcpu_to_vnode: &vcpu_to_vnode, domains: &domains };
    ApicIds::assign(placement, Scheme::FirstThatFits, ApicId::MAX_XAPIC, &mut scratch, &mut ids)?;
    Ok(ids.iter().map(|id| id.0).collect())
}
