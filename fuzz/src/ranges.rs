//! Ranges of memory as fuzzers mutate them: each from the end of the one before.

use acpi_gen::{Gpa, GpaRange};
use arbitrary::Arbitrary;

use crate::encode::{Encode, variant};

/// A number of bytes, mostly whole pages.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Units of 4 KiB.
    Pages(u16),
    /// Units of 1 MiB.
    Mebibytes(u16),
    /// Any.
    Bytes(u64),
}

impl Default for Size {
    fn default() -> Self {
        Self::Pages(0)
    }
}

impl Size {
    /// In bytes.
    pub fn bytes(self) -> u64 {
        match self {
            Self::Pages(pages) => u64::from(pages) << 12,
            Self::Mebibytes(mebibytes) => u64::from(mebibytes) << 20,
            Self::Bytes(bytes) => bytes,
        }
    }

    /// In the largest unit that divides it.
    pub fn of(bytes: u64) -> Self {
        let units = |shift: u32| {
            u16::try_from(bytes >> shift).ok().filter(|_| bytes.trailing_zeros() >= shift)
        };
        match (units(20), units(12)) {
            (Some(mebibytes), _) => Self::Mebibytes(mebibytes),
            (None, Some(pages)) => Self::Pages(pages),
            (None, None) => Self::Bytes(bytes),
        }
    }
}

impl Encode for Size {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Self::Pages(pages) => {
                variant(0, 3, to);
                pages.encode(to);
            }
            Self::Mebibytes(mebibytes) => {
                variant(1, 3, to);
                mebibytes.encode(to);
            }
            Self::Bytes(bytes) => {
                variant(2, 3, to);
                bytes.encode(to);
            }
        }
    }
}

/// Lays (gap, size) pairs out one behind the other; the sum wraps, so that they
/// may come in any order. What no range can hold is left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    end: u64,
}

impl Cursor {
    /// The next range.
    pub fn next(&mut self, gap: Size, size: Size) -> Option<GpaRange> {
        let range =
            GpaRange::with_size(Gpa(self.end.wrapping_add(gap.bytes())), size.bytes()).ok()?;
        self.end = range.end().0;
        Some(range)
    }

    /// The pair that leads to a range.
    pub fn to(&mut self, range: GpaRange) -> (Size, Size) {
        let gap = range.start().0.wrapping_sub(self.end);
        self.end = range.end().0;
        (Size::of(gap), Size::of(range.size()))
    }
}
