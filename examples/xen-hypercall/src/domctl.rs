//! The frame of `XEN_DOMCTL_*`: a command, a domain and the command's own structure.
//! Xen public/domctl.h.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::device::{Number, Xen};
use crate::domain::DomainId;
use crate::mirror::{Mirror, list_constants, mirror};
use crate::{Errno, Error};

/// `XEN_DOMCTL_INTERFACE_VERSION` of Xen 4.20 and 4.21.
pub const DOMCTL_VERSION: u32 = 0x17;

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

pub(crate) const MIRRORS: &[Mirror] = &[Frame::MIRROR];

list_constants! { XEN_DOMCTL_INTERFACE_VERSION = 0x17 }

/// A command's structure.
pub(crate) trait Domctl: FromBytes + IntoBytes + Immutable {
    /// The command's number and its name in the headers.
    const COMMAND: (u32, &'static str);
    /// The interface versions in which the structure is this one. Xen refuses another
    /// than its own with -EACCES; each is tried in this order.
    const VERSIONS: &'static [u32] = &[DOMCTL_VERSION];
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
        let mut versions = T::VERSIONS.iter();
        let mut result = Err(Error::Refused { call, errno: Errno::EACCES });
        while let Err(error) = &result {
            match error.errno() {
                // Another interface version than Xen's own.
                Some(Errno::EACCES) => match (versions.next(), buffer.as_mut_slice()) {
                    (Some(&version), [frame]) => frame.interface_version = version,
                    _ => break,
                },
                // Xen asks for another call where one would take too long.
                Some(Errno::EAGAIN) => {}
                _ => break,
            }
            let arguments = [buffer.handle().address(), 0, 0, 0, 0];
            // SAFETY: the one address is that of a whole frame; what it holds is the caller's
            // promise.
            result = unsafe { self.hypercall(call, Number::DOMCTL, arguments) };
        }
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
