//! The readers over any bytes: no panic, no standstill, no byte outside of the
//! table, and never a second item after an error that ends a list.

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
        xsdt(bytes, &table);
        fadt(bytes, &table);
        shown(bytes, &table);
    }
    read |= rsdp(bytes);
    if let Ok(facs) = Facs::parse(bytes) {
        read = true;
        assert_eq!(facs.hardware_signature().to_le_bytes(), bytes[8..12]);
        assert_eq!(facs.version(), bytes[32]);
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
            assert!(Slit::parse(bytes).is_err() && Xsdt::parse(bytes).is_err());
            assert!(FadtView::parse(bytes).is_err());
            None
        }
    }
}

/// The entries stand one behind the other from `from` on; the list ends at the
/// table's end or with its only error.
fn sub_tables<'a>(entries: SubTables<'a>, table: &Table<'a>, from: usize) -> Vec<SubTable<'a>> {
    let (mut good, mut at, mut failed) = (Vec::new(), from, false);
    let mut iterator = entries;
    for entry in iterator.by_ref() {
        assert!(!failed, "an entry after an error");
        match entry {
            Ok(entry) => {
                assert_eq!(entry.offset, at);
                assert!(entry.bytes.len() >= 2);
                assert_eq!(usize::from(entry.bytes[1]), entry.bytes.len());
                assert_eq!(entry.kind, entry.bytes[0]);
                assert!(std::ptr::eq(entry.bytes, &table.bytes()[at..][..entry.bytes.len()]));
                at += entry.bytes.len();
                good.push(entry);
            }
            Err(error) => {
                failed = true;
                assert!(matches!(
                    error,
                    Error::EntryLength { offset, .. } | Error::EntryPastEnd { offset, .. }
                        if offset == at
                ));
                assert!(!error.to_string().is_empty());
            }
        }
    }
    assert!(iterator.next().is_none() && iterator.next().is_none());
    assert!(failed || at == table.bytes().len());
    good
}

/// Types and what they take, ACPI 6.5, 5.2.12 and 5.2.16.
fn least(known: &[(u8, usize)], kind: u8) -> Option<usize> {
    known.iter().find(|(known, _)| *known == kind).map(|(_, len)| *len)
}

fn madt<'a>(bytes: &'a [u8], table: &Table<'a>) {
    let Ok(madt) = Madt::parse(bytes) else {
        return assert!(table.signature() != madt::SIGNATURE || table.bytes().len() < 44);
    };
    assert_eq!(madt.local_apic_address().to_le_bytes(), bytes[36..40]);
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
    for entry in sub_tables(madt.sub_tables(), table, 44) {
        let parsed = MadtEntry::parse(entry);
        match least(&known, entry.kind) {
            None => assert_eq!(parsed, Ok(MadtEntry::Other(entry))),
            Some(least) => assert_eq!(parsed.is_ok(), entry.bytes.len() >= least),
        }
    }
    assert_eq!(madt.entries().count(), madt.sub_tables().count());
}

fn srat<'a>(bytes: &'a [u8], table: &Table<'a>) {
    let Ok(srat) = Srat::parse(bytes) else {
        return assert!(table.signature() != srat::SIGNATURE || table.bytes().len() < 48);
    };
    let known = [(0, 16), (1, 40), (2, 24), (5, 32), (6, 32)];
    for entry in sub_tables(srat.sub_tables(), table, 48) {
        let parsed = SratEntry::parse(entry);
        match least(&known, entry.kind) {
            None => assert_eq!(parsed, Ok(SratEntry::Other(entry))),
            Some(least) => assert_eq!(parsed.is_ok(), entry.bytes.len() >= least),
        }
    }
    assert_eq!(srat.entries().count(), srat.sub_tables().count());
}

/// What a decoder receives of a table.
#[derive(Default)]
struct Shown {
    entries: usize,
    last: usize,
    numbers: usize,
}

impl Show for Shown {
    fn field(&mut self, name: &'static str, value: Value<'_>) {
        assert!(!name.is_empty());
        if let Value::Numbers(bytes, width) | Value::Matrix(bytes, width, _) = value {
            assert_eq!(bytes.len() % width, 0);
            self.numbers += bytes.len();
        }
    }

    fn list(&mut self, _: &'static str) {
        assert_eq!(self.entries, 0, "a second list");
    }

    fn item(&mut self, _: Value<'_>) {}

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
    let (cells, side) = (table.bytes().len() - 44, slit.localities());
    assert!(side.checked_mul(side).is_some_and(|square| square <= cells));
    let mut count = 0;
    for (from, row) in (0..).zip(slit.rows()) {
        assert!(std::ptr::eq(row, &table.bytes()[44 + count..][..side]));
        assert_eq!(slit.distance(ProximityDomain(from), ProximityDomain(0)), row.first().copied());
        count += row.len();
    }
    assert_eq!(count, side * side);
}

fn xsdt<'a>(bytes: &'a [u8], table: &Table<'a>) {
    let Ok(xsdt) = Xsdt::parse(bytes) else { return };
    let addresses: Vec<u8> = xsdt.addresses().flat_map(|address| address.0.to_le_bytes()).collect();
    assert_eq!(addresses, table.bytes()[36..][..addresses.len()]);
    assert!(table.bytes().len() - 36 - addresses.len() < 8);
}

fn fadt<'a>(bytes: &'a [u8], table: &Table<'a>) {
    let Ok(fadt) = FadtView::parse(bytes) else { return };
    let field = |at: usize, len: usize| {
        let bytes = table.bytes().get(at..at + len)?;
        let value = bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
        (value != 0).then_some(Gpa(value))
    };
    assert_eq!(fadt.dsdt(), field(140, 8).or(field(40, 4)));
    assert_eq!(fadt.facs(), field(132, 8).or(field(36, 4)));
    let minor = table.bytes().get(131).map_or(0, |byte| byte & 0xF);
    assert_eq!(fadt.version(), (table.revision(), minor));
    let flags = table.bytes().get(112..116).map(|bytes| bytes[2] >> 4 & 1 == 1);
    assert_eq!(fadt.hardware_reduced(), flags);
}

fn rsdp(bytes: &[u8]) -> bool {
    match Rsdp::parse(bytes) {
        Ok(rsdp) => {
            assert_eq!(rsdp.revision(), bytes[15]);
            let len = if bytes[15] < 2 { 20 } else { rsdp.bytes().len() };
            assert!(std::ptr::eq(rsdp.bytes(), &bytes[..len]));
            assert_eq!(rsdp.xsdt().is_some(), bytes[15] >= 2);
            let sum = |bytes: &[u8]| bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
            assert_eq!(rsdp.sums(), (sum(&bytes[..20]), rsdp.xsdt().map(|_| sum(&bytes[..len]))));
            assert_eq!(rsdp.rsdt().to_le_bytes(), bytes[16..20]);
            assert_eq!(rsdp.oem_id(), bytes[9..15]);
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            bytes.starts_with(b"RSD PTR ")
        }
    }
}
