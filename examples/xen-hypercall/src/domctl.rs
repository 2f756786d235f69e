//! The frame of `XEN_DOMCTL_*`: a command, a domain and the command's own structure.
//! Xen public/domctl.h.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::device::{Number, Xen};
use crate::domain::DomainId;
use crate::mirror::{Group, Scope, mirror};
use crate::versions::{DOMCTL_0X17, DOMCTL_VERSIONS, Version, select};
use crate::{Errno, Error};

const BODY: usize = 128;

/// `struct xen_domctl`.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
pub(crate) struct Frame {
    cmd: u32,
    interface_version: u32,
    domain: u16,
    _pad: [u16; 3],
    u: [u8; BODY],
}

mirror!(Frame = "struct xen_domctl": 144 {
    cmd @ 0, interface_version @ 4, domain @ 8, _pad @ 10, u @ 16
});

pub(crate) const GROUPS: &[Group] =
    &[Group { scope: Scope::Domctl(DOMCTL_VERSIONS), mirrors: &[Frame::MIRROR], constants: &[] }];

/// The interface versions in which Xen's own commands have this crate's structures.
pub(crate) const LAYOUT_VERSIONS: &[Version] = &[DOMCTL_0X17];

/// A command's structure.
pub(crate) trait Domctl: FromBytes + IntoBytes + Immutable {
    /// The command's number and its name in the headers.
    const COMMAND: (u32, &'static str);
    /// The interface versions in which the structure is this one, in the order in which
    /// they are tried.
    const VERSIONS: &'static [Version] = LAYOUT_VERSIONS;
}

impl Xen {
    /// Issues a domctl. `argument` holds what Xen wrote back, after an error, too.
    ///
    /// # Safety
    /// Every handle in `argument` is null or a [`Buffer`](crate::buffer::Buffer)'s, as
    /// long as the command takes it to be.
    pub(crate) unsafe fn domctl<T: Domctl>(
        &self,
        domain: DomainId,
        argument: &mut T,
    ) -> Result<DomainId, Error> {
        const { assert!(size_of::<T>() <= BODY) }
        let (cmd, call) = T::COMMAND;
        let mut frame =
            Frame { cmd, interface_version: 0, domain: domain.0, _pad: [0; 3], u: [0; BODY] };
        if let Some(body) = frame.u.get_mut(..size_of::<T>()) {
            body.copy_from_slice(argument.as_bytes());
        }
        let mut buffer = self.copy_of(&[frame])?;
        let result = select(call, T::VERSIONS, |version| {
            if let [frame] = buffer.as_mut_slice() {
                frame.interface_version = version;
            }
            let arguments = [buffer.handle().address(), 0, 0, 0, 0];
            loop {
                // SAFETY: the one address is that of a whole frame; what it holds is the
                // caller's promise.
                let answer = unsafe { self.hypercall(call, Number::DOMCTL, arguments) };
                // Xen asks for another call where one would take too long.
                if !matches!(&answer, Err(error) if error.errno() == Some(Errno::EAGAIN)) {
                    return answer;
                }
            }
        });
        let mut echoed = domain;
        if let [frame] = buffer.as_slice() {
            echoed = DomainId(frame.domain);
            if let Ok((read, _)) = T::read_from_prefix(&frame.u) {
                *argument = read;
            }
        }
        result.map(|_| echoed)
    }
}
