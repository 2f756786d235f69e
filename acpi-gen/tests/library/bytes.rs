//! Reading every byte of a table with every reader, and fields at offsets.

use std::collections::BTreeMap;

use acpi_gen::{Error, FadtView, KnownTable, Madt, Rsdp, Show, Slit, Srat, Table, Value};

use crate::samples;

/// Reads all that any reader sees in these bytes. Returns how many items there
/// were: a number to compare, so that nothing is optimised away.
pub(crate) fn read_all(bytes: &[u8]) -> usize {
    let mut items = 0;
    if let Ok(rsdp) = Rsdp::parse(bytes) {
        items += usize::from(rsdp.sums().0) + rsdp.bytes().len();
    }
    if let Ok(table) = Table::parse(bytes) {
        items += usize::from(table.sum()) + table.bytes().len();
        assert!(table.bytes().len() <= bytes.len());
    }
    if let Ok(madt) = Madt::parse(bytes) {
        let entries = madt.entries().count();
        assert!(entries <= bytes.len() / 2 + 1, "{entries} entries in {} bytes", bytes.len());
        items += entries + usize::from(madt.pcat_compat());
    }
    if let Ok(srat) = Srat::parse(bytes) {
        let entries = srat.entries().count();
        assert!(entries <= bytes.len() / 2 + 1, "{entries} entries in {} bytes", bytes.len());
        items += entries;
    }
    if let Ok(slit) = Slit::parse(bytes) {
        let cells: usize = slit.rows().map(<[u8]>::len).sum();
        let side = slit.rows().count();
        assert_eq!(cells, side * side);
        assert!(cells <= bytes.len());
        items +=
            usize::from(slit.rows().flatten().fold(0, |sum: u8, cell| sum.wrapping_add(*cell)));
    }
    if let Ok(fadt) = FadtView::parse(bytes) {
        items += usize::from(fadt.version().0)
            + usize::from(fadt.dsdt().is_some())
            + usize::from(fadt.facs().is_some());
    }
    for table in [KnownTable::Xsdt, KnownTable::Fadt, KnownTable::Facs] {
        items += Shown::of(table, bytes).map_or(0, |shown| shown.fields.len() + shown.items.len());
    }
    items
}

/// What a decoder receives of a table: numbers by name, the list's numbers, the entries' types.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) fields: BTreeMap<&'static str, u64>,
    pub(crate) items: Vec<u64>,
    pub(crate) entries: Vec<u8>,
}

impl Shown {
    pub(crate) fn of(table: KnownTable, bytes: &[u8]) -> Result<Self, Error> {
        let mut shown = Self::default();
        table.show(bytes, &mut shown).map(|()| shown)
    }
}

impl Show for Shown {
    fn field(&mut self, name: &'static str, value: Value<'_>) {
        if let Value::Decimal(n) | Value::Hex(n) | Value::Address(Some(n)) = value {
            self.fields.insert(name, n);
        } else if let Value::Flag(Some(flag)) = value {
            self.fields.insert(name, flag.into());
        }
    }

    fn list(&mut self, _: &'static str) {}

    fn item(&mut self, value: Value<'_>) {
        if let Value::Hex(n) = value {
            self.items.push(n);
        }
    }

    fn entry(&mut self, _: usize, kind: u8, _: &'static str) {
        self.entries.push(kind);
    }

    fn error(&mut self, _: Error) {}
}

pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap())
}

pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(bytes[offset..offset + 8].try_into().unwrap())
}

/// Makes a changed table's checksum right again.
pub(crate) fn fix_sum(table: &mut [u8]) {
    table[9] = 0;
    table[9] = samples::byte_sum(table).wrapping_neg();
}
