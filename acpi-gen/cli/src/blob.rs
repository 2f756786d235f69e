//! A set of tables as it lies in memory: from the RSDP, address by address.

use std::collections::BTreeSet;
use std::ops::Range;

use acpi_gen::{Facs, FadtView, Gpa, Rsdp, Table, Xsdt, facs, fadt, xsdt};

/// Signature of the RSDT, in which ACPI 1.0 has what the XSDT has since. ACPI 6.5, 5.2.7.
pub(crate) const RSDT: [u8; 4] = *b"RSDT";

/// A table of the set.
pub(crate) struct Piece {
    /// None where the set's base is not known.
    pub(crate) address: Option<u64>,
    /// Its bytes in the blob.
    pub(crate) range: Range<usize>,
}

/// The tables that the RSDP leads to, and what could not be followed.
pub(crate) struct Set {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) problems: Vec<String>,
}

/// The set in `bytes`. Without a base, the first XSDT (or RSDT) of the blob is
/// the one whose address the RSDP has. None where there is no RSDP.
pub(crate) fn set(bytes: &[u8], base: Option<u64>) -> Option<Set> {
    let (rsdp_offset, rsdp) = find_rsdp(bytes)?;
    let mut set = Set { pieces: Vec::new(), problems: Vec::new() };
    let (root_signature, root) = match rsdp.xsdt() {
        Some(Gpa(address)) if address != 0 => (xsdt::SIGNATURE, address),
        _ => (RSDT, u64::from(rsdp.rsdt())),
    };
    let base = base.or_else(|| {
        let offset = find_table(bytes, root_signature)?;
        root.checked_sub(u64::try_from(offset).ok()?)
    });
    let rsdp_end = rsdp_offset.saturating_add(rsdp.bytes().len());
    let Some(base) = base else {
        set.pieces.push(Piece { address: None, range: rsdp_offset..rsdp_end });
        set.problems.push(format!(
            "the RSDP's {} address is {root:#x}, but there is no such table here; --base may help",
            root_signature.escape_ascii()
        ));
        return Some(set);
    };
    let address = base.saturating_add(u64::try_from(rsdp_offset).unwrap_or(u64::MAX));
    set.pieces.push(Piece { address: Some(address), range: rsdp_offset..rsdp_end });

    let memory = Memory { bytes, base };
    let Some(root_table) = memory.root(&mut set, root, root_signature) else { return Some(set) };
    let mut followed = BTreeSet::from([root]);
    for address in addresses(root_table) {
        // An address that stands in the list many times is one table.
        if !followed.insert(address) {
            continue;
        }
        let Some(table) = memory.table(&mut set, address) else { continue };
        if table.signature() == fadt::SIGNATURE
            && let Ok(fadt) = FadtView::parse(table.bytes())
        {
            if let Some(Gpa(dsdt)) = fadt.dsdt() {
                memory.table(&mut set, dsdt);
            }
            if let Some(Gpa(facs)) = fadt.facs() {
                memory.facs(&mut set, facs);
            }
        }
    }
    Some(set)
}

/// The first RSDP on 16 bytes whose checksum is right, else the first at all.
fn find_rsdp(bytes: &[u8]) -> Option<(usize, Rsdp<'_>)> {
    let all = || {
        (0..bytes.len())
            .step_by(16)
            .filter_map(|offset| Some((offset, Rsdp::parse(bytes.get(offset..)?).ok()?)))
    };
    all().find(|(_, rsdp)| rsdp.sums().0 == 0).or_else(|| all().next())
}

/// Offset of the first table with this signature and a right checksum.
fn find_table(bytes: &[u8], signature: [u8; 4]) -> Option<usize> {
    bytes
        .windows(4)
        .enumerate()
        .filter(|(_, window)| *window == signature)
        .map(|(offset, _)| offset)
        .find(|&offset| {
            let table = bytes.get(offset..).and_then(|bytes| Table::parse(bytes).ok());
            table.is_some_and(|table| table.sum() == 0)
        })
}

/// The addresses that an XSDT, or an RSDT with its 32-bit ones, holds.
pub(crate) fn addresses(root: Table<'_>) -> Vec<u64> {
    match Xsdt::parse(root.bytes()) {
        Ok(xsdt) => xsdt.addresses().map(|address| address.0).collect(),
        Err(_) => {
            let entries = root.bytes().get(acpi_gen::HEADER_LEN..).unwrap_or_default();
            let (words, _) = entries.as_chunks::<4>();
            words.iter().map(|word| u64::from(u32::from_le_bytes(*word))).collect()
        }
    }
}

/// The blob, with the address of its first byte.
struct Memory<'a> {
    bytes: &'a [u8],
    base: u64,
}

impl<'a> Memory<'a> {
    /// The bytes from an address on.
    fn at(&self, set: &mut Set, address: u64) -> Option<(usize, &'a [u8])> {
        let offset = address.checked_sub(self.base).and_then(|offset| usize::try_from(offset).ok());
        let found = offset.and_then(|offset| Some((offset, self.bytes.get(offset..)?)));
        let found = found.filter(|(_, bytes)| !bytes.is_empty());
        if found.is_none() {
            set.problems.push(format!("the table at {address:#x} is not in this file"));
        }
        found
    }

    fn table(&self, set: &mut Set, address: u64) -> Option<Table<'a>> {
        let (offset, bytes) = self.at(set, address)?;
        match Table::parse(bytes) {
            Ok(table) => {
                let range = offset..offset.saturating_add(table.bytes().len());
                set.pieces.push(Piece { address: Some(address), range });
                Some(table)
            }
            Err(error) => {
                set.problems.push(format!("at {address:#x}: {error}"));
                None
            }
        }
    }

    fn root(&self, set: &mut Set, address: u64, signature: [u8; 4]) -> Option<Table<'a>> {
        let table = self.table(set, address)?;
        if table.signature() != signature {
            set.problems.push(format!(
                "at {address:#x}: signature {} where {} is right",
                table.signature().escape_ascii(),
                signature.escape_ascii()
            ));
            return None;
        }
        Some(table)
    }

    /// A FACS has a length, but no header that [`Table`] reads.
    fn facs(&self, set: &mut Set, address: u64) {
        let Some((offset, bytes)) = self.at(set, address) else { return };
        match Facs::parse(bytes) {
            Ok(_) => {
                let length = bytes.get(4..8).and_then(|length| length.try_into().ok());
                let length = length.map_or(facs::LEN, |length| {
                    usize::try_from(u32::from_le_bytes(length)).unwrap_or(facs::LEN)
                });
                let range = offset..offset.saturating_add(length);
                set.pieces.push(Piece { address: Some(address), range });
            }
            Err(error) => set.problems.push(format!("at {address:#x}: {error}")),
        }
    }
}
