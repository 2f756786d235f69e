//! The two hypercalls that a Xen with hv-glue adds, `XEN_DOMCTL_get_vcpu_apicids` and
//! `XENMEM_get_mfn_pxms`. hv-glue/xen, public/hv_glue.h.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::buffer::{Handle, NoArray};
use crate::device::{Number, Xen};
use crate::domain::DomainId;
use crate::domctl::Domctl;
use crate::mirror::{Group, Scope, constants, mirror};
use crate::versions::{DOMCTL_VERSIONS, Version};
use crate::{Errno, Error};

/// `struct xen_domctl_get_vcpu_apicids`.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct GetApicIdsCall {
    nr_vcpus: u32,
    nr_filled: u32,
    apicids: Handle,
}

mirror!(GetApicIdsCall = "struct xen_domctl_get_vcpu_apicids": 16 {
    nr_vcpus @ 0, nr_filled @ 4, apicids @ 8
});

impl Domctl for GetApicIdsCall {
    const COMMAND: (u32, &'static str) = (2001, "XEN_DOMCTL_get_vcpu_apicids");
    /// The structure is hv-glue's own, so only the frame decides.
    const VERSIONS: &'static [Version] = DOMCTL_VERSIONS;
}

/// `struct xen_get_mfn_pxms`.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct GetMfnPxmsCall {
    mfns: Handle,
    pxms: Handle,
    nr_mfns: u32,
    flags: u32,
}

mirror!(GetMfnPxmsCall = "struct xen_get_mfn_pxms": 24 {
    mfns @ 0, pxms @ 8, nr_mfns @ 16, flags @ 20
});

/// Words of a `get_mfn_pxms` that must be 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct MfnPxmsReserved {
    /// `flags` of the structure.
    pub flags: u32,
    /// The first extent, in the upper bits of the command's number.
    pub start_extent: u64,
}

const XENMEM_GET_MFN_PXMS: u64 = 40;
/// `MEMOP_EXTENT_SHIFT` of Xen's own xen/hypercall.h.
const EXTENT_SHIFT: u32 = 6;

// Of hv-glue's own header, which is the same in every Xen.
pub(crate) const GROUPS: &[Group] = &[Group {
    scope: Scope::Every,
    mirrors: &[GetApicIdsCall::MIRROR, GetMfnPxmsCall::MIRROR],
    constants: constants! {
        XEN_DOMCTL_get_vcpu_apicids = 2001,
        XENMEM_get_mfn_pxms = XENMEM_GET_MFN_PXMS,
        XEN_DOMCTL_CDF_vnuma_apic_topology = 1 << 31,
    },
}];

/// What one `get_vcpu_apicids` answered.
#[derive(Debug)]
pub struct ApicIdQuery {
    /// `nr_filled`: ids written, or ids that there are.
    pub filled: u32,
    /// The ids that the array holds now.
    pub ids: Vec<u32>,
    /// The call's result.
    pub result: Result<(), Error>,
}

impl Xen {
    /// The x2APIC id of each vCPU. `XEN_DOMCTL_get_vcpu_apicids`.
    ///
    /// # Errors
    /// Xen's: -ENOSYS where it does not know the call.
    pub fn vcpu_apic_ids(&self, domain: DomainId) -> Result<Vec<u32>, Error> {
        let query = self.query_apic_ids(domain, 0)?;
        query.result?;
        let query = self.query_apic_ids(domain, query.filled)?;
        query.result.map(|()| query.ids)
    }

    /// One call with an array of `capacity` elements; 0 is the query for the number.
    ///
    /// # Errors
    /// [`Error::Device`]; what Xen says is part of the answer.
    pub fn query_apic_ids(&self, domain: DomainId, capacity: u32) -> Result<ApicIdQuery, Error> {
        let mut ids = self.zeroed::<u32>(usize::try_from(capacity).unwrap_or(0))?;
        let apicids = if capacity == 0 { Handle::NULL } else { ids.handle() };
        let mut call = GetApicIdsCall { nr_vcpus: capacity, nr_filled: 0, apicids };
        // SAFETY: the handle is null, or that of nr_vcpus elements.
        let result = unsafe { self.domctl(domain, &mut call) }.map(|_| ());
        Ok(ApicIdQuery { filled: call.nr_filled, ids: ids.as_slice().to_vec(), result })
    }

