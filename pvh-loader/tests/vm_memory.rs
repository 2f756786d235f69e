//! A guest placed in rust-vmm's memory is the same as one placed in a slice.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use acpi_gen::Gpa;
use common::*;
use pvh_loader::*;
use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

#[test]
fn vm_memory_holds_what_a_slice_holds() {
    let file = image("elf64.elf");
    let machine = machine(32 * MIB);
    let len = usize::try_from(31 * MIB).unwrap();
    with_tables(|tables| {
        let modules = [Module { bytes: &[7; 5000], command_line: b"initrd" }];
        let guest = Guest {
            kernel: Kernel::parse(&file).unwrap(),
            modules: &modules,
            command_line: b"quiet",
            memory: &machine,
            reserved: &[],
            busy: &[],
            tables,
        };
        let (mut places, mut map) = ([None; 1], [None; 8]);
        let plan = Plan::new(guest, Lists { modules: &mut places, map: &mut map }).unwrap();
        let mut buffer = vec![0; plan.tables_len()];

        let mut slice = vec![0; len];
        let entry = plan.write_guest(&mut buffer, &mut SliceMemory::new(Gpa(MIB), &mut slice));
        // Two regions that meet inside the kernel.
        let halves = [(GuestAddress(MIB), 0xF0_1000), (GuestAddress(0x100_1000), len - 0xF0_1000)];
        let mapped: GuestMemoryMmap = GuestMemoryMmap::from_ranges(&halves).unwrap();
        // What is not written over must have been zeroed.
        mapped.write_slice(&[0xA5; 0x1000], GuestAddress(0x100_1000)).unwrap();
        assert_eq!(plan.write_guest(&mut buffer, &mut VmMemory(&mapped)), entry);
        let mut copy = vec![0; len];
        mapped.read_slice(&mut copy, GuestAddress(MIB)).unwrap();
        assert!(copy == slice);

        let short: GuestMemoryMmap =
            GuestMemoryMmap::from_ranges(&[(GuestAddress(MIB), len - 4096)]).unwrap();
        let refused = Err(Error::NotGuestMemory { range: plan.tables() });
        assert_eq!(plan.write_guest(&mut buffer, &mut VmMemory(&short)), refused);
    });
}
