//! Guest memory that fails at every write: the error says what could not be written,
//! by where it then stands in a guest that was written whole.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "a test may fail"
)]

mod common;
#[path = "common/memory.rs"]
mod memory;

use acpi_gen::{Gpa, GpaRange};
use common::*;
use memory::{Memory, with_plan};
use pvh_loader::*;

const TOP: u64 = 20 * MIB;

/// Memory that refuses its n-th call, counted from 1, and keeps what that was.
struct Failing<'m> {
    memory: SliceMemory<'m>,
    fail_at: usize,
    calls: usize,
    refused: Option<(Gpa, u64)>,
}

impl<'m> Failing<'m> {
    fn new(bytes: &'m mut [u8], fail_at: usize) -> Self {
        Self { memory: SliceMemory::new(Gpa(MIB), bytes), fail_at, calls: 0, refused: None }
    }

    fn call(&mut self, at: Gpa, len: u64) -> Result<(), NotWritten> {
        self.calls += 1;
        if self.calls == self.fail_at {
            self.refused = Some((at, len));
            return Err(NotWritten);
        }
        Ok(())
    }
}

impl GuestMemory for Failing<'_> {
    fn has(&self, range: GpaRange) -> bool {
        self.memory.has(range)
    }

    fn write(&mut self, at: Gpa, bytes: &[u8]) -> Result<(), NotWritten> {
        self.call(at, bytes.len() as u64)?;
        self.memory.write(at, bytes)
    }

    fn zero(&mut self, range: GpaRange) -> Result<(), NotWritten> {
        self.call(range.start(), range.size())?;
        self.memory.zero(range)
    }
}

fn poisoned() -> Memory {
    Memory { base: MIB, bytes: vec![0xA5; (TOP - MIB) as usize] }
}

