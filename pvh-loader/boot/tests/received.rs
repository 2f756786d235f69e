//! A start info written here by the offsets of Xen's public/arch-x86/hvm/start_info.h,
//! and what is wrong with it.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

use acpi_gen::{Gpa, GpaRange, Physical};
use pvh_boot::{Error, Received, command_line};
use pvh_loader::{E820Entry, E820Type};

const BASE: u64 = 0x10_0000;
const INFO: u64 = BASE + 0x40;
const MODULES: u64 = BASE + 0x100;
const MAP: u64 = BASE + 0x200;
const LINE: u64 = BASE + 0x300;

#[derive(Clone)]
struct Memory(Vec<u8>);

impl Memory {
    /// A start info with one module, three entries of the map, and a command line.
    fn new() -> Self {
        let mut memory = Self(vec![0; 0x2000]);
        memory.put(INFO, &0x336E_C578_u32.to_le_bytes());
        memory.put(INFO + 4, &1_u32.to_le_bytes());
        memory.put(INFO + 12, &1_u32.to_le_bytes());
        for (at, value) in [(16, MODULES), (24, LINE), (32, 0xF_5A60), (40, MAP)] {
            memory.put(INFO + at, &value.to_le_bytes());
        }
        memory.put(INFO + 48, &3_u32.to_le_bytes());
        for (at, value) in [(0, 0x80_0000), (8, 0x1234), (16, LINE + 8)] {
            memory.put(MODULES + at, &u64::to_le_bytes(value));
        }
        for (n, (start, size, kind)) in
            [(0, 0x9_FC00, 1_u32), (0x9_FC00, 0, 2), (u64::MAX, 2, 1)].into_iter().enumerate()
        {
            let at = MAP + 24 * u64::try_from(n).unwrap();
            memory.put(at, &start.to_le_bytes());
            memory.put(at + 8, &u64::to_le_bytes(size));
            memory.put(at + 16, &kind.to_le_bytes());
        }
        memory.put(LINE, b"quiet\0\0\0initrd\0");
        memory
    }

    fn put(&mut self, at: u64, bytes: &[u8]) {
        let at = usize::try_from(at - BASE).unwrap();
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

impl Physical for Memory {
    fn bytes(&self, at: Gpa, len: usize) -> Option<&[u8]> {
        let start = usize::try_from(at.0.checked_sub(BASE)?).ok()?;
        self.0.get(start..start.checked_add(len)?)
    }
}

/// The error after a change of the start info at an offset.
fn changed(offset: u64, bytes: &[u8]) -> String {
    let mut memory = Memory::new();
    memory.put(INFO + offset, bytes);
    Received::read(&memory, Gpa(INFO)).unwrap_err().to_string()
}

#[test]
fn all_that_the_start_info_points_to_is_read() {
    let memory = Memory::new();
    let received = Received::read(&memory, Gpa(INFO)).unwrap();
    assert_eq!(received.info.rsdp_paddr.get(), 0xF_5A60);
    assert_eq!(received.command_line, b"quiet");
    let [module] = received.modules else { panic!("{:?}", received.modules) };
    assert_eq!((module.paddr.get(), module.size.get()), (0x80_0000, 0x1234));
    assert_eq!(command_line(&memory, Gpa(module.cmdline_paddr.get())), Ok(&b"initrd"[..]));
    assert_eq!(received.map.len(), 3);
    // One entry has no bytes, and one passes the last address.
    let range = GpaRange::new(Gpa(0), Gpa(0x9_FC00)).unwrap();
    let regions: Vec<_> = received.regions().collect();
    assert_eq!(regions, [E820Entry { range, kind: E820Type::RAM }]);
}

#[test]
fn where_there_is_none_its_address_does_not_matter() {
    let mut memory = Memory::new();
    for (count, at) in [(12, 16), (48, 40)] {
        memory.put(INFO + count, &[0; 4]);
        memory.put(INFO + at, &u64::MAX.to_le_bytes());
    }
    memory.put(INFO + 24, &[0; 8]);
    let received = Received::read(&memory, Gpa(INFO)).unwrap();
    assert!(received.modules.is_empty() && received.map.is_empty());
    assert_eq!(received.command_line, b"");
}

#[test]
fn what_cannot_be_read_is_named() {
    assert_eq!(
        changed(0, &[0]),
        "start info: hvm_start_info magic is 862897408 (0x336ec500): 0x336ec578 would be right"
    );
    assert_eq!(
        changed(4, &[0]),
        "start info: hvm_start_info version is 0 (0x0): 1 or more would be right"
    );
    assert_eq!(changed(16, &[0; 8]), "module list at 0x0: 32 bytes cannot be read");
    assert_eq!(changed(40, &[0; 8]), "memory map at 0x0: 72 bytes cannot be read");
    let below = (BASE - 1).to_le_bytes();
    assert_eq!(changed(16, &below), "module list at 0xfffff: 32 bytes cannot be read");
    assert_eq!(changed(24, &below), "command line at 0xfffff: 1 bytes cannot be read");
    assert_eq!(changed(40, &below), "memory map at 0xfffff: 72 bytes cannot be read");
    let all = u32::MAX.to_le_bytes();
    assert_eq!(changed(12, &all), "module list at 0x100100: 137438953440 bytes cannot be read");
    assert_eq!(changed(48, &all), "memory map at 0x100200: 103079215080 bytes cannot be read");
    let memory = Memory::new();
    let at = Gpa(BASE + 0x2000 - 55);
    let error = Received::read(&memory, at).unwrap_err();
    assert_eq!(error, Error::StartInfoPart { part: "hvm_start_info", at, len: 56 });
}

#[test]
fn a_command_line_ends_within_its_limit_and_within_memory() {
    let mut memory = Memory::new();
    let at = Gpa(BASE + 0x800);
    memory.put(at.0, &[b'x'; 4096]);
    assert_eq!(command_line(&memory, at).map(<[u8]>::len), Ok(4096));
    memory.put(at.0 + 4096, b"x");
    assert_eq!(command_line(&memory, at), Err(Error::EndlessCommandLine { at, max: 4096 }));
    assert_eq!(
        command_line(&memory, at).unwrap_err().to_string(),
        "command line at 0x100800: no zero ends it within 4096 bytes"
    );
    // The last byte of memory may end a line, but not be part of one.
    let end = BASE + 0x2000;
    memory.put(end - 3, b"ab\0");
    assert_eq!(command_line(&memory, Gpa(end - 3)), Ok(&b"ab"[..]));
    memory.put(end - 1, b"c");
    let at = Gpa(end - 3);
    let unreadable = Error::StartInfoPart { part: "command line", at, len: 4 };
    assert_eq!(command_line(&memory, at), Err(unreadable));
}
