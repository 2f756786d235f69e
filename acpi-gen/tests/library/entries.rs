//! Entries of lengths that no specification has: an error, then nothing.

use acpi_gen::{Error, Madt, MadtEntry, Slit, Srat, Table};

/// A table with these bytes behind its header.
fn table(signature: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 36];
    bytes[..4].copy_from_slice(signature);
    bytes.extend_from_slice(body);
    let len = u32::try_from(bytes.len()).unwrap();
    bytes[4..8].copy_from_slice(&len.to_le_bytes());
    crate::bytes::fix_sum(&mut bytes);
    bytes
}

/// A MADT or SRAT with these bytes as entries.
fn with_entries(signature: &[u8; 4], entries: &[u8]) -> Vec<u8> {
    let fixed = if signature == b"APIC" { 8 } else { 12 };
    table(signature, &[&vec![0; fixed], entries].concat())
}

fn results(signature: &[u8; 4], entries: &[u8]) -> Vec<Result<(), Error>> {
    let bytes = with_entries(signature, entries);
    // One more than there can be: an iterator that stands still is seen here.
    let most = entries.len() / 2 + 2;
    let results: Vec<_> = match signature {
        b"APIC" => {
            let madt = Madt::parse(&bytes).unwrap();
            madt.entries().map(|entry| entry.map(|_| ())).take(most).collect()
        }
        _ => {
            let srat = Srat::parse(&bytes).unwrap();
            srat.entries().map(|entry| entry.map(|_| ())).take(most).collect()
        }
    };
    assert!(results.len() < most, "{signature:?} {entries:?} does not end");
    results
}

/// Known types and their lengths; ACPI 6.5, 5.2.12 and 5.2.16.
const KNOWN: [(&[u8; 4], u8, u8); 17] = [
    (b"APIC", 0, 8),
    (b"APIC", 1, 12),
    (b"APIC", 2, 10),
    (b"APIC", 3, 8),
    (b"APIC", 4, 6),
    (b"APIC", 5, 12),
    (b"APIC", 6, 16),
    (b"APIC", 7, 16),
    (b"APIC", 8, 16),
    (b"APIC", 9, 16),
    (b"APIC", 0xA, 12),
    (b"APIC", 0x10, 16),
    (b"SRAT", 0, 16),
    (b"SRAT", 1, 40),
    (b"SRAT", 2, 24),
    (b"SRAT", 5, 32),
    (b"SRAT", 6, 32),
];

#[test]
fn length_0_and_1_are_errors_and_nothing_follows() {
    for signature in [b"APIC", b"SRAT"] {
        for kind in 0..=255 {
            for len in [0, 1] {
                let mut entries = vec![kind, len];
                entries.extend([0xFF; 100]);
                let found = results(signature, &entries);
                assert_eq!(found.len(), 1, "type {kind} length {len}");
                let Err(Error::EntryLength { kind: k, len: l, needed: 2, .. }) = found[0] else {
                    panic!("{found:?}");
                };
                assert_eq!((k, l), (kind, usize::from(len)));
            }
        }
    }
}

#[test]
fn a_known_type_takes_its_length_or_more() {
    for (signature, kind, len) in KNOWN {
        for shorter in 2..len {
            let mut entries = vec![0; usize::from(shorter)];
            entries[..2].copy_from_slice(&[kind, shorter]);
            // The next entry is read: the length said where it starts.
            entries.extend([0x7F, 2]);
            let found = results(signature, &entries);
            assert_eq!(found.len(), 2, "type {kind} length {shorter}");
            let Err(Error::EntryLength { len: l, needed, .. }) = found[0] else {
                panic!("{found:?}");
            };
            assert_eq!((l, needed, found[1]), (usize::from(shorter), usize::from(len), Ok(())));
        }
        for longer in [len, len + 1, 255] {
            let mut entries = vec![0; usize::from(longer)];
            entries[..2].copy_from_slice(&[kind, longer]);
            assert_eq!(results(signature, &entries), [Ok(())], "type {kind} length {longer}");
        }
    }
}

#[test]
fn a_length_past_the_table_is_an_error_and_nothing_follows() {
    for (signature, kind, len) in KNOWN {
        for have in 2..len {
            let mut entries = vec![0; usize::from(have)];
            entries[..2].copy_from_slice(&[kind, len]);
            let found = results(signature, &entries);
            assert_eq!(found.len(), 1, "type {kind}: {have} of {len} bytes");
            let Err(Error::EntryPastEnd { len: l, have: h, .. }) = found[0] else {
                panic!("{found:?}");
            };
            assert_eq!((l, h), (usize::from(len), usize::from(have)));
        }
    }
    // A type byte without a length byte is an entry that is cut short as well.
    assert_eq!(results(b"APIC", &[9]).len(), 1);
    assert!(results(b"APIC", &[9])[0].is_err());
}

#[test]
fn an_unknown_type_is_kept_as_bytes() {
    let bytes = with_entries(b"APIC", &[0x80, 5, 1, 2, 3, 0x81, 2]);
    let found: Vec<_> = Madt::parse(&bytes).unwrap().entries().map(Result::unwrap).collect();
    let [MadtEntry::Other(first), MadtEntry::Other(second)] = found[..] else {
        panic!("{found:?}");
    };
    assert_eq!((first.kind, first.offset, first.bytes), (0x80, 44, &[0x80, 5, 1, 2, 3][..]));
    assert_eq!((second.kind, second.offset, second.bytes), (0x81, 49, &[0x81, 2][..]));
}

#[test]
fn tables_shorter_than_their_fixed_part() {
    for len in 0..36 {
        let bytes = table(b"APIC", &[]);
        assert!(Table::parse(&bytes[..len]).is_err(), "{len} bytes");
    }
    // A header alone is a table.
    let mut bytes = table(b"APIC", &[]);
    bytes[4..8].copy_from_slice(&36_u32.to_le_bytes());
    assert_eq!(Table::parse(&bytes).map(|table| table.bytes().len()), Ok(36));
    // Headers whose length field says less than a header, or less than the fixed part.
    for (signature, min) in [(b"APIC", 44), (b"SRAT", 48), (b"SLIT", 44)] {
        for len in 0..min {
            let mut bytes = table(signature, &[0; 64]);
            bytes[4..8].copy_from_slice(&u32::to_le_bytes(len));
            let error = match signature {
                b"APIC" => Madt::parse(&bytes).map(|_| ()).unwrap_err(),
                b"SRAT" => Srat::parse(&bytes).map(|_| ()).unwrap_err(),
                _ => Slit::parse(&bytes).map(|_| ()).unwrap_err(),
            };
            let Error::TableLength { len: stated, .. } = error else { panic!("{error:?}") };
            assert_eq!(stated, len);
        }
    }
}

#[test]
fn a_slit_needs_a_cell_for_each_pair() {
    for (localities, cells, fits) in [
        (0_u64, 0_usize, true),
        (2, 4, true),
        (2, 5, true),
        (2, 3, false),
        (1 << 32, 0, false),
        (u64::MAX, 16, false),
        (65_536, 0, false),
    ] {
        let mut body = localities.to_le_bytes().to_vec();
        body.extend(vec![10; cells]);
        let bytes = table(b"SLIT", &body);
        let slit = Slit::parse(&bytes);
        assert_eq!(slit.is_ok(), fits, "{localities} localities, {cells} cells");
        if let Ok(slit) = slit {
            assert_eq!(slit.rows().count() as u64, localities);
        }
    }
}
