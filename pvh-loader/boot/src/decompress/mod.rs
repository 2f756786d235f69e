//! The ELF image in a bzImage as distributions ship it: unpacked from gzip, xz,
//! zstd or lz4. This takes a heap, which `pvh-loader` itself does without.
//!
//! # Not supported
//! bzip2, lzma and lzo payloads, which no current distribution ships.

mod error;
mod formats;

use alloc::borrow::Cow;
use alloc::vec::Vec;

pub use error::Error;
use pvh_loader::{Compression, Payload};

/// The largest image that is unpacked: 512 MiB, eight times a distribution's.
pub const MAX_IMAGE: u32 = 512 << 20;

/// The ELF image in `file`: `file` itself where it is no bzImage, else its payload.
///
/// # Errors
/// Those of [`Payload::find`], and what is wrong with the packed stream. Whether the
/// image is a PVH kernel is for [`Kernel::parse`](pvh_loader::Kernel::parse) to say.
pub fn elf_image(file: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    if !Payload::is_bzimage(file) {
        return Ok(Cow::Borrowed(file));
    }
    let Payload { compression: format, bytes } = Payload::find(file)?;
    // gzip's own last four bytes are the unpacked size; behind the other formats the
    // kernel's build appends it.
    let short = Error::PayloadTooShort { format, len: bytes.len() };
    let (stream, size) = bytes.split_last_chunk::<4>().ok_or(short)?;
    let size = u32::from_le_bytes(*size);
    let unpacked = match format {
        Compression::None => return Ok(Cow::Borrowed(bytes)),
        Compression::Gzip => unpack(format, size, |to| formats::gzip(bytes, to)),
        Compression::Xz => unpack(format, size, |to| formats::xz(stream, to)),
        Compression::Zstd => unpack(format, size, |to| formats::zstd(stream, to)),
        Compression::Lz4Legacy => unpack(format, size, |to| formats::lz4_legacy(stream, to)),
    };
    unpacked.map(Cow::Owned)
}

/// Runs `decode`, which returns the bytes that it wrote, on a buffer of `size` bytes.
fn unpack(
    format: Compression,
    size: u32,
    decode: impl FnOnce(&mut [u8]) -> Result<usize, &'static str>,
) -> Result<Vec<u8>, Error> {
    if size > MAX_IMAGE {
        return Err(Error::TooLarge { size, max: MAX_IMAGE });
    }
    let out_of_memory = Error::OutOfMemory { size };
    let len = usize::try_from(size).map_err(|_| out_of_memory)?;
    let mut image = Vec::new();
    image.try_reserve_exact(len).map_err(|_| out_of_memory)?;
    image.resize(len, 0);
    let unpacked = decode(&mut image).map_err(|what| Error::Damaged { format, what })?;
    if unpacked == len {
        Ok(image)
    } else {
        Err(Error::WrongSize { format, expected: size, unpacked })
    }
}
