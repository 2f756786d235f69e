//! The host's nodes.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::Error;
use crate::buffer::Handle;
use crate::device::Xen;
use crate::mirror::{Group, Scope, constants, mirror};
use crate::sysctl::Sysctl;
use crate::versions::SYSCTL_VERSIONS;

/// `struct xen_sysctl_meminfo`: one node's memory.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, PartialEq, Eq)]
#[repr(C)]
pub struct HostNode {
    /// Bytes that it spans; `u64::MAX` for a node that does not exist.
    pub memsize: u64,
    /// Bytes that are free.
    pub memfree: u64,
}

mirror!(HostNode = "struct xen_sysctl_meminfo": 16 { memsize @ 0, memfree @ 8 });

impl HostNode {
    /// Whether the host has this node. Xen says `XEN_INVALID_MEM_SZ`, 32 or 64 bits of
    /// ones by how it was compiled, or 0 for one that it has not.
    #[must_use]
    pub const fn exists(&self) -> bool {
        !matches!(self.memsize, 0 | 0xFFFF_FFFF | u64::MAX)
    }
}

/// `struct xen_sysctl_numainfo`.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct NumainfoCall {
    num_nodes: u32,
    padding: u32,
    meminfo: Handle,
    distance: Handle,
}

mirror!(NumainfoCall = "struct xen_sysctl_numainfo": 24 {
    num_nodes @ 0, meminfo @ 8, distance @ 16 | padding @ 4
});

impl Sysctl for NumainfoCall {
    const COMMAND: (u32, &'static str) = (17, "XEN_SYSCTL_numainfo");
}

pub(crate) const GROUPS: &[Group] = &[Group {
    scope: Scope::Sysctl(SYSCTL_VERSIONS),
    mirrors: &[HostNode::MIRROR, NumainfoCall::MIRROR],
    constants: constants! { XEN_SYSCTL_numainfo = 17 },
}];

/// The host's nodes by Xen's numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostNuma {
    /// Their memory.
    pub nodes: Vec<HostNode>,
    /// Their distances, row by row.
    pub distances: Vec<u32>,
}

impl Xen {
    /// The host's nodes. `XEN_SYSCTL_numainfo`.
    ///
    /// # Errors
    /// Xen's.
    pub fn host_numa(&self) -> Result<HostNuma, Error> {
        let mut call = NumainfoCall {
            num_nodes: 0,
            padding: 0,
            meminfo: Handle::NULL,
            distance: Handle::NULL,
        };
        // SAFETY: both handles are null.
        unsafe { self.sysctl(&mut call) }?;
        let len = |count: u32| usize::try_from(count).unwrap_or(0);
        let most = len(call.num_nodes);
        let mut nodes = self.zeroed::<HostNode>(most)?;
        let mut distances = self.zeroed::<u32>(most.saturating_mul(most))?;
        call.meminfo = nodes.handle();
        call.distance = distances.handle();
        // SAFETY: the arrays have num_nodes elements, and num_nodes squared.
        unsafe { self.sysctl(&mut call) }?;
        let found = len(call.num_nodes);
        let square = found.saturating_mul(found);
        Ok(HostNuma {
            nodes: nodes.as_slice().get(..found).unwrap_or_default().to_vec(),
            distances: distances.as_slice().get(..square).unwrap_or_default().to_vec(),
        })
    }
}
