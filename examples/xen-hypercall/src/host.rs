//! The host's nodes, and Xen's debug keys.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::buffer::Handle;
use crate::device::Xen;
use crate::mirror::{Mirror, mirror};
use crate::sysctl::Sysctl;
use crate::{Errno, Error};

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

/// `struct xen_sysctl_debug_keys`.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct DebugKeysCall {
    keys: Handle,
    nr_keys: u32,
    tail: u32,
}

mirror!(DebugKeysCall = "struct xen_sysctl_debug_keys": 16 { keys @ 0, nr_keys @ 8 | tail @ 12 });

impl Sysctl for DebugKeysCall {
    const COMMAND: (u32, &'static str) = (7, "XEN_SYSCTL_debug_keys");
}

pub(crate) const MIRRORS: &[Mirror] =
    &[HostNode::MIRROR, NumainfoCall::MIRROR, DebugKeysCall::MIRROR];

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

    /// Presses debug keys; the answer goes to Xen's console. `XEN_SYSCTL_debug_keys`.
    ///
    /// # Errors
    /// Xen's.
    pub fn debug_keys(&self, keys: &[u8]) -> Result<(), Error> {
        let mut buffer = self.copy_of(keys)?;
        let nr_keys = u32::try_from(keys.len())
            .map_err(|_| Error::Refused { call: DebugKeysCall::COMMAND.1, errno: Errno::E2BIG })?;
        let mut call = DebugKeysCall { keys: buffer.handle(), nr_keys, tail: 0 };
        // SAFETY: the array has nr_keys elements.
        unsafe { self.sysctl(&mut call) }
    }
}
