//! Reads a placed guest back as a kernel would: from EBX, by the offsets of Xen's
//! public/arch-x86/hvm/start_info.h, written here as numbers and not by the
//! library's own structures.
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

use acpi_gen::{Gpa, ListedTables, Rsdp, Table};
use common::*;
use memory::{Memory, with_plan};
use pvh_loader::*;

const TOP: u64 = 64 * MIB;

/// Places the image with two modules in memory poisoned with `poison`.
fn placed(name: &str, poison: u8) -> (Memory, EntryState) {
    let initrd: Vec<u8> = (0..10_000_u32).map(|n| (n % 251) as u8).collect();
    let modules = [
        Module { bytes: &initrd, command_line: b"" },
        Module { bytes: b"second", command_line: b"of two" },
    ];
    let mut memory = Memory { base: MIB, bytes: vec![poison; (TOP - MIB) as usize] };
    let entry = with_plan(name, &modules, b"console=ttyS0 panic=-1", TOP, |plan| {
        let mut buffer = vec![0xA5; plan.tables_len()];
        plan.write_guest(&mut buffer, &mut SliceMemory::new(Gpa(MIB), &mut memory.bytes)).unwrap()
    });
    (memory, entry)
}

#[test]
fn start_info_has_the_layout_of_xens_header() {
    let (memory, entry) = placed("elf64.elf", 0xA5);
    let info = u64::from(entry.ebx);
    assert_eq!(memory.u32(info), 0x336E_C578, "magic");
    assert_eq!(memory.u32(info + 4), 1, "version");
    assert_eq!(memory.u32(info + 8), 0, "flags");
    assert_eq!(memory.u32(info + 12), 2, "nr_modules");
    assert_eq!(memory.string(memory.u64(info + 24)), b"console=ttyS0 panic=-1");
    assert_eq!(memory.u32(info + 52), 0, "reserved");

    let modlist = memory.u64(info + 16);
    let first = memory.u64(modlist);
    assert_eq!(memory.u64(modlist + 8), 10_000);
    assert_eq!(memory.u64(modlist + 16), 0, "no command line");
    assert_eq!(memory.u64(modlist + 24), 0, "reserved");
    assert!(memory.at(first, 10_000).iter().enumerate().all(|(n, byte)| n % 251 == *byte as usize));
    let second = memory.u64(modlist + 32);
    assert_eq!(memory.at(second, memory.u64(modlist + 40) as usize), b"second");
    assert_eq!(memory.string(memory.u64(modlist + 48)), b"of two");
}

#[test]
fn the_memory_map_is_sorted_and_holds_the_tables_as_acpi() {
    let (memory, entry) = placed("elf64.elf", 0xA5);
    let info = u64::from(entry.ebx);
    let (map, entries) = (memory.u64(info + 40), u64::from(memory.u32(info + 48)));
    let map: Vec<_> = (0..entries)
        .map(|n| map + 24 * n)
        .map(|at| {
            assert_eq!(memory.u32(at + 20), 0, "reserved");
            (memory.u64(at), memory.u64(at + 8), memory.u32(at + 16))
        })
        .collect();
    let tables = map[4];
    assert_eq!(tables.2, 3, "XEN_HVM_MEMMAP_TYPE_ACPI");
    let (start, end) = (tables.0, tables.0 + tables.1);
    assert_eq!(end, TOP, "the tables stand as high as they can");
    assert_eq!(
        map,
        [
            (0, 0x9_FC00, 1),
            (0x9_FC00, 0x400, 2),
            (0xF_0000, 0x1_0000, 2),
            (MIB, start - MIB, 1),
            tables,
            (0xFFFC_0000, 0x4_0000, 2),
            (0x1_0000_0000, 0x8000_0000, 1),
        ]
    );
    let rsdp = memory.u64(info + 32);
    assert!((start..end).contains(&rsdp));
    let xsdt = Rsdp::parse(memory.at(rsdp, 36)).unwrap().root().0;
    let bytes = memory.at(xsdt.0, (end - xsdt.0) as usize);
    for table in ListedTables::of(*b"XSDT", Table::parse(bytes).unwrap().bytes()) {
        assert!((start..end).contains(&table.0), "{:#x}", table.0);
    }
}

