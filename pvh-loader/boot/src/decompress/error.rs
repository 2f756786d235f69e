//! Why a bzImage was not unpacked.

use core::fmt;

use pvh_loader::Compression;

/// What is wrong with a bzImage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Its setup header, or where it says that the payload lies.
    Image(pvh_loader::Error),
    /// A payload too short for what its format starts and ends with.
    PayloadTooShort {
        /// Its format.
        format: Compression,
        /// Its length in bytes.
        len: usize,
    },
    /// An unpacked size, from the payload's last four bytes, that no kernel has.
    TooLarge {
        /// The size.
        size: u32,
        /// The largest that is unpacked, [`MAX_IMAGE`](crate::decompress::MAX_IMAGE).
        max: u32,
    },
    /// No memory for the unpacked image.
    OutOfMemory {
        /// Its size in bytes.
        size: u32,
    },
    /// A stream that its decoder refuses.
    Damaged {
        /// Its format.
        format: Compression,
        /// What the decoder found.
        what: &'static str,
    },
    /// A stream that unpacks to another size than the payload's last four bytes say.
    WrongSize {
        /// Its format.
        format: Compression,
        /// What they say.
        expected: u32,
        /// What came out.
        unpacked: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Image(error) => error.fmt(f),
            Self::PayloadTooShort { format, len } => {
                write!(f, "the {format} payload has only {len} bytes")
            }
            Self::TooLarge { size, max } => {
                write!(
                    f,
                    "the payload says that it unpacks to {size} bytes: at most {max} are right"
                )
            }
            Self::OutOfMemory { size } => {
                write!(f, "no memory for {size} bytes, the unpacked kernel")
            }
            Self::Damaged { format, what } => {
                write!(f, "the {format} payload is damaged: {what}")
            }
            Self::WrongSize { format, expected, unpacked } => write!(
                f,
                "the {format} payload says that it unpacks to {expected} bytes, but {unpacked} came out"
            ),
        }
    }
}

impl core::error::Error for Error {}

impl From<pvh_loader::Error> for Error {
    fn from(error: pvh_loader::Error) -> Self {
        Self::Image(error)
    }
}
