//! The readers over any bytes: no panic, no standstill, no byte outside of the
//! table, and never a second item after an error that ends a list.

use std::collections::BTreeMap;

use acpi_gen::*;

use crate::Interest;

/// Runs the target. The first byte shifts the rest, so that nothing is aligned.
pub fn run(data: &[u8]) -> Interest {
    let Some((&shift, rest)) = data.split_first() else { return Interest::Reject };
    let mut shifted = vec![0; usize::from(shift & 7)];
    let start = shifted.len();
    shifted.extend(rest);
    let bytes = &shifted[start..];

    let mut read = false;
    if let Some(table) = header(bytes) {
        read = true;
        madt(bytes, &table);
        srat(bytes, &table);
        slit(bytes, &table);
        xsdt(&table);
        fadt(bytes, &table);
        shown(bytes, &table);
    }
    read |= rsdp(bytes);
    if let Ok(facs) = Shown::of(KnownTable::Facs, bytes) {
        read = true;
        assert_eq!(facs.fields["hardware_signature"], number(&bytes[8..12]));
        assert_eq!(facs.fields["version"], u64::from(bytes[32]));
    }
    if read { Interest::Keep } else { Interest::Reject }
}

fn header(bytes: &[u8]) -> Option<Table<'_>> {
    match Table::parse(bytes) {
        Ok(table) => {
            let len = table.bytes().len();
            assert_eq!(bytes[4..8], u32::try_from(len).expect("a length").to_le_bytes());
            assert!(std::ptr::eq(table.bytes(), &bytes[..len]));
            assert_eq!(table.signature(), bytes[..4]);
            let sum: u64 = table.bytes().iter().map(|byte| u64::from(*byte)).sum();
            assert_eq!(u64::from(table.sum()), sum % 256);
            assert_eq!(table.revision(), bytes[8]);
            let oem = table.oem();
            assert_eq!((&oem.id[..], &oem.table_id[..]), (&bytes[10..16], &bytes[16..24]));
            assert_eq!(oem.revision.to_le_bytes(), bytes[24..28]);
            Some(table)
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            // Nobody reads what has no header.
            assert!(Madt::parse(bytes).is_err() && Srat::parse(bytes).is_err());
            assert!(Slit::parse(bytes).is_err() && FadtView::parse(bytes).is_err());
            None
        }
    }
}

/// Offsets of the entries that a plain reader finds from `from` on, up to the table's end or
/// the first length that is wrong, and whether there is one.
fn entries(table: &[u8], from: usize) -> (Vec<usize>, bool) {
    let (mut offsets, mut at) = (Vec::new(), from);
    while at < table.len() {
        match table[at..] {
            [_, len, ..] if len >= 2 && at + usize::from(len) <= table.len() => {
                offsets.push(at);
                at += usize::from(len);
            }
            _ => return (offsets, true),
        }
    }
    (offsets, false)
}

/// The library's entries are those of the plain reader, with an error for one below the length
/// that `known` has for its type, and one for a length that is wrong.
fn same_entries<T>(
    table: &Table<'_>,
    from: usize,
    known: &[(u8, usize)],
    parsed: impl Iterator<Item = Result<T, Error>>,
    other: impl Fn(&T) -> Option<&[u8]>,
) {
    let bytes = table.bytes();
    let (offsets, ends_early) = entries(bytes, from);
    let mut parsed = parsed;
    for at in offsets {
        let entry = &bytes[at..][..usize::from(bytes[at + 1])];
        let parsed = parsed.next().expect("an entry");
        match least(known, entry[0]) {
            None => {
                let parsed = parsed.expect("an entry of another type");
                let same = other(&parsed).is_some_and(|other| std::ptr::eq(other, entry));
                assert!(same, "type {} at {at}", entry[0]);
            }
            Some(least) => assert_eq!(parsed.is_ok(), entry.len() >= least),
        }
    }
    if ends_early {
        let error = parsed.next().and_then(Result::err).expect("an error");
        assert!(matches!(error, Error::EntryLength { .. } | Error::EntryPastEnd { .. }));
        assert!(!error.to_string().is_empty());
    }
    assert!(parsed.next().is_none() && parsed.next().is_none());
}

/// A little-endian number.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// Types and what they take, ACPI 6.5, 5.2.12 and 5.2.16.
fn least(known: &[(u8, usize)], kind: u8) -> Option<usize> {
    known.iter().find(|(known, _)| *known == kind).map(|(_, len)| *len)
}

fn madt<'a>(bytes: &'a [u8], table: &Table<'a>) {
    let Ok(madt) = Madt::parse(bytes) else {
        return assert!(table.signature() != madt::SIGNATURE || table.bytes().len() < 44);
    };
    let shown = Shown::of(KnownTable::Madt, bytes).expect("a MADT");
    assert_eq!(shown.fields["local_apic_address"], number(&bytes[36..40]));
    assert_eq!(madt.flags().to_le_bytes(), bytes[40..44]);
    assert_eq!(madt.pcat_compat(), bytes[40] & 1 == 1);
    let known = [
        (0, 8),
        (1, 12),
        (2, 10),
        (3, 8),
        (4, 6),
        (5, 12),
        (6, 16),
        (7, 16),
        (8, 16),
        (9, 16),
        (0xA, 12),
        (0x10, 16),
    ];
    same_entries(table, 44, &known, madt.entries(), |entry| match entry {
        MadtEntry::Other(entry) => Some(entry.bytes),
        _ => None,
    });
}

