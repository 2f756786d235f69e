//! Reading every byte of a table with every reader, and fields at offsets.

use acpi_gen::{Facs, FadtView, Madt, Rsdp, Slit, Srat, Table, Xsdt};

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
    if let Ok(xsdt) = Xsdt::parse(bytes) {
        items += xsdt.addresses().count();
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
        assert_eq!(cells, slit.localities() * slit.localities());
        assert!(cells <= bytes.len());
        items +=
            usize::from(slit.rows().flatten().fold(0, |sum: u8, cell| sum.wrapping_add(*cell)));
    }
    if let Ok(fadt) = FadtView::parse(bytes) {
        items += usize::from(fadt.version().0)
            + usize::from(fadt.dsdt().is_some())
            + usize::from(fadt.facs().is_some())
            + usize::from(fadt.hardware_reduced() == Some(true));
    }
    if let Ok(facs) = Facs::parse(bytes) {
        items += usize::from(facs.version());
    }
    items
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
