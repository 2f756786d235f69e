//! One function a format: a packed stream into a buffer, returning the bytes that
//! were written, or what is wrong with the stream.

use crc_any::CRCu32;
use miniz_oxide::inflate::{TINFLStatus, decompress_slice_iter_to_slice};
use ruzstd::decoding::FrameDecoder;
use ruzstd::decoding::errors::FrameDecoderError;
use xz4rust::{XzDecoder, XzNextBlockResult};

/// Every format's word for a stream that goes on behind the buffer's end.
const TOO_LONG: &str = "it unpacks to more bytes than its last four say";

/// gzip, RFC 1952: a header, a deflate stream, CRC-32 and size.
pub(crate) fn gzip(file: &[u8], to: &mut [u8]) -> Result<usize, &'static str> {
    let (stream, crc) = gzip_parts(file).ok_or("its header or trailer is not whole")?;
    let len = decompress_slice_iter_to_slice(to, core::iter::once(stream), false, true).map_err(
        |status| match status {
            TINFLStatus::HasMoreOutput => TOO_LONG,
            TINFLStatus::FailedCannotMakeProgress => "its deflate stream ends early",
            _ => "its deflate stream is not valid",
        },
    )?;
    let mut digest = CRCu32::crc32();
    digest.digest(to.get(..len).unwrap_or_default());
    if digest.get_crc() == crc { Ok(len) } else { Err("its CRC-32 does not fit its contents") }
}

/// The deflate stream and the CRC-32 behind it.
fn gzip_parts(file: &[u8]) -> Option<(&[u8], u32)> {
    // FLG, RFC 1952, 2.3.1.
    const HEADER_CRC: u8 = 1 << 1;
    const EXTRA: u8 = 1 << 2;
    const NAME: u8 = 1 << 3;
    const COMMENT: u8 = 1 << 4;

    let (head, mut rest) = file.split_first_chunk::<10>()?;
    let [_, _, _, flags, ..] = *head;
    if flags & EXTRA != 0 {
        let (len, behind) = rest.split_first_chunk::<2>()?;
        rest = behind.get(usize::from(u16::from_le_bytes(*len))..)?;
    }
    for _ in [NAME, COMMENT].iter().filter(|&&string| flags & string != 0) {
        let mut parts = rest.splitn(2, |byte| *byte == 0);
        parts.next()?;
        rest = parts.next()?;
    }
    if flags & HEADER_CRC != 0 {
        rest = rest.get(2..)?;
    }
    let (rest, _size) = rest.split_last_chunk::<4>()?;
    let (stream, crc) = rest.split_last_chunk::<4>()?;
    Some((stream, u32::from_le_bytes(*crc)))
}

/// xz; its own checks are the decoder's work.
pub(crate) fn xz(stream: &[u8], to: &mut [u8]) -> Result<usize, &'static str> {
    // The dictionary need not be larger than what comes out.
    let dictionary = usize::try_from(crate::decompress::MAX_IMAGE).unwrap_or(usize::MAX);
    let mut decoder = XzDecoder::in_heap_with_alloc_dict_size(0, dictionary);
    let (mut read, mut written) = (0_usize, 0_usize);
    loop {
        let input = stream.get(read..).unwrap_or_default();
        let output = to.get_mut(written..).unwrap_or_default();
        let full = output.is_empty();
        let step = decoder
            .decode(input, output)
            .map_err(|_| "the xz stream is not valid or ends early")?;
        read = read.saturating_add(step.input_consumed());
        written = written.saturating_add(step.output_produced());
        match step {
            XzNextBlockResult::EndOfStream(..) => return Ok(written),
            _ if step.made_progress() => {}
            _ if full => return Err(TOO_LONG),
            _ => return Err("the xz stream ends early"),
        }
    }
}

/// Zstandard. The kernel's build asks for windows of up to 128 MiB (level 22).
pub(crate) fn zstd(stream: &[u8], to: &mut [u8]) -> Result<usize, &'static str> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(crate::decompress::MAX_IMAGE.into());
    decoder.decode_all(stream, to).map_err(|error| match error {
        FrameDecoderError::TargetTooSmall => TOO_LONG,
        _ => "the zstd stream is not valid or ends early",
    })
}

/// lz4's legacy frame: a magic number, then blocks behind their packed length, each
/// of 8 MiB unpacked but for the last. lz4 doc/lz4_Frame_format.md, "Legacy frame".
pub(crate) fn lz4_legacy(stream: &[u8], to: &mut [u8]) -> Result<usize, &'static str> {
    const EARLY: &str = "the lz4 stream ends early";
    let (_magic, mut rest) = stream.split_first_chunk::<4>().ok_or(EARLY)?;
    let mut written = 0_usize;
    while !rest.is_empty() {
        let (len, behind) = rest.split_first_chunk::<4>().ok_or(EARLY)?;
        let len = usize::try_from(u32::from_le_bytes(*len)).unwrap_or(usize::MAX);
        let (block, behind) = behind.split_at_checked(len).ok_or(EARLY)?;
        rest = behind;
        let output = to.get_mut(written..).unwrap_or_default();
        let unpacked =
            lz4_flex::block::decompress_into(block, output).map_err(|error| match error {
                lz4_flex::block::DecompressError::OutputTooSmall { .. } => TOO_LONG,
                _ => "an lz4 block is not valid",
            })?;
        written = written.saturating_add(unpacked);
    }
    Ok(written)
}
