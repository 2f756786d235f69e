//! A guest's vNUMA layout in Xen.

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

use crate::buffer::Handle;
use crate::device::{Number, Xen};
use crate::domain::DomainId;
use crate::domctl::{Domctl, LAYOUT_VERSIONS};
use crate::mirror::{Group, Scope, constants, mirror};
use crate::{Errno, Error};

/// `struct xen_vmemrange`: guest physical addresses of one vnode.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, PartialEq, Eq)]
#[repr(C)]
pub struct Vmemrange {
    /// First address.
    pub start: u64,
    /// First address past the range.
    pub end: u64,
    /// Must be 0.
    pub flags: u32,
    /// The vnode.
    pub nid: u32,
}

mirror!(Vmemrange = "struct xen_vmemrange": 24 { start @ 0, end @ 8, flags @ 16, nid @ 20 });

/// What `setvnumainfo` is given.
#[derive(Clone, Copy, Debug)]
pub struct Vnuma<'a> {
    /// Distances between the vnodes, row by row.
    pub distances: &'a [u32],
    /// Each vCPU's vnode.
    pub vcpu_to_vnode: &'a [u32],
    /// Each vnode's host node.
    pub vnode_to_pnode: &'a [u32],
    /// The vnodes' memory.
    pub ranges: &'a [Vmemrange],
}

/// `struct xen_domctl_vnuma`.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct SetVnumaCall {
    nr_vnodes: u32,
    nr_vmemranges: u32,
    nr_vcpus: u32,
    pad: u32,
    vdistance: Handle,
    vcpu_to_vnode: Handle,
    vnode_to_pnode: Handle,
    vmemrange: Handle,
}

mirror!(SetVnumaCall = "struct xen_domctl_vnuma": 48 {
    nr_vnodes @ 0, nr_vmemranges @ 4, nr_vcpus @ 8, pad @ 12, vdistance @ 16,
    vcpu_to_vnode @ 24, vnode_to_pnode @ 32, vmemrange @ 40
});

impl Domctl for SetVnumaCall {
    const COMMAND: (u32, &'static str) = (74, "XEN_DOMCTL_setvnumainfo");
}

/// `struct xen_vnuma_topology_info`.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct GetVnumaCall {
    domid: u16,
    pad: u16,
    nr_vnodes: u32,
    nr_vcpus: u32,
    nr_vmemranges: u32,
    vdistance: Handle,
    vcpu_to_vnode: Handle,
    vmemrange: Handle,
}

mirror!(GetVnumaCall = "struct xen_vnuma_topology_info": 40 {
    domid @ 0, pad @ 2, nr_vnodes @ 4, nr_vcpus @ 8, nr_vmemranges @ 12, vdistance @ 16,
    vcpu_to_vnode @ 24, vmemrange @ 32
});

const XENMEM_GET_VNUMAINFO: u64 = 26;

pub(crate) const GROUPS: &[Group] = &[
    Group {
        scope: Scope::Every,
        mirrors: &[Vmemrange::MIRROR, GetVnumaCall::MIRROR],
        constants: constants! { XENMEM_get_vnumainfo = XENMEM_GET_VNUMAINFO },
    },
    Group {
        scope: Scope::Domctl(LAYOUT_VERSIONS),
        mirrors: &[SetVnumaCall::MIRROR],
        constants: constants! { XEN_DOMCTL_setvnumainfo = 74 },
    },
];

/// What `get_vnumainfo` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VnumaInfo {
    /// Distances between the vnodes, row by row.
    pub distances: Vec<u32>,
    /// Each vCPU's vnode.
    pub vcpu_to_vnode: Vec<u32>,
    /// The vnodes' memory.
    pub ranges: Vec<Vmemrange>,
}

