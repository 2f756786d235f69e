//! Byte-exact structures: declared with the offset of every field, which the
//! compiler checks, and written front to back into a caller-provided buffer.

use zerocopy::{Immutable, IntoBytes};

/// Asserts the size of a byte-exact structure, its alignment of 1 and the offset of
/// every field at compile time. A field that is not listed is an error, because the
/// list is also used as a pattern.
#[macro_export]
macro_rules! layout {
    ($name:ident: $size:literal { $($field:ident @ $offset:literal),+ $(,)? }) => {
        const _: () = {
            assert!(core::mem::size_of::<$name>() == $size);
            assert!(core::mem::align_of::<$name>() == 1);
            $(assert!(core::mem::offset_of!($name, $field) == $offset);)+
            const fn _every_field_is_listed(value: &$name) {
                let $name { $($field: _),+ } = value;
            }
        };
    };
}

/// Declares a private little-endian structure as it lies in memory.
macro_rules! wire {
    ($(#[$meta:meta])* $name:ident : $size:literal { $($field:ident : $ty:ty = $offset:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug,
            zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::KnownLayout, zerocopy::Immutable,
            zerocopy::Unaligned,
        )]
        #[repr(C)]
        pub(crate) struct $name { $(pub(crate) $field: $ty),* }

        $crate::layout!($name: $size { $($field @ $offset),* });
    };
}
pub(crate) use wire;

/// The sum of all bytes modulo 256: 0 for a table whose checksum is right.
#[must_use]
pub(crate) fn byte_sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// Writes front to back. Its owners size the buffer first, so it never runs out;
/// should it, the rest stays unwritten rather than panic.
pub(crate) struct Writer<'b> {
    rest: &'b mut [u8],
}

impl<'b> Writer<'b> {
    pub(crate) const fn new(buffer: &'b mut [u8]) -> Self {
        Self { rest: buffer }
    }

    #[inline(always)]
    pub(crate) fn put<T: IntoBytes + Immutable + ?Sized>(&mut self, value: &T) {
        if let Some(slot) = self.take(size_of_val(value)) {
            // The slot has the value's size, so this cannot fail.
            let written = value.write_to(slot);
            debug_assert!(written.is_ok());
        }
    }

    /// The next `len` bytes, to be filled by the caller.
    #[inline(always)]
    pub(crate) fn take(&mut self, len: usize) -> Option<&'b mut [u8]> {
        let (slot, rest) = core::mem::take(&mut self.rest).split_at_mut_checked(len)?;
        self.rest = rest;
        Some(slot)
    }

    pub(crate) const fn remaining(&self) -> usize {
        self.rest.len()
    }
}