#[test]
fn the_kernel_is_whole_and_its_rest_is_zero_whatever_the_memory_held() {
    let (memory, entry) = placed("percpu-out-of-order.elf", 0xA5);
    assert_eq!(entry.eip, 0x100_0010);
    let file = image("percpu-out-of-order.elf");
    for (address, size) in [(0x100_0000, 0x2000), (0x100_4000, 0x40), (0x100_2000, 0x40)] {
        assert_eq!(memory.at(address, 0x40), &file[0x1000..0x1040]);
        assert!(memory.at(address + 0x40, size - 0x40).iter().all(|byte| *byte == 0));
    }
    // Between the segments and behind the kernel nothing was written.
    assert_eq!(memory.at(0x100_2040, 4), [0xA5; 4]);
    assert_eq!(memory.at(0x100_4040, 4), [0xA5; 4]);

    let (other, _) = placed("percpu-out-of-order.elf", 0x5A);
    let written =
        |memory: &Memory, poison| memory.bytes.iter().filter(|byte| **byte != poison).count();
    assert!(written(&memory, 0xA5) > 0x2000);
    for (index, (a, b)) in memory.bytes.iter().zip(&other.bytes).enumerate() {
        assert!(a == b || (*a, *b) == (0xA5, 0x5A), "byte {index:#x} was left over");
    }
}

#[test]
fn the_library_reads_what_it_writes() {
    let (memory, entry) = placed("elf32.elf", 0);
    let info = StartInfo::parse(memory.at(entry.ebx.into(), 56)).unwrap();
    assert_eq!(info.nr_modules.get(), 2);
    let mut other = memory.at(entry.ebx.into(), 56).to_vec();
    assert_eq!(
        StartInfo::parse(&other[..55]).unwrap_err(),
        Error::Truncated { part: Part::StartInfo, offset: 0, len: 56, have: 55 }
    );
    for bit in 0..32 {
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(StartInfo::parse(&other), Err(Error::Field { .. })), "bit {bit}");
        other[bit / 8] ^= 1 << (bit % 8);
    }
    // Later versions only append fields.
    other[4..8].fill(0xFF);
    assert!(StartInfo::parse(&other).is_ok());
    other[4..8].fill(0);
    assert!(matches!(StartInfo::parse(&other), Err(Error::Field { value: 0, .. })));
    other[0] = 0;
    assert!(matches!(StartInfo::parse(&other), Err(Error::Field { value: 0x336E_C500, .. })));
}

/// Every bit that Xen's docs/misc/pvh.pandoc names, taken apart by the Intel SDM's
/// segment descriptor layout (volume 3A, figure 3-8).
#[test]
fn the_entry_state_is_what_the_abi_requires() {
    let (_, state) = placed("elf64.elf", 0);
    assert_eq!((state.cr0, state.cr4), (1, 0), "PE alone");
    assert_eq!(state.eflags & (1 << 17 | 1 << 9 | 1 << 8), 0, "VM, IF and TF");
    for (segment, kind, limit) in [(state.cs, 0xB, u32::MAX), (state.data, 0x3, u32::MAX)] {
        let descriptor = segment.descriptor;
        assert_eq!((segment.base, segment.limit), (0, limit));
        assert_eq!(descriptor >> 16 & 0xFF_FFFF | descriptor >> 56 << 24, 0, "base");
        assert_eq!(descriptor & 0xFFFF | descriptor >> 32 & 0xF_0000, 0xF_FFFF, "limit in pages");
        assert_eq!(descriptor >> 40 & 0xF, kind, "accessed, readable code or writable data");
        assert_eq!(descriptor >> 44 & 1, 1, "code or data");
        assert_eq!(descriptor >> 45 & 3, 0, "ring 0");
        assert_eq!(descriptor >> 47 & 1, 1, "present");
        assert_eq!(descriptor >> 53 & 1, 0, "not 64-bit");
        assert_eq!(descriptor >> 54 & 3, 3, "32-bit, limit in pages");
    }
    let descriptor = state.tr.descriptor;
    assert_eq!((state.tr.base, state.tr.limit), (0, 0x67));
    assert_eq!(descriptor & 0xFFFF, 0x67, "limit in bytes");
    assert_eq!(descriptor >> 40 & 0xFF, 0x89, "present, available 32-bit TSS");
    assert_eq!(descriptor >> 48, 0);
}
