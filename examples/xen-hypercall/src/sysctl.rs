//! The frame of `XEN_SYSCTL_*`. Xen public/sysctl.h.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::Error;
use crate::device::{Number, Xen};
use crate::mirror::{Group, Scope, mirror};
use crate::versions::{SYSCTL_VERSIONS, select};

const BODY: usize = 128;

/// `struct xen_sysctl`.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
pub(crate) struct Frame {
    cmd: u32,
    interface_version: u32,
    u: [u8; BODY],
}

mirror!(Frame = "struct xen_sysctl": 136 { cmd @ 0, interface_version @ 4, u @ 8 });

pub(crate) const GROUPS: &[Group] =
    &[Group { scope: Scope::Sysctl(SYSCTL_VERSIONS), mirrors: &[Frame::MIRROR], constants: &[] }];

/// A command's structure.
pub(crate) trait Sysctl: FromBytes + IntoBytes + Immutable {
    /// The command's number and its name in the headers.
    const COMMAND: (u32, &'static str);
}

impl Xen {
    /// Issues a sysctl. `argument` holds what Xen wrote back, after an error, too.
    ///
    /// # Safety
    /// Every handle in `argument` is null or a [`Buffer`](crate::buffer::Buffer)'s, as
    /// long as the command takes it to be.
    pub(crate) unsafe fn sysctl<T: Sysctl>(&self, argument: &mut T) -> Result<(), Error> {
        const { assert!(size_of::<T>() <= BODY) }
        let (cmd, call) = T::COMMAND;
        let mut frame = Frame { cmd, interface_version: 0, u: [0; BODY] };
        if let Some(body) = frame.u.get_mut(..size_of::<T>()) {
            body.copy_from_slice(argument.as_bytes());
        }
        let mut buffer = self.copy_of(&[frame])?;
        let result = select(call, SYSCTL_VERSIONS, |version| {
            if let [frame] = buffer.as_mut_slice() {
                frame.interface_version = version;
            }
            let arguments = [buffer.handle().address(), 0, 0, 0, 0];
            // SAFETY: the one address is that of a whole frame; what it holds is the caller's
            // promise.
            unsafe { self.hypercall(call, Number::SYSCTL, arguments) }
        });
        if let [frame] = buffer.as_slice()
            && let Ok((read, _)) = T::read_from_prefix(&frame.u)
        {
            *argument = read;
        }
        result.map(|_| ())
    }
}
