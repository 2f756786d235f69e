//! Guest memory as the list of writes to it, which fails at one of them.

use std::collections::BTreeMap;

use acpi_gen::{Gpa, GpaRange};
use pvh_loader::{GuestMemory, NotWritten};

/// All of the guest's memory below 4 GiB.
pub struct Memory {
    fail_at: usize,
    calls: usize,
    /// Address and length of the call that was refused. A call after it is a finding.
    pub refused: Option<(Gpa, u64)>,
    /// By address: what was written there, or how many zeros.
    pub writes: BTreeMap<u64, Result<Vec<u8>, u64>>,
}

impl Memory {
    /// Memory whose n-th call fails; none where that is 0.
    pub fn failing_at(fail_at: usize) -> Self {
        Self { fail_at, calls: 0, refused: None, writes: BTreeMap::new() }
    }

    fn call(&mut self, at: Gpa, len: u64) -> Result<(), NotWritten> {
        assert_eq!(self.refused, None, "it went on after a failure");
        self.calls += 1;
        if self.calls == self.fail_at {
            self.refused = Some((at, len));
            return Err(NotWritten);
        }
        Ok(())
    }

    /// Bytes as the guest sees them; zeros where zeros were written.
    pub fn read(&self, at: u64, len: usize) -> Vec<u8> {
        let found = self.writes.range(..=at).rev().find_map(|(start, write)| {
            let bytes = write.as_ref().ok()?;
            bytes.get((at - start) as usize..)?.get(..len)
        });
        found.map_or(vec![0; len], <[u8]>::to_vec)
    }
}

impl GuestMemory for Memory {
    fn has(&self, range: GpaRange) -> bool {
        range.end().0 <= 1 << 32
    }

    fn write(&mut self, at: Gpa, bytes: &[u8]) -> Result<(), NotWritten> {
        assert!(!bytes.is_empty(), "a write of nothing");
        self.call(at, bytes.len() as u64)?;
        self.writes.insert(at.0, Ok(bytes.to_vec()));
        Ok(())
    }

    fn zero(&mut self, range: GpaRange) -> Result<(), NotWritten> {
        self.call(range.start(), range.size())?;
        self.writes.insert(range.start().0, Err(range.size()));
        Ok(())
    }
}
