//! Findings of fwts: lengths, reserved bits, I/O APICs and handles.

use super::processors::{extend, initiator, io_apic};
use super::*;

fn reserved(signature: [u8; 4], offset: usize) -> Vec<(Severity, Kind)> {
    vec![(Err, Kind::Reserved { signature, offset })]
}

#[test]
fn madt_entries_have_exact_lengths_but_for_those_that_vary() {
    let at = good().madt.len();
    let entry = |bytes: &[u8]| broken(Fwts, |set| extend(set, bytes));
    let mut long = vec![0; 13];
    long[..2].copy_from_slice(&[2, 13]);
    let kind = Kind::EntryTooLong { signature: *b"APIC", offset: at, len: 13, exact: 10 };
    assert_eq!(entry(&long), [(Err, kind)]);
    // A Local SAPIC has a string, and a wake-up of ACPI 6.6 a reset vector.
    for (kind, len) in [(7, 22), (0x10, 24)] {
        let mut bytes = vec![0; usize::from(len)];
        bytes[..2].copy_from_slice(&[kind, len]);
        assert_eq!(entry(&bytes), [], "{kind}");
    }
}

#[test]
fn io_apics_have_ids_of_their_own_and_addresses() {
    let second = |id: u8, address: u32| {
        broken(Fwts, |set| {
            extend(set, &io_apic(7, 0xFEC0_0000, 0));
            extend(set, &io_apic(id, address, 24));
        })
    };
    assert_eq!(second(8, 0xFEC0_1000), []);
    for (id, address) in [(7, 0xFEC0_1000), (8, 0)] {
        assert_eq!(second(id, address), [(Err, Kind::IoApic { id, address })]);
    }
}

#[test]
fn overrides_are_of_bus_0_and_flags_of_legal_values() {
    let at = good().madt.len();
    let entry = |bytes: &[u8]| broken(Fwts, |set| extend(set, bytes));
    let of_bus = |bus, flags| entry(&[2, 10, bus, 9, 9, 0, 0, 0, flags, 0]);
    assert_eq!(of_bus(0, 0xD), []);
    assert_eq!(of_bus(1, 0xD), reserved(*b"APIC", at));
    // 2 is reserved for polarity and for trigger mode.
    for flags in [2, 8, 0x10] {
        assert_eq!(of_bus(0, flags), reserved(*b"APIC", at), "{flags}");
        assert_eq!(entry(&[4, 6, 0xFF, flags, 0, 1]), reserved(*b"APIC", at), "{flags}");
        assert_eq!(entry(&[3, 8, flags, 0, 1, 0, 0, 0]), reserved(*b"APIC", at), "{flags}");
    }
}

/// ACPI 6.5, 5.2.16.6: reserved bytes around the handle, and behind it 4 or 12 bytes.
#[test]
fn generic_initiators_have_a_known_handle_and_nothing_in_reserved_bytes() {
    let end = MEM1 + MEMORY;
    let of = |change: &dyn Fn(&mut Vec<u8>)| {
        broken(Fwts, |set| {
            let mut entry = initiator(1, 1);
            change(&mut entry);
            set.srat.extend(entry);
            let len = set.srat.len() as u32;
            put(&mut set.srat, 4, &len.to_le_bytes());
        })
    };
    let with = |handle_type: u8, at: usize, value: u8| {
        of(&|entry| {
            entry[3] = handle_type;
            entry[at] = value;
        })
    };
    // (handle type, offset, whether a byte there may be 1)
    for (handle_type, at, legal) in [
        (0, 2, false),
        (0, 8, true),
        (0, 19, true),
        (0, 20, false),
        (0, 23, false),
        (1, 11, true),
        (1, 12, false),
        (1, 23, false),
        (1, 25, false),
        (1, 28, false),
        (1, 31, false),
    ] {
        let expected = if legal { Vec::new() } else { reserved(*b"SRAT", end) };
        assert_eq!(with(handle_type, at, 1), expected, "{handle_type} {at}");
    }
    assert_eq!(with(0, 24, 3), []);
    assert_eq!(with(0, 24, 4), reserved(*b"SRAT", end));
    assert_eq!(with(2, 8, 0), reserved(*b"SRAT", end));
    let long = of(&|entry| {
        entry[1] = 36;
        entry.extend([0; 4]);
    });
    assert!(long.contains(&reserved(*b"SRAT", end)[0]), "{long:?}");
}

/// fwts looks at the first and the last cell of the diagonal, and stops at the first wrong one.
#[test]
fn a_wrong_distance_is_reported_once() {
    let slit = |localities: usize, cells: &[(usize, u8)]| {
        broken(Fwts, |set| {
            set.slit[36] = localities as u8;
            set.slit.truncate(44);
            set.slit.extend((0..localities * localities).map(|at| {
                let local = at / localities == at % localities;
                if local { 10 } else { 20 }
            }));
            for (at, value) in cells {
                set.slit[44 + at] = *value;
            }
            let len = set.slit.len() as u32;
            put(&mut set.slit, 4, &len.to_le_bytes());
        })
    };
    let kind = |from, to, value| {
        let (from, to) = (ProximityDomain(from), ProximityDomain(to));
        [(Err, Kind::Distance { from, to, value })]
    };
    assert_eq!(slit(3, &[]), []);
    assert_eq!(slit(3, &[(0, 11)]), kind(0, 0, 11));
    assert_eq!(slit(3, &[(4, 11)]), []);
    assert_eq!(slit(3, &[(8, 11)]), kind(2, 2, 11));
    assert_eq!(slit(3, &[(1, 9), (2, 8), (8, 11)]), kind(0, 1, 9));
}