    /// One call that says to have room for `nr_vcpus` ids, and has none. For tests.
    ///
    /// # Errors
    /// Xen's: -EFAULT for an array that is not mapped. With a null handle it answers
    /// how many ids there are.
    pub fn apic_ids_without_array(
        &self,
        domain: DomainId,
        nr_vcpus: u32,
        array: NoArray,
    ) -> Result<u32, Error> {
        let apicids = array.handle();
        let mut call = GetApicIdsCall { nr_vcpus, nr_filled: 0, apicids };
        // SAFETY: where nothing is mapped nothing is written.
        unsafe { self.domctl(domain, &mut call) }.map(|_| call.nr_filled)
    }

    /// The proximity domain of each host frame, `None` for a frame in no memory block.
    /// `XENMEM_get_mfn_pxms`; for the hardware domain alone.
    ///
    /// # Errors
    /// Xen's: -EPERM for other domains, -E2BIG above 1,024 frames, -ENOSYS where it does
    /// not know the call.
    pub fn mfn_pxms(&self, mfns: &[u64]) -> Result<Vec<Option<u32>>, Error> {
        self.mfn_pxms_reserved(mfns, MfnPxmsReserved::default())
    }

    /// As [`Self::mfn_pxms`], with values in the words that must be 0. For tests.
    ///
    /// # Errors
    /// Xen's: those of [`Self::mfn_pxms`], and -EINVAL.
    pub fn mfn_pxms_reserved(
        &self,
        mfns: &[u64],
        reserved: MfnPxmsReserved,
    ) -> Result<Vec<Option<u32>>, Error> {
        const CALL: &str = "XENMEM_get_mfn_pxms";
        let nr_mfns = u32::try_from(mfns.len())
            .map_err(|_| Error::Refused { call: CALL, errno: Errno::E2BIG })?;
        let mut frames = self.copy_of(mfns)?;
        let mut pxms = self.zeroed::<u32>(mfns.len())?;
        let MfnPxmsReserved { flags, start_extent } = reserved;
        let call = GetMfnPxmsCall { mfns: frames.handle(), pxms: pxms.handle(), nr_mfns, flags };
        let mut buffer = self.copy_of(&[call])?;
        let command = start_extent << EXTENT_SHIFT | XENMEM_GET_MFN_PXMS;
        let arguments = [command, buffer.handle().address(), 0, 0, 0];
        // SAFETY: both arrays have `nr_mfns` elements.
        unsafe { self.hypercall(CALL, Number::MEMORY_OP, arguments) }?;
        Ok(pxms.as_slice().iter().map(|&pxm| (pxm != u32::MAX).then_some(pxm)).collect())
    }

    /// One call whose frames can be read, or cannot, and whose answers cannot be
    /// written. For tests.
    ///
    /// # Errors
    /// Xen's: -EFAULT.
    pub fn mfn_pxms_without_array(&self, with_frames: bool) -> Result<(), Error> {
        let mut mfns = self.zeroed::<u64>(1)?;
        let nowhere = NoArray::Unmapped.handle();
        let mfns = if with_frames { mfns.handle() } else { nowhere };
        let call = GetMfnPxmsCall { mfns, pxms: nowhere, nr_mfns: 1, flags: 0 };
        let mut buffer = self.copy_of(&[call])?;
        let arguments = [XENMEM_GET_MFN_PXMS, buffer.handle().address(), 0, 0, 0];
        // SAFETY: there is one frame, and where nothing is mapped nothing is read or written.
        unsafe { self.hypercall("XENMEM_get_mfn_pxms", Number::MEMORY_OP, arguments) }.map(|_| ())
    }
}