fn srat<'a>(bytes: &'a [u8], table: &Table<'a>) {
    let Ok(srat) = Srat::parse(bytes) else {
        return assert!(table.signature() != srat::SIGNATURE || table.bytes().len() < 48);
    };
    let known = [(0, 16), (1, 40), (2, 24), (5, 32), (6, 32)];
    same_entries(table, 48, &known, srat.entries(), |entry| match entry {
        SratEntry::Other(entry) => Some(entry.bytes),
        _ => None,
    });
}

/// What a decoder receives of a table.
#[derive(Default)]
struct Shown {
    fields: BTreeMap<&'static str, u64>,
    items: Vec<u64>,
    entries: usize,
    last: usize,
    numbers: usize,
}

impl Shown {
    fn of(table: KnownTable, bytes: &[u8]) -> Result<Self, Error> {
        let mut shown = Self::default();
        table.show(bytes, &mut shown).map(|()| shown)
    }
}

impl Show for Shown {
    fn field(&mut self, name: &'static str, value: Value<'_>) {
        assert!(!name.is_empty());
        if let Value::Numbers(bytes, width) | Value::Matrix(bytes, width, _) = value {
            assert_eq!(bytes.len() % width, 0);
            self.numbers += bytes.len();
        }
        match value {
            Value::Decimal(n) | Value::Hex(n) | Value::Address(Some(n)) => {
                self.fields.insert(name, n);
            }
            Value::Flag(Some(flag)) => {
                self.fields.insert(name, flag.into());
            }
            _ => {}
        }
    }

    fn list(&mut self, _: &'static str) {
        assert_eq!(self.entries, 0, "a second list");
    }

    fn item(&mut self, value: Value<'_>) {
        if let Value::Hex(n) = value {
            self.items.push(n);
        }
    }

    fn entry(&mut self, offset: usize, _: u8, name: &'static str) {
        assert!(!name.is_empty() && offset > self.last);
        (self.entries, self.last) = (self.entries + 1, offset);
    }

    fn error(&mut self, error: Error) {
        assert!(!error.to_string().is_empty());
    }
}

/// The decoders: entries ascend inside the table, and lists are parts of it.
fn shown(bytes: &[u8], table: &Table<'_>) {
    for known in KnownTable::ALL {
        let mut shown = Shown::default();
        let result = known.show(bytes, &mut shown);
        let len = table.bytes().len();
        if known.has_header() && known.signature() == table.signature() {
            assert!(shown.last < len && shown.numbers <= len, "{known:?}");
        } else if known.has_header() {
            assert!(result.is_err(), "{known:?}");
        }
    }
}

fn slit<'a>(bytes: &'a [u8], table: &Table<'a>) {
    let Ok(slit) = Slit::parse(bytes) else { return };
    let (cells, side) = (table.bytes().len() - 44, slit.rows().count());
    assert!(side.checked_mul(side).is_some_and(|square| square <= cells));
    let mut count = 0;
    for (from, row) in (0..).zip(slit.rows()) {
        assert!(std::ptr::eq(row, &table.bytes()[44 + count..][..side]));
        assert_eq!(slit.distance(ProximityDomain(from), ProximityDomain(0)), row.first().copied());
        count += row.len();
    }
    assert_eq!(count, side * side);
}

fn xsdt(table: &Table<'_>) {
    let Ok(shown) = Shown::of(KnownTable::Xsdt, table.bytes()) else { return };
    let addresses: Vec<u8> = shown.items.iter().flat_map(|address| address.to_le_bytes()).collect();
    assert_eq!(addresses, table.bytes()[36..][..addresses.len()]);
    assert!(table.bytes().len() - 36 - addresses.len() < 8);
}

fn fadt<'a>(bytes: &'a [u8], table: &Table<'a>) {
    let Ok(fadt) = FadtView::parse(bytes) else { return };
    let field = |at: usize, len: usize| {
        let bytes = table.bytes().get(at..at + len)?;
        Some(Gpa(number(bytes))).filter(|address| address.0 != 0)
    };
    assert_eq!(fadt.dsdt(), field(140, 8).or(field(40, 4)));
    assert_eq!(fadt.facs(), field(132, 8).or(field(36, 4)));
    let minor = table.bytes().get(131).map_or(0, |byte| byte & 0xF);
    assert_eq!(fadt.version(), (table.revision(), minor));
    let flag = table.bytes().get(112..116).map(|bytes| (bytes[2] >> 4 & 1).into());
    let shown = Shown::of(KnownTable::Fadt, bytes).expect("a FADT");
    assert_eq!(shown.fields.get("hardware_reduced").copied(), flag);
}

fn rsdp(bytes: &[u8]) -> bool {
    match Rsdp::parse(bytes) {
        Ok(rsdp) => {
            assert_eq!(rsdp.revision(), bytes[15]);
            let len = if bytes[15] < 2 { 20 } else { rsdp.bytes().len() };
            assert!(std::ptr::eq(rsdp.bytes(), &bytes[..len]));
            let shown = Shown::of(KnownTable::Rsdp, bytes).expect("an RSDP");
            let xsdt = (bytes[15] >= 2).then(|| number(&bytes[24..32]));
            assert_eq!(shown.fields.get("xsdt").copied(), xsdt);
            assert_eq!(shown.fields["rsdt"], number(&bytes[16..20]));
            let sum = |bytes: &[u8]| bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
            assert_eq!(rsdp.sums(), (sum(&bytes[..20]), xsdt.map(|_| sum(&bytes[..len]))));
            assert_eq!(rsdp.oem_id(), bytes[9..15]);
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            bytes.starts_with(b"RSD PTR ")
        }
    }
}
