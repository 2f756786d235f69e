//! Xen's own console: its ring of past lines, and its debug keys.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::buffer::Handle;
use crate::device::Xen;
use crate::mirror::{Group, Scope, constants, mirror};
use crate::sysctl::Sysctl;
use crate::versions::SYSCTL_VERSIONS;
use crate::{Errno, Error};

/// `struct xen_sysctl_readconsole`.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct ReadConsoleCall {
    clear: u8,
    incremental: u8,
    pad0: u8,
    pad1: u8,
    index: u32,
    buffer: Handle,
    count: u32,
    tail: u32,
}

mirror!(ReadConsoleCall = "struct xen_sysctl_readconsole": 24 {
    clear @ 0, incremental @ 1, pad0 @ 2, pad1 @ 3, index @ 4, buffer @ 8, count @ 16 | tail @ 20
});

impl Sysctl for ReadConsoleCall {
    const COMMAND: (u32, &'static str) = (1, "XEN_SYSCTL_readconsole");
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

pub(crate) const GROUPS: &[Group] = &[Group {
    scope: Scope::Sysctl(SYSCTL_VERSIONS),
    mirrors: &[ReadConsoleCall::MIRROR, DebugKeysCall::MIRROR],
    constants: constants! { XEN_SYSCTL_readconsole = 1, XEN_SYSCTL_debug_keys = 7 },
}];

/// Bytes of the ring that one call takes.
const PIECE: u32 = 16 << 10;

impl Xen {
    /// What the ring of Xen's console holds, its oldest byte first; nothing is taken out.
    /// `XEN_SYSCTL_readconsole`.
    ///
    /// # Errors
    /// Xen's.
    pub fn console_ring(&self) -> Result<Vec<u8>, Error> {
        let mut piece = self.zeroed::<u8>(usize::try_from(PIECE).unwrap_or(0))?;
        let mut ring = Vec::new();
        let mut index = 0;
        loop {
            let mut call = ReadConsoleCall {
                clear: 0,
                incremental: 1,
                pad0: 0,
                pad1: 0,
                index,
                buffer: piece.handle(),
                count: PIECE,
                tail: 0,
            };
            // SAFETY: the buffer has `count` bytes.
            unsafe { self.sysctl(&mut call) }?;
            let found = usize::try_from(call.count).unwrap_or(0);
            match piece.as_slice().get(..found) {
                None | Some([]) => return Ok(ring),
                Some(bytes) => ring.extend_from_slice(bytes),
            }
            index = call.index;
        }
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