impl Xen {
    /// Gives a domain its vNUMA layout. `XEN_DOMCTL_setvnumainfo`.
    ///
    /// # Errors
    /// Xen's: -EINVAL for what does not fit together, -ERANGE where no APIC ids fit,
    /// -EBUSY for a domain that follows its layout and has run.
    pub fn set_vnuma(&self, domain: DomainId, vnuma: &Vnuma<'_>) -> Result<(), Error> {
        let refused = |errno| Error::Refused { call: SetVnumaCall::COMMAND.1, errno };
        let vnodes = vnuma.vnode_to_pnode.len();
        // Xen reads the square from the handle, so a shorter array would be read past its end.
        if vnodes.checked_mul(vnodes) != Some(vnuma.distances.len()) {
            return Err(refused(Errno::EINVAL));
        }
        let count = |len| u32::try_from(len).map_err(|_| refused(Errno::E2BIG));
        let mut distances = self.copy_of(vnuma.distances)?;
        let mut vcpu_to_vnode = self.copy_of(vnuma.vcpu_to_vnode)?;
        let mut vnode_to_pnode = self.copy_of(vnuma.vnode_to_pnode)?;
        let mut ranges = self.copy_of(vnuma.ranges)?;
        let mut call = SetVnumaCall {
            nr_vnodes: count(vnodes)?,
            nr_vmemranges: count(vnuma.ranges.len())?,
            nr_vcpus: count(vnuma.vcpu_to_vnode.len())?,
            pad: 0,
            vdistance: distances.handle(),
            vcpu_to_vnode: vcpu_to_vnode.handle(),
            vnode_to_pnode: vnode_to_pnode.handle(),
            vmemrange: ranges.handle(),
        };
        // SAFETY: Xen reads nr_vnodes squared distances, which was checked, and as many
        // elements of the other arrays as their own lengths say.
        unsafe { self.domctl(domain, &mut call) }.map(|_| ())
    }

    /// The layout that a domain may see. `XENMEM_get_vnumainfo`.
    ///
    /// # Errors
    /// Xen's: -EOPNOTSUPP where the domain has none.
    pub fn vnuma_info(&self, domain: DomainId) -> Result<VnumaInfo, Error> {
        let query = GetVnumaCall { domid: domain.0, ..GetVnumaCall::new_zeroed() };
        // With counts of 0 Xen answers -ENOBUFS and the counts.
        let mut call = match self.get_vnuma(query) {
            (call, Err(error)) if error.errno() == Some(Errno::ENOBUFS) => call,
            (_, Err(error)) => return Err(error),
            (call, Ok(())) => call,
        };
        let len = |count: u32| usize::try_from(count).unwrap_or(0);
        let vnodes = len(call.nr_vnodes);
        let mut distances = self.zeroed::<u32>(vnodes.saturating_mul(vnodes))?;
        let mut vcpu_to_vnode = self.zeroed::<u32>(len(call.nr_vcpus))?;
        let mut ranges = self.zeroed::<Vmemrange>(len(call.nr_vmemranges))?;
        call.vdistance = distances.handle();
        call.vcpu_to_vnode = vcpu_to_vnode.handle();
        call.vmemrange = ranges.handle();
        self.get_vnuma(call).1?;
        Ok(VnumaInfo {
            distances: distances.as_slice().to_vec(),
            vcpu_to_vnode: vcpu_to_vnode.as_slice().to_vec(),
            ranges: ranges.as_slice().to_vec(),
        })
    }

    /// One call, and the counts as Xen left them.
    fn get_vnuma(&self, call: GetVnumaCall) -> (GetVnumaCall, Result<(), Error>) {
        let mut buffer = match self.copy_of(&[call]) {
            Ok(buffer) => buffer,
            Err(error) => return (call, Err(error)),
        };
        let arguments = [XENMEM_GET_VNUMAINFO, buffer.handle().address(), 0, 0, 0];
        // SAFETY: the structure's handles are null with counts of 0, or those of arrays of
        // these very counts: Xen writes nothing where its own counts are higher.
        let result =
            unsafe { self.hypercall("XENMEM_get_vnumainfo", Number::MEMORY_OP, arguments) };
        let call = buffer.as_slice().first().copied().unwrap_or(call);
        (call, result.map(|_| ()))
    }
}
