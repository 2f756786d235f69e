//! Readers survive any byte in any place of a real table.

use std::collections::BTreeMap;

use crate::bytes::read_all;
use crate::samples::{self, Machine};
use acpi_gen::{Gpa, TableSet};

/// Sets up to this size are tried with every value of every byte.
const SMALL: usize = 8192;

#[test]
fn every_value_of_every_byte_of_the_small_goldens() {
    let mut sets: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for (set, _, bytes) in samples::goldens() {
        sets.entry(set).or_default().push(bytes);
    }
    let small: Vec<Vec<u8>> = sets
        .into_values()
        .filter(|tables| tables.iter().map(Vec::len).sum::<usize>() <= SMALL)
        .flatten()
        .collect();
    assert!(small.len() > 40, "{} tables", small.len());
    let mut reads = 0;
    for table in &small {
        let mut mutated = table.clone();
        for (place, original) in table.iter().enumerate() {
            for value in 0..=255 {
                mutated[place] = value;
                read_all(&mutated);
                reads += 1;
            }
            mutated[place] = *original;
        }
        assert_eq!(read_all(&mutated), read_all(table));
    }
    assert!(reads > 4_000_000, "{reads} mutations");
}

#[test]
fn one_flipped_bit_in_each_byte_of_larger_sets() {
    let machine = Machine::plain(288, 8);
    let topology = machine.valid();
    let set = TableSet::complete(&topology).unwrap();
    let bytes = samples::emitted(&set, Gpa(0));
    assert!(bytes.len() > SMALL);
    for table in set.place(Gpa(0)).unwrap().tables() {
        let mut mutated = bytes[table.offset..table.offset + table.len].to_vec();
        for place in 0..mutated.len() {
            let bit = 1 << (place % 8);
            mutated[place] ^= bit;
            read_all(&mutated);
            mutated[place] ^= bit;
        }
    }
}

#[test]
fn every_length_of_a_golden_cut_short_is_an_error_or_less() {
    for (set, file, bytes) in samples::goldens() {
        let whole = read_all(&bytes);
        assert!(whole > 0, "{set}/{file}");
        // 36 bytes and the length field decide; some lengths in between are enough.
        let lengths = (0..bytes.len().min(300)).chain((300..bytes.len()).step_by(37));
        for len in lengths {
            assert_eq!(read_all(&bytes[..len]), 0, "{set}/{file} cut to {len}");
        }
    }
}
