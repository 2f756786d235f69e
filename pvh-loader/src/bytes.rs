//! Checked access to a part of a file, and lengths in the width of the formats.

use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::{Error, Part};

/// A length or count as the 64-bit number that headers hold. No target has
/// addresses wider than 64 bits, so the fallback is never taken.
pub(crate) fn len64(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// The first multiple of `align`, a power of two, that is at least `value`.
pub(crate) fn align_up(value: u64, align: u64) -> Option<u64> {
    let mask = align.checked_sub(1)?;
    Some(value.checked_add(mask)? & !mask)
}

/// The `len` bytes of `file` from `offset`.
pub(crate) fn slice(file: &[u8], offset: u64, len: u64, part: Part) -> Result<&[u8], Error> {
    let inside = || {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(len).ok()?)?;
        file.get(start..end)
    };
    inside().ok_or(Error::Truncated { part, offset, len, have: len64(file.len()) })
}

/// `count` structs in a row at `offset` of `file`.
pub(crate) fn table<T>(file: &[u8], offset: u64, count: u16, part: Part) -> Result<&[T], Error>
where
    T: FromBytes + Immutable + KnownLayout + Unaligned,
{
    let len = len64(size_of::<T>()).saturating_mul(u64::from(count));
    let bytes = slice(file, offset, len, part)?;
    <[T]>::ref_from_bytes(bytes).map_err(|_| Error::Truncated {
        part,
        offset,
        len,
        have: len64(file.len()),
    })
}

/// The struct at the start of `file`.
pub(crate) fn head<T>(file: &[u8], part: Part) -> Result<&T, Error>
where
    T: FromBytes + Immutable + KnownLayout + Unaligned,
{
    let (head, _) = T::ref_from_prefix(file).map_err(|_| Error::Truncated {
        part,
        offset: 0,
        len: len64(size_of::<T>()),
        have: len64(file.len()),
    })?;
    Ok(head)
}

/// An error for a field whose value is not among the right ones.
pub(crate) const fn expect(
    right: bool,
    field: &'static str,
    value: u64,
    expected: &'static str,
) -> Result<(), Error> {
    if right { Ok(()) } else { Err(Error::Field { field, value, expected }) }
}
