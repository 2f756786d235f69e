//! Every buffer size gives the same bytes or an error with the right need, and
//! then an untouched buffer.

use acpi_gen::{Error, Gpa, TableSet, Topology, madt, slit, srat};

use crate::samples::{self, Machine};

const BASE: Gpa = Gpa(0xFC00_0000);
const POISONS: [u8; 2] = [0xA5, 0x5A];

type Emitter<'a> = dyn Fn(&mut [u8]) -> Result<usize, Error> + 'a;

/// The outcome for one size. What is written must not depend on what was there.
fn check_size(emit: &Emitter<'_>, expected: &[u8], have: usize) {
    for poison in POISONS {
        let mut buffer = vec![poison; have];
        let result = emit(&mut buffer);
        let needed = expected.len();
        if have < needed {
            assert_eq!(result, Err(Error::BufferTooSmall { needed, have }));
            assert!(buffer.iter().all(|byte| *byte == poison), "touched {have} of {needed}");
        } else {
            assert_eq!(result, Ok(needed));
            let (written, rest) = buffer.split_at(needed);
            assert!(written == expected, "other bytes in a buffer of {have}");
            assert!(rest.iter().all(|byte| *byte == poison), "wrote past the end of {needed}");
        }
    }
}

fn sets<'a>(topology: &'a Topology<'a>, other_tables: &'a [Gpa]) -> [TableSet<'a>; 2] {
    let complete = TableSet::complete(topology).unwrap();
    [TableSet::new(topology), complete.with_tables(other_tables)]
}

#[test]
fn sets_up_to_8_kib_at_every_size() {
    let mut sizes = Vec::new();
    let [one, varied, many] = [Machine::plain(1, 1), Machine::varied(8), Machine::plain(85, 4)];
    for machine in [&one, &varied, &many] {
        let topology = machine.valid();
        for set in sets(&topology, &[Gpa(0x1000), Gpa(u64::MAX)]) {
            let expected = samples::emitted(&set, BASE);
            assert!(expected.len() <= 8192, "{} bytes", expected.len());
            let emit = |buffer: &mut [u8]| set.emit(buffer, BASE).map(|placed| placed.len());
            for have in 0..=expected.len() + 8 {
                check_size(&emit, &expected, have);
            }
            sizes.push(expected.len());
        }
    }
    assert!(sizes.iter().any(|len| *len > 7000), "one set is near the limit: {sizes:?}");
}

#[test]
fn larger_sets_around_the_border_of_each_table() {
    for machine in [Machine::varied(300), Machine::plain(4096, 64)] {
        let topology = machine.valid();
        for set in sets(&topology, &[]) {
            let expected = samples::emitted(&set, BASE);
            let placed = set.place(BASE).unwrap();
            let emit = |buffer: &mut [u8]| set.emit(buffer, BASE).map(|placed| placed.len());
            for table in placed.tables() {
                for border in [table.offset, table.offset + table.len] {
                    for have in border.saturating_sub(2)..=border + 2 {
                        check_size(&emit, &expected, have);
                    }
                }
            }
            for have in expected.len().saturating_sub(8)..=expected.len() + 8 {
                check_size(&emit, &expected, have);
            }
        }
    }
}

#[test]
fn single_tables_at_every_size() {
    let machine = Machine::plain(20, 5);
    let topology = machine.valid();
    type Len = fn(&Topology<'_>) -> Result<usize, Error>;
    type Emit = fn(&Topology<'_>, &mut [u8]) -> Result<usize, Error>;
    let emitters: [(Len, Emit); 3] =
        [(madt::len, madt::emit), (srat::len, srat::emit), (slit::len, slit::emit)];
    for (len, emit) in emitters {
        let expected = samples::table(&topology, len, emit);
        for have in 0..=expected.len() + 8 {
            check_size(&|buffer| emit(&topology, buffer), &expected, have);
        }
    }
}

#[test]
fn the_same_set_at_every_base_differs_in_addresses_only() {
    let machine = Machine::varied(8);
    let topology = machine.valid();
    let set = TableSet::complete(&topology).unwrap();
    let placed = set.place(BASE).unwrap();
    let (one, other) = (samples::emitted(&set, BASE), samples::emitted(&set, Gpa(0x7_0000_0040)));
    let signature = |bytes: &[u8]| {
        let facs = placed.table(*b"FACS").unwrap();
        bytes[facs.offset..facs.offset + facs.len].to_vec()
    };
    assert_eq!(signature(&one), signature(&other));
    for table in placed.tables() {
        let range = table.offset..table.offset + table.len;
        let has_addresses = matches!(&table.signature, b"RSDP" | b"XSDT" | b"FACP");
        assert_eq!(one[range.clone()] != other[range], has_addresses, "{:?}", table.signature);
    }
}
