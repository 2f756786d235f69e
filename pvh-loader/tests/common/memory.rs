//! Guest memory that a test reads by address.

/// Guest memory as a kernel sees it.
pub(crate) struct Memory {
    pub(crate) base: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Memory {
    pub(crate) fn at(&self, address: u64, len: usize) -> &[u8] {
        &self.bytes[(address - self.base) as usize..][..len]
    }

    pub(crate) fn u32(&self, address: u64) -> u32 {
        u32::from_le_bytes(self.at(address, 4).try_into().unwrap())
    }

    pub(crate) fn u64(&self, address: u64) -> u64 {
        u64::from_le_bytes(self.at(address, 8).try_into().unwrap())
    }

    pub(crate) fn string(&self, address: u64) -> &[u8] {
        let rest = &self.bytes[(address - self.base) as usize..];
        &rest[..rest.iter().position(|byte| *byte == 0).unwrap()]
    }
}
