//! A guest of two modules, and its memory, which a test reads by address.

use pvh_loader::{Guest, Kernel, Lists, Module, Plan};

use crate::common::{image, machine, with_tables};

/// Runs `test` on the plan of a guest in a machine with RAM from 1 MiB to `top`.
pub(crate) fn with_plan<T>(
    name: &str,
    modules: &[Module<'_>; 2],
    command_line: &[u8],
    top: u64,
    test: impl FnOnce(&Plan<'_>) -> T,
) -> T {
    let file = image(name);
    with_tables(|tables| {
        let guest = Guest {
            kernel: Kernel::parse(&file).unwrap(),
            modules,
            command_line,
            memory: &machine(top),
            reserved: &[],
            busy: &[],
            tables,
        };
        let (mut places, mut map) = ([None; 2], [None; 8]);
        test(&Plan::new(guest, Lists { modules: &mut places, map: &mut map }).unwrap())
    })
}

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
