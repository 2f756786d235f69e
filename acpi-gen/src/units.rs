//! Newtypes for the integers that look alike: a proximity domain is not an
//! APIC id, and neither is a processor's UID.

use core::fmt;

use crate::Error;

/// A proximity domain (PXM), the number by which SRAT, SLIT and `_PXM` name a
/// NUMA node. ACPI 6.5, 5.2.16 and 6.2.14.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct ProximityDomain(pub u32);

/// A local APIC or x2APIC ID, as CPUID leaf 0xB EDX reports it. ACPI 6.5, 5.2.12.12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct ApicId(pub u32);

impl ApicId {
    /// The highest ID that fits the 8-bit field of type 0 entries; 0xFF means "ignore".
    pub const MAX_XAPIC: Self = Self(0xFE);
    /// The x2APIC ID that means "ignore this entry". ACPI 6.5, 5.2.12.12.
    pub const RESERVED: Self = Self(u32::MAX);
}

/// A processor's ACPI UID: the value of its device's `_UID`, and in Xen the
/// vCPU number. ACPI 6.5, 5.2.12.2 and 5.2.12.12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct ProcessorUid(pub u32);

/// A guest physical address in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Gpa(pub u64);

/// A non-empty range of guest physical addresses, `start..end`, in bytes. The
/// end is excluded and at most 2^64 - 1, which no x86 address width reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GpaRange {
    start: u64,
    end: u64,
}

impl GpaRange {
    /// The range from `start` up to and without `end`.
    ///
    /// # Errors
    /// [`Error::RangeEmpty`] where `end <= start`.
    pub const fn new(start: Gpa, end: Gpa) -> Result<Self, Error> {
        if end.0 <= start.0 {
            return Err(Error::RangeEmpty { start, end });
        }
        Ok(Self { start: start.0, end: end.0 })
    }

    /// The range of `size` bytes from `start`.
    ///
    /// # Errors
    /// [`Error::RangeEmpty`] for a size of 0, [`Error::RangePastEnd`] where the
    /// range does not end below 2^64.
    pub const fn with_size(start: Gpa, size: u64) -> Result<Self, Error> {
        match start.0.checked_add(size) {
            Some(end) => Self::new(start, Gpa(end)),
            None => Err(Error::RangePastEnd { start, size }),
        }
    }

    /// The first address.
    #[must_use]
    pub const fn start(self) -> Gpa {
        Gpa(self.start)
    }

    /// The first address past the range.
    #[must_use]
    pub const fn end(self) -> Gpa {
        Gpa(self.end)
    }

    /// The size in bytes, never 0.
    #[must_use]
    pub const fn size(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether the two ranges share a byte.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether `address` lies in the range.
    #[must_use]
    pub const fn contains(self, address: Gpa) -> bool {
        self.start <= address.0 && address.0 < self.end
    }
}

/// `0xstart-0xend`, its end excluded.
impl fmt::Display for GpaRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}-{:#x}", self.start, self.end)
    }
}

/// A relative distance between two proximity domains, one byte of the SLIT:
/// 10 is local, 255 is unreachable, 0 to 9 are reserved. ACPI 6.5, 5.2.17.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Distance(u8);

impl Distance {
    /// From a domain to itself.
    pub const LOCAL: Self = Self(10);
    /// What stands between two domains of which nothing is said.
    pub const REMOTE: Self = Self(20);
    /// The largest distance that is still reachable.
    pub const MAX: Self = Self(254);
    /// No path. Never the result of clamping a number.
    pub const UNREACHABLE: Self = Self(255);

    /// A distance from a number: above 254, 254. Numbers below 10 are kept, for
    /// [`Topology::new`](crate::Topology::new) to refuse with their place.
    #[must_use]
    pub const fn clamped(value: u32) -> Self {
        match value.to_le_bytes() {
            [low, 0, 0, 0] if low < Self::UNREACHABLE.0 => Self(low),
            _ => Self::MAX,
        }
    }

    /// The byte as it stands in the SLIT.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}
