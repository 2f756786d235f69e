//! The memory map that firmware or a hypervisor passes on, and how much of its RAM
//! memory ranges cover.

use core::fmt;

use crate::{Gpa, GpaRange};

/// The type of a memory map's entry, as in the BIOS call E820 (ACPI 6.5, 15.1) and in
/// `hvm_memmap_table_entry` (Xen public/arch-x86/hvm/start_info.h). Other values are
/// kept as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct E820Type(pub u32);

impl E820Type {
    /// Usable RAM.
    pub const RAM: Self = Self(1);
    /// Reserved.
    pub const RESERVED: Self = Self(2);
    /// ACPI tables, usable once they have been parsed.
    pub const ACPI: Self = Self(3);
    /// ACPI non-volatile storage.
    pub const NVS: Self = Self(4);
    /// RAM with errors; in Xen also RAM that dom0 does not get.
    pub const UNUSABLE: Self = Self(5);
    /// Persistent memory.
    pub const PMEM: Self = Self(7);
}

impl fmt::Display for E820Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::RAM => f.write_str("RAM"),
            Self::RESERVED => f.write_str("reserved"),
            Self::ACPI => f.write_str("ACPI"),
            Self::NVS => f.write_str("NVS"),
            Self::UNUSABLE => f.write_str("unusable"),
            Self::PMEM => f.write_str("persistent"),
            Self(kind) => write!(f, "kind {kind}"),
        }
    }
}

/// An entry of a memory map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct E820Entry {
    /// Its addresses, in bytes.
    pub range: GpaRange,
    /// What they are.
    pub kind: E820Type,
}

impl fmt::Display for E820Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.range, self.kind)
    }
}

/// RAM of a memory map that no range covers. All sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UncoveredRam {
    /// RAM in all.
    pub ram: u64,
    /// RAM that no range covers.
    pub uncovered: u64,
    /// The first address that no range covers.
    pub first: Option<Gpa>,
}

impl UncoveredRam {
    /// Walks each range of `ram` from hole to hole. The ranges of `covered` ascend by their
    /// first address and may overlap; those of `ram` may be in any order. Linear if they
    /// ascend too: otherwise `covered` is walked again for each step back.
    #[must_use]
    pub fn new(
        ram: impl Iterator<Item = GpaRange>,
        covered: impl Iterator<Item = GpaRange> + Clone,
    ) -> Self {
        let mut total = Self { ram: 0, uncovered: 0, first: None };
        let mut rest = covered.clone().peekable();
        // The ranges that start at or before `at` end here at the latest.
        let (mut at, mut reach) = (Gpa(0), Gpa(0));
        for ram in ram {
            total.ram = total.ram.saturating_add(ram.size());
            if ram.start() < at {
                rest = covered.clone().peekable();
                reach = Gpa(0);
            }
            at = ram.start();
            while at < ram.end() {
                while let Some(range) = rest.next_if(|range| range.start() <= at) {
                    reach = reach.max(range.end());
                }
                if reach > at {
                    at = reach.min(ram.end());
                    continue;
                }
                let next = rest.peek().map_or(ram.end(), |next| next.start().min(ram.end()));
                total.first.get_or_insert(at);
                total.uncovered = total.uncovered.saturating_add(next.0.saturating_sub(at.0));
                at = next;
            }
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uncovered(ram: &[(u64, u64)], covered: &[(u64, u64)]) -> (u64, Option<u64>) {
        let range = |&(start, end): &(u64, u64)| GpaRange::new(Gpa(start), Gpa(end)).unwrap();
        let found = UncoveredRam::new(ram.iter().map(range), covered.iter().map(range));
        (found.uncovered, found.first.map(|first| first.0))
    }

    #[test]
    fn holes_count_in_any_order_of_the_ram() {
        let covered = [(0, 10), (5, 20), (6, 8), (50, 60)];
        assert_eq!(uncovered(&[(0, 20)], &covered), (0, None));
        assert_eq!(uncovered(&[(0, 100)], &covered), (70, Some(20)));
        assert_eq!(uncovered(&[(15, 25), (55, 65)], &covered), (10, Some(20)));
        assert_eq!(uncovered(&[(55, 65), (15, 25)], &covered), (10, Some(60)));
        assert_eq!(uncovered(&[(0, 20), (0, 20), (50, 61)], &covered), (1, Some(60)));
        assert_eq!(uncovered(&[(1, 2)], &[]), (1, Some(1)));
        assert_eq!(uncovered(&[(0, u64::MAX)], &[(1, u64::MAX)]), (1, Some(0)));
    }
}
