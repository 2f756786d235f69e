//! HVM parameters and the saved state of a domain's processors.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::buffer::Handle;
use crate::device::{Number, Xen};
use crate::domain::DomainId;
use crate::domctl::{Domctl, LAYOUT_VERSIONS};
use crate::mirror::{Group, Scope, constants, mirror};
use crate::{Errno, Error};

/// `HVM_PARAM_*`. Xen public/hvm/params.h.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, PartialEq, Eq)]
#[repr(transparent)]
pub struct HvmParam(pub u32);

impl HvmParam {
    /// The address of an identity-mapped page table for Intel CPUs that cannot run
    /// a guest without paging.
    pub const IDENT_PT: Self = Self(12);
}

/// `struct xen_hvm_param`.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct ParamCall {
    domid: u16,
    pad: u16,
    index: HvmParam,
    value: u64,
}

mirror!(ParamCall = "struct xen_hvm_param": 16 { domid @ 0, pad @ 2, index @ 4, value @ 8 });

const HVMOP_SET_PARAM: u64 = 0;

/// `struct xen_domctl_hvmcontext`.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct ContextCall {
    size: u32,
    padding: u32,
    buffer: Handle,
}

mirror!(ContextCall = "struct xen_domctl_hvmcontext": 16 { size @ 0, buffer @ 8 | padding @ 4 });

/// The same structure, for the command that reads.
#[derive(FromBytes, Immutable, IntoBytes)]
#[repr(transparent)]
struct GetContextCall(ContextCall);

impl Domctl for GetContextCall {
    const COMMAND: (u32, &'static str) = (33, "XEN_DOMCTL_gethvmcontext");
}
impl Domctl for ContextCall {
    const COMMAND: (u32, &'static str) = (34, "XEN_DOMCTL_sethvmcontext");
}

pub(crate) const GROUPS: &[Group] = &[
    Group {
        scope: Scope::Every,
        mirrors: &[ParamCall::MIRROR],
        constants: constants! { HVMOP_set_param = HVMOP_SET_PARAM, HVM_PARAM_IDENT_PT = 12 },
    },
    Group {
        scope: Scope::Domctl(LAYOUT_VERSIONS),
        mirrors: &[ContextCall::MIRROR],
        constants: constants! { XEN_DOMCTL_gethvmcontext = 33, XEN_DOMCTL_sethvmcontext = 34 },
    },
];

impl Xen {
    /// Sets a parameter of a PVH or HVM domain. `HVMOP_set_param`.
    ///
    /// # Errors
    /// Xen's.
    pub fn set_hvm_param(
        &self,
        domain: DomainId,
        index: HvmParam,
        value: u64,
    ) -> Result<(), Error> {
        let mut buffer = self.copy_of(&[ParamCall { domid: domain.0, pad: 0, index, value }])?;
        let arguments = [HVMOP_SET_PARAM, buffer.handle().address(), 0, 0, 0];
        // SAFETY: the one address is that of a whole structure without handles.
        unsafe { self.hypercall("HVMOP_set_param", Number::HVM_OP, arguments) }.map(|_| ())
    }

    /// The saved state of a domain's processors and devices, as
    /// [`records`](crate::records) reads it. `XEN_DOMCTL_gethvmcontext`.
    ///
    /// # Errors
    /// Xen's.
    pub fn hvm_context(&self, domain: DomainId) -> Result<Vec<u8>, Error> {
        let mut query = GetContextCall(ContextCall { size: 0, padding: 0, buffer: Handle::NULL });
        // SAFETY: the handle is null.
        unsafe { self.domctl(domain, &mut query) }?;
        let len = |size: u32| usize::try_from(size).unwrap_or(0);
        let mut bytes = self.zeroed::<u8>(len(query.0.size))?;
        let buffer = bytes.handle();
        let mut call = GetContextCall(ContextCall { buffer, ..query.0 });
        // SAFETY: the array has `size` elements.
        unsafe { self.domctl(domain, &mut call) }?;
        Ok(bytes.as_slice().get(..len(call.0.size)).unwrap_or_default().to_vec())
    }

    /// Puts saved state into a domain. `XEN_DOMCTL_sethvmcontext`.
    ///
    /// # Errors
    /// Xen's.
    pub fn set_hvm_context(&self, domain: DomainId, context: &[u8]) -> Result<(), Error> {
        let mut bytes = self.copy_of(context)?;
        let size = u32::try_from(context.len())
            .map_err(|_| Error::Refused { call: ContextCall::COMMAND.1, errno: Errno::E2BIG })?;
        let mut call = ContextCall { size, padding: 0, buffer: bytes.handle() };
        // SAFETY: the array has `size` elements.
        unsafe { self.domctl(domain, &mut call) }.map(|_| ())
    }
}
