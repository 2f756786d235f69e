//! The walk over a set in memory.

use acpi_gen::{
    FoundTable, Gpa, Physical, RSDT, TableSet, TableWalk, WalkError, fadt, madt, slit, srat, xsdt,
};

use crate::samples::Machine;

const BASE: u64 = 0xFC00_0000;

struct Memory(Vec<u8>);

impl Physical for Memory {
    fn bytes(&self, at: Gpa, len: usize) -> Option<&[u8]> {
        let start = usize::try_from(at.0.checked_sub(BASE)?).ok()?;
        self.0.get(start..start.checked_add(len)?)
    }
}

/// A complete set, and a listed table that no memory has.
fn set() -> Memory {
    let machine = Machine::plain(4, 2);
    let topology = machine.valid();
    let others = [Gpa(0x10)];
    let set = TableSet::complete(&topology).unwrap().with_tables(&others);
    let mut bytes = vec![0; set.len().unwrap()];
    set.emit(&mut bytes, Gpa(BASE)).unwrap();
    Memory(bytes)
}

#[test]
fn listed_tables_are_found_and_one_error_does_not_end_the_walk() {
    let mut memory = set();
    let signatures = |memory: &Memory| -> Vec<_> {
        let walk = TableWalk::new(memory, Gpa(BASE));
        walk.map(|found| found.map(|found| found.signature)).collect()
    };
    let unreadable = Err(WalkError::Unreadable { at: Gpa(0x10), len: 8 });
    let listed = [fadt::SIGNATURE, madt::SIGNATURE, srat::SIGNATURE, slit::SIGNATURE];
    let mut expected = vec![Ok(*b"RSDP"), Ok(xsdt::SIGNATURE)];
    expected.extend(listed.map(Ok));
    expected.push(unreadable);
    assert_eq!(signatures(&memory), expected);

    // A MADT whose length is below its header's.
    let found = TableWalk::new(&memory, Gpa(BASE)).nth(3).unwrap().unwrap();
    let (at, offset) = (found.address, usize::try_from(found.address.0 - BASE).unwrap());
    memory.0[offset + 4] = 35;
    let found = signatures(&memory);
    assert!(matches!(found[3], Err(WalkError::Table { at: wrong, .. }) if wrong == at));
    assert_eq!(found.len(), expected.len());
    assert_eq!(found[4], Ok(srat::SIGNATURE));
}

#[test]
fn a_wrong_root_ends_the_walk() {
    let mut memory = set();
    let root = TableWalk::new(&memory, Gpa(BASE)).nth(1).unwrap().unwrap().address;
    let offset = usize::try_from(root.0 - BASE).unwrap();
    memory.0[offset..offset + 4].copy_from_slice(&RSDT);
    let found: Vec<_> = TableWalk::new(&memory, Gpa(BASE)).collect();
    assert_eq!(found.len(), 2);
    assert_eq!(found[1].unwrap_err().at(), root);
}

#[test]
fn a_facs_has_the_length_of_its_own_header() {
    let mut memory = set();
    let facs = memory.0.len() - 64;
    let at = Gpa(BASE + u64::try_from(facs).unwrap());
    let found = FoundTable::at(&memory, at).unwrap();
    assert_eq!((found.signature, found.bytes.len()), (*b"FACS", 64));
    memory.0[facs + 4] = 65;
    assert_eq!(FoundTable::at(&memory, at), Err(WalkError::Unreadable { at, len: 65 }));
}
