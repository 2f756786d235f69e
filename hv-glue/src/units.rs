//! Newtypes for the integers that look alike: a host node is not a guest's
//! node, and neither is a proximity domain.

use acpi_gen::{Gpa, GpaRange};

/// The page size that everything here counts in: 4 KiB.
pub const PAGE_SIZE: u64 = 4096;
const PAGE_SHIFT: u32 = 12;

/// A NUMA node of the host in the hypervisor's own numbering (Xen's `nodeid_t`,
/// assigned in the order of the SRAT): not a proximity domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct NodeId(pub u32);

/// A virtual node: an index into `vnode_to_pnode` and the distance matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct VnodeId(pub u32);

/// A virtual CPU's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct VcpuId(pub u32);

/// A physical CPU's number in the hypervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct PcpuId(pub u32);

/// A page frame number: an address divided by 4 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Pfn(pub u64);

impl Pfn {
    /// The frame that holds `address`.
    pub(crate) const fn containing(address: Gpa) -> Self {
        Self(address.0 >> PAGE_SHIFT)
    }

    /// The first frame that starts at or above `address`.
    pub(crate) const fn at_or_above(address: Gpa) -> Self {
        let frame = address.0 >> PAGE_SHIFT;
        if address.0.is_multiple_of(PAGE_SIZE) {
            Self(frame)
        } else {
            Self(frame.saturating_add(1))
        }
    }

    /// The frame's first address; saturates above 2^52 frames.
    pub(crate) const fn address(self) -> Gpa {
        Gpa(self.0.saturating_mul(PAGE_SIZE))
    }

    /// The frame `pages` further up.
    pub(crate) const fn up(self, pages: u64) -> Self {
        Self(self.0.saturating_add(pages))
    }

    /// Pages from `start` up to here, 0 where `start` is above.
    pub(crate) const fn pages_from(self, start: Self) -> u64 {
        self.0.saturating_sub(start.0)
    }
}

/// Whole frames, `start..end`; may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frames {
    /// The first frame.
    pub start: Pfn,
    /// The first frame past them.
    pub end: Pfn,
}

impl Frames {
    /// The frames that lie wholly inside `range`.
    #[must_use]
    pub const fn inside(range: GpaRange) -> Self {
        Self { start: Pfn::at_or_above(range.start()), end: Pfn::containing(range.end()) }
    }

    /// Number of frames.
    #[must_use]
    pub const fn pages(self) -> u64 {
        self.end.pages_from(self.start)
    }

    /// As addresses; `None` where there are none.
    #[must_use]
    pub fn range(self) -> Option<GpaRange> {
        GpaRange::new(self.start.address(), self.end.address()).ok()
    }

    /// The frames that both have.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self { start: self.start.max(other.start), end: self.end.min(other.end) }
    }
}

/// Whether both borders of a range lie on pages.
pub(crate) const fn is_page_aligned(range: GpaRange) -> bool {
    range.start().0.is_multiple_of(PAGE_SIZE) && range.end().0.is_multiple_of(PAGE_SIZE)
}

/// A 32-bit number as an index. Every target of this crate has 64 or 32 bits.
pub(crate) fn index(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// A length as a 32-bit number, for counts that error values carry.
pub(crate) fn count(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// A length as a 64-bit number.
pub(crate) fn wide(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// Joins each element with those before it that take it in, in place. Returns how many are
/// left, at the front.
pub(crate) fn join<T: Copy>(items: &mut [T], mut take_in: impl FnMut(&mut T, &T) -> bool) -> usize {
    let mut last = 0_usize;
    for at in 1..items.len() {
        let Some(item) = items.get(at).copied() else { break };
        if items.get_mut(last).is_some_and(|last| take_in(last, &item)) {
            continue;
        }
        last = last.saturating_add(1);
        if let Some(slot) = items.get_mut(last) {
            *slot = item;
        }
    }
    last.saturating_add(1).min(items.len())
}
