//! Packed kernels of any bytes: an image of the stated size, or an error. What the
//! size field says is not allocated beyond the limit.

use pvh_boot::decompress::{MAX_IMAGE, elf_image};
use pvh_loader::Payload;

use crate::Interest;

/// Images above this are not unpacked here: the sanitizer fills what is allocated.
const MAX: u32 = 1 << 22;

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let Ok(payload) = Payload::find(data) else { return Interest::Reject };
    if let Some(size) = payload.bytes.last_chunk::<4>().map(|size| u32::from_le_bytes(*size))
        && (MAX..=MAX_IMAGE).contains(&size)
    {
        return Interest::Reject;
    }
    match elf_image(data) {
        Ok(image) => assert!(image.len() <= MAX_IMAGE as usize),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    Interest::Keep
}
