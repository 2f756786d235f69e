//! `XEN_DOMCTL_get_vcpu_apicids`.

use acpi_gen::ApicId;

use crate::hypercall::{Errno, Fault, GuestOutput};
use crate::{VcpuId, legacy_id};

/// What the call answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VcpuApicIds {
    /// `nr_filled`: ids written, or ids that there are where it was a query or
    /// the buffer is too short.
    pub nr_filled: u32,
    /// The call's result.
    pub result: Result<(), Errno>,
}

/// Writes the id of every vCPU. `ids` is the domain's table, empty for a domain
/// without the opt-in, whose ids are [`legacy_id`]. A null handle or a capacity
/// of 0 asks for the number of vCPUs; a buffer that is too short gets -ENOBUFS
/// and that number, and nothing is written.
///
/// Permission is the caller's: FLASK's `DOMAIN__GETVCPUCONTEXT`.
pub fn get_vcpu_apicids<O: GuestOutput<u32>>(
    ids: &[ApicId],
    max_vcpus: u32,
    nr_vcpus: u32,
    output: &mut O,
) -> VcpuApicIds {
    let answer = |result| VcpuApicIds { nr_filled: max_vcpus, result };
    if output.is_null() || nr_vcpus == 0 {
        return answer(Ok(()));
    }
    if nr_vcpus < max_vcpus {
        return answer(Err(Errno::ENOBUFS));
    }
    let mut ids = ids.iter();
    for vcpu in 0..max_vcpus {
        let id = ids.next().copied().unwrap_or(legacy_id(VcpuId(vcpu)));
        if let Err(Fault) = output.write(vcpu, id.0) {
            return VcpuApicIds { nr_filled: vcpu, result: Err(Errno::EFAULT) };
        }
    }
    answer(Ok(()))
}
