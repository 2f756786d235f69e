//! A range of guest memory that is written elsewhere for now.

use acpi_gen::{Gpa, GpaRange};
use pvh_loader::{GuestMemory, NotWritten};

/// Guest memory in which the contents of `range`, if there is one, are written from
/// `at` on, to be moved to their place later.
#[derive(Clone, Copy, Debug)]
pub struct Staged<M> {
    /// The memory itself.
    pub memory: M,
    /// The range and where it is written.
    pub staging: Option<Staging>,
}

/// Where a range is written for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staging {
    /// Where the contents belong.
    pub range: GpaRange,
    /// Where they start for now.
    pub at: Gpa,
}

impl<M> Staged<M> {
    /// The address at which to write what belongs to `guest`. A write never crosses the
    /// range's borders, as the parts of a plan do not.
    fn address(&self, guest: Gpa) -> Gpa {
        match self.staging {
            Some(Staging { range, at }) if range.contains(guest) => {
                Gpa(at.0.saturating_add(guest.0.saturating_sub(range.start().0)))
            }
            _ => guest,
        }
    }
}

impl<M: GuestMemory> GuestMemory for Staged<M> {
    fn has(&self, range: GpaRange) -> bool {
        GpaRange::with_size(self.address(range.start()), range.size())
            .is_ok_and(|range| self.memory.has(range))
    }

    fn write(&mut self, at: Gpa, bytes: &[u8]) -> Result<(), NotWritten> {
        self.memory.write(self.address(at), bytes)
    }

    fn zero(&mut self, range: GpaRange) -> Result<(), NotWritten> {
        let at = self.address(range.start());
        self.memory.zero(GpaRange::with_size(at, range.size()).map_err(|_| NotWritten)?)
    }
}

#[cfg(test)]
mod tests {
    use pvh_loader::SliceMemory;

    use super::*;

    #[test]
    fn only_the_staged_range_goes_elsewhere() {
        let range = |start, end| GpaRange::new(Gpa(start), Gpa(end)).unwrap();
        let mut bytes = [0xA5; 0x40];
        let memory = SliceMemory::new(Gpa(0x1000), &mut bytes);
        let staging = Some(Staging { range: range(0x8000, 0x8010), at: Gpa(0x1010) });
        let mut staged = Staged { memory, staging };
        assert!(staged.has(range(0x8000, 0x8010)) && staged.has(range(0x1000, 0x1040)));
        assert!(!staged.has(range(0x8010, 0x8011)) && !staged.has(range(0x1000, 0x1041)));
        staged.write(Gpa(0x8004), b"kernel").unwrap();
        staged.zero(range(0x800A, 0x8010)).unwrap();
        staged.write(Gpa(0x1000), b"rest").unwrap();
        assert!(staged.write(Gpa(0x8010), b"x").is_err());
        assert_eq!(&bytes[..4], b"rest");
        assert_eq!(&bytes[0x14..0x20], b"kernel\0\0\0\0\0\0");
        assert!(bytes[4..0x14].iter().chain(&bytes[0x20..]).all(|byte| *byte == 0xA5));
    }
}