/// Plans a kernel of three segments with two modules.
fn with_guest(test: impl FnOnce(&Plan<'_>)) {
    let modules = [
        Module { bytes: &[1; 5000], command_line: b"" },
        Module { bytes: &[2; 10], command_line: b"of two" },
    ];
    with_plan("percpu-out-of-order.elf", &modules, b"quiet", TOP, test);
}

/// What stands where in a whole guest, as its kernel finds it from EBX by the offsets of
/// Xen's start_info.h, and its tables by those of ACPI 6.5, 5.2.5.3, 5.2.8 and 5.2.9.
fn contents(memory: &Memory, ebx: u32) -> Vec<(u64, u64, String)> {
    let info = u64::from(ebx);
    let mut found = vec![(info, 56, "hvm_start_info".to_owned())];
    let mut string = |at, what: String| {
        found.push((at, memory.string(at).len() as u64, what));
    };
    string(memory.u64(info + 24), "the kernel's command line".to_owned());
    let modules = |n| memory.u64(info + 16) + 32 * n;
    string(memory.u64(modules(1) + 16), "the command line of module 1".to_owned());
    for n in 0..u64::from(memory.u32(info + 12)) {
        found.push((modules(n), 32, format!("the module list's entry {n}")));
        let (start, size) = (memory.u64(modules(n)), memory.u64(modules(n) + 8));
        found.push((start, size, format!("module {n}")));
    }
    for n in 0..u64::from(memory.u32(info + 48)) {
        found.push((memory.u64(info + 40) + 24 * n, 24, format!("the memory map's entry {n}")));
    }
    let rsdp = memory.u64(info + 32);
    assert_eq!(memory.at(rsdp, 8), b"RSD PTR ");
    found.push((rsdp, memory.u32(rsdp + 20).into(), "the table RSDP".to_owned()));
    let xsdt = memory.u64(rsdp + 24);
    let end = xsdt + u64::from(memory.u32(xsdt + 4));
    let mut tables: Vec<_> = (xsdt + 36..end).step_by(8).map(|at| memory.u64(at)).collect();
    let fadt = *tables.iter().find(|at| memory.at(**at, 4) == b"FACP").unwrap();
    tables.extend([xsdt, memory.u64(fadt + 132), memory.u64(fadt + 140)]);
    for at in tables {
        let signature = std::str::from_utf8(memory.at(at, 4)).unwrap();
        found.push((at, memory.u32(at + 4).into(), format!("the table {signature}")));
    }
    found
}

fn start_info(plan: &Plan<'_>) -> GpaRange {
    plan.ranges().find(|(item, _)| *item == Item::StartInfo).unwrap().1
}

#[test]
fn every_write_fails_once_and_is_named() {
    with_guest(|plan| {
        let mut buffer = vec![0; plan.tables_len()];
        let mut whole = poisoned();
        let entry = plan
            .write_guest(&mut buffer, &mut SliceMemory::new(Gpa(MIB), &mut whole.bytes))
            .unwrap();
        let mut contents = contents(&whole, entry.ebx);
        // What is filled with zeros, and what the image's program headers say.
        for (range, what) in [(plan.tables(), "ACPI tables"), (start_info(plan), "start info")] {
            let what = format!("the zeros in the place of the {what}");
            contents.push((range.start().0, range.size(), what));
        }
        for (n, start, size) in
            [(0, 0x100_0000, 0x2000), (1, 0x100_4000, 0x40), (2, 0x100_2000, 0x40)]
        {
            let what = format!("the kernel's segment of program header {n}");
            contents.push((start, 0x40, what.clone()));
            contents.push((start + 0x40, size - 0x40, what));
        }

        let mut named = Vec::new();
        for fail_at in 1.. {
            let mut memory = poisoned();
            let mut failing = Failing::new(&mut memory.bytes, fail_at);
            let result = plan.write_guest(&mut buffer, &mut failing);
            let (calls, refused) = (failing.calls, failing.refused);
            let Some((at, len)) = refused else {
                assert_eq!(result, Ok(entry));
                assert!(memory.bytes == whole.bytes);
                break;
            };
            let right = contents.iter().find(|(start, size, _)| (*start, *size) == (at.0, len));
            let (_, _, what) = right.expect("a write of one content");
            let error = result.unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("the guest memory refused {what}: {len} bytes at {:#x}", at.0)
            );
            assert!(
                matches!(error, Error::WriteFailed { at: said, len: l, .. } if (said, l) == (at, len))
            );
            assert_eq!(calls, fail_at, "it went on after a failure");
            named.push(what.clone());

            // What was written is thrown away; the same plan is as good as new.
            let mut fresh = poisoned();
            let mut slice = SliceMemory::new(Gpa(MIB), &mut fresh.bytes);
            assert_eq!(plan.write_guest(&mut buffer, &mut slice), Ok(entry));
            assert!(fresh.bytes == whole.bytes, "after the failure of {what}");
        }
        // Every write of the guest has failed, each table among them.
        let tables = ["RSDP", "XSDT", "FACP", "APIC", "SRAT", "SLIT", "DSDT", "FACS"];
        for table in tables {
            assert!(named.contains(&format!("the table {table}")), "{table}");
        }
        let mut expected: Vec<_> =
            contents.into_iter().filter_map(|(_, size, what)| (size > 0).then_some(what)).collect();
        expected.sort();
        named.sort();
        assert_eq!(named, expected);
    });
}

#[test]
fn a_map_that_cannot_be_replaced_is_named_too() {
    with_guest(|plan| {
        let regions = machine(TOP);
        let fails = |fail_at| {
            let mut memory = poisoned();
            let mut failing = Failing::new(&mut memory.bytes, fail_at);
            let result = plan.replace_map(&regions, &mut [None; 8], &mut failing);
            result.err().map(|error| error.to_string())
        };
        let info = start_info(plan).start().0;
        // Behind hvm_start_info and the module list; 7 entries, the tables' among them.
        for n in 0..7_u64 {
            let at = info + 56 + 2 * 32 + 24 * n;
            let what = format!("the memory map's entry {n}: 24 bytes at {at:#x}");
            assert_eq!(fails(n as usize + 1), Some(format!("the guest memory refused {what}")));
        }
        let count = format!("hvm_start_info: 4 bytes at {:#x}", info + 48);
        assert_eq!(fails(8), Some(format!("the guest memory refused {count}")));
        assert_eq!(fails(9), None);
    });
}
