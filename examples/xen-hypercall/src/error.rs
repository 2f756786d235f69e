//! Why a call did not succeed.

use std::fmt;
use std::io;

use crate::Version;

/// An error number of Xen, positive. Xen public/errno.h; those here equal Linux's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

impl Errno {
    /// Not permitted.
    pub const EPERM: Self = Self(1);
    /// More than one call takes.
    pub const E2BIG: Self = Self(7);
    /// Try again.
    pub const EAGAIN: Self = Self(11);
    /// Out of memory.
    pub const ENOMEM: Self = Self(12);
    /// Not allowed; for a domctl, another interface version than Xen's.
    pub const EACCES: Self = Self(13);
    /// The domain or its state is in use.
    pub const EBUSY: Self = Self(16);
    /// An argument that says nothing sensible.
    pub const EINVAL: Self = Self(22);
    /// This Xen does not know the call.
    pub const ENOSYS: Self = Self(38);
    /// A buffer that is too short.
    pub const ENOBUFS: Self = Self(105);
}

const NAMES: [(Errno, &str); 19] = [
    (Errno::EPERM, "EPERM"),
    (Errno(2), "ENOENT"),
    (Errno(3), "ESRCH"),
    (Errno::E2BIG, "E2BIG"),
    (Errno::EAGAIN, "EAGAIN"),
    (Errno::ENOMEM, "ENOMEM"),
    (Errno::EACCES, "EACCES"),
    (Errno(14), "EFAULT"),
    (Errno::EBUSY, "EBUSY"),
    (Errno(17), "EEXIST"),
    (Errno(19), "ENODEV"),
    (Errno::EINVAL, "EINVAL"),
    (Errno(28), "ENOSPC"),
    (Errno(34), "ERANGE"),
    (Errno::ENOSYS, "ENOSYS"),
    (Errno(75), "EOVERFLOW"),
    (Errno(85), "ERESTART"),
    (Errno(95), "EOPNOTSUPP"),
    (Errno::ENOBUFS, "ENOBUFS"),
];

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(errno, _)| errno == self) {
            Some((_, name)) => write!(f, "-{name}"),
            None => write!(f, "error {}", self.0),
        }
    }
}

/// Why a call did not succeed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A device of the kernel's cannot be used.
    Device {
        /// Its path, or the path and what was asked of it.
        what: &'static str,
        /// What the kernel says.
        source: io::Error,
    },
    /// Xen refused a call.
    Refused {
        /// The call's name in Xen's headers.
        call: &'static str,
        /// Xen's answer.
        errno: Errno,
    },
    /// Xen answered -EACCES to every interface version that has the call's layout.
    Versions {
        /// The call's name in Xen's headers.
        call: &'static str,
        /// The versions tried.
        versions: &'static [Version],
    },
    /// Xen did only a part of a call and gave no error number.
    Partly {
        /// The call's name in Xen's headers.
        call: &'static str,
        /// Of how many it was asked.
        asked: usize,
        /// How many it did.
        done: usize,
    },
    /// A frame of another domain cannot be mapped.
    NotMapped {
        /// The frame's number in that domain.
        frame: u64,
        /// The kernel's or Xen's answer.
        errno: Errno,
    },
}

impl Error {
    /// Xen's error number, where it gave one.
    #[must_use]
    pub const fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused { errno, .. } | Self::NotMapped { errno, .. } => Some(*errno),
            Self::Versions { .. } => Some(Errno::EACCES),
            Self::Device { .. } | Self::Partly { .. } => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device { what, source } => write!(f, "{what}: {source}"),
            Self::Refused { call, errno } => write!(f, "{call}: {errno}"),
            Self::Versions { call, versions } => {
                write!(f, "{call}: -EACCES with each of the interface versions ")?;
                for (position, version) in versions.iter().enumerate() {
                    let comma = if position == 0 { "" } else { ", " };
                    write!(f, "{comma}{:#x}", version.number)?;
                }
                f.write_str(
                    "; expected a Xen with one of them whose security policy permits the call",
                )
            }
            Self::Partly { call, asked, done } => write!(f, "{call}: {done} of {asked} done"),
            Self::NotMapped { frame, errno } => write!(f, "frame {frame:#x} not mapped: {errno}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Device { source, .. } => Some(source),
            _ => None,
        }
    }
}
