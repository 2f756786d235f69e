//! A set of 8-bit numbers: interrupts, I/O APICs, xAPIC IDs.

pub(crate) struct BitSet256([u64; 4]);

impl BitSet256 {
    pub(crate) const EMPTY: Self = Self([0; 4]);

    /// False where the value was there already.
    pub(crate) fn insert(&mut self, value: u8) -> bool {
        let bit = 1_u64 << (value & 63);
        let Some(word) = self.0.get_mut(usize::from(value >> 6)) else { return false };
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}
