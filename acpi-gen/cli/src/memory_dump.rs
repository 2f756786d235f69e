//! A file with a set of tables as it is in memory: from the RSDP, address by address.

use std::collections::BTreeSet;

use acpi_gen::{FadtView, FoundTable, Gpa, Physical, Rsdp, Table, TableWalk, WalkError, fadt};

/// A table of the set.
pub(crate) struct DumpedTable {
    /// None where the set's base is not known.
    pub(crate) address: Option<u64>,
    pub(crate) bytes: Vec<u8>,
}

/// The tables that the RSDP leads to, and what could not be followed.
#[derive(Default)]
pub(crate) struct Dump {
    pub(crate) tables: Vec<DumpedTable>,
    pub(crate) problems: Vec<String>,
}

impl Dump {
    /// The set in `bytes`. Without a base, the first XSDT (or RSDT) of the file is
    /// the one whose address the RSDP has. None where there is no RSDP.
    pub(crate) fn new(bytes: &[u8], base: Option<u64>) -> Option<Self> {
        let (rsdp_offset, rsdp) = find_rsdp(bytes)?;
        let mut dump = Self::default();
        let (Gpa(root), signature) = rsdp.root();
        let base = base.or_else(|| {
            let offset = find_table(bytes, signature)?;
            root.checked_sub(u64::try_from(offset).ok()?)
        });
        let Some(base) = base else {
            dump.tables.push(DumpedTable { address: None, bytes: rsdp.bytes().to_vec() });
            dump.problems.push(format!(
                "the RSDP's {} address is {root:#x}, but there is no such table here; --base may help",
                signature.escape_ascii()
            ));
            return Some(dump);
        };
        dump.follow(bytes, base, rsdp_offset);
        Some(dump)
    }

    fn follow(&mut self, bytes: &[u8], base: u64, rsdp_offset: usize) {
        let file = File { bytes, base };
        let rsdp = base.saturating_add(u64::try_from(rsdp_offset).unwrap_or(u64::MAX));
        // An address that is in the list many times is one table.
        let mut followed = BTreeSet::new();
        for found in TableWalk::new(&file, Gpa(rsdp)) {
            let at = found.as_ref().map_or_else(WalkError::at, |found| found.address);
            if !followed.insert(at) {
                continue;
            }
            let Some(found) = self.add(&file, found) else { continue };
            if found.signature == fadt::SIGNATURE
                && let Ok(fadt) = FadtView::parse(found.bytes)
            {
                for at in [fadt.dsdt(), fadt.facs()].into_iter().flatten() {
                    self.add(&file, FoundTable::at(&file, at));
                }
            }
        }
    }

    fn add<'f>(
        &mut self,
        file: &File<'_>,
        found: Result<FoundTable<'f>, WalkError>,
    ) -> Option<FoundTable<'f>> {
        match found {
            Ok(found) => {
                let address = Some(found.address.0);
                self.tables.push(DumpedTable { address, bytes: found.bytes.to_vec() });
                return Some(found);
            }
            Err(WalkError::Unreadable { at, .. }) if file.offset(at).is_none() => {
                self.problems.push(format!("the table at {:#x} is not in this file", at.0));
            }
            Err(error) => self.problems.push(error.to_string()),
        }
        None
    }
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

/// The file as memory from `base` on.
struct File<'a> {
    bytes: &'a [u8],
    base: u64,
}

impl File<'_> {
    /// Where an address is in the file.
    fn offset(&self, at: Gpa) -> Option<usize> {
        let offset = usize::try_from(at.0.checked_sub(self.base)?).ok()?;
        (offset < self.bytes.len()).then_some(offset)
    }
}

impl Physical for File<'_> {
    fn bytes(&self, at: Gpa, len: usize) -> Option<&[u8]> {
        self.bytes.get(self.offset(at)?..)?.get(..len)
    }
}
