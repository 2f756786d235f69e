//! A whole set of tables as it lies in memory, and as files.

use std::path::Path;

use acpi_gen::{Error, Gpa, GpaRange, Placed, PlacedTable, Slit, TableSet, slit};
use serde::Serialize;

use crate::failure::Failure;
use crate::output;
use crate::text_table::{Align, TextTable};

/// The address that a set is for where nobody says otherwise.
pub(crate) const DEFAULT_BASE: &str = "0xFC000000";

/// The whole set as it lies in memory.
const IMAGE: &str = "tables.bin";

/// An emitted set.
pub(crate) struct TableImage {
    bytes: Vec<u8>,
    placed: Placed,
    files: Vec<File>,
}

/// One file in the folder.
#[derive(Serialize)]
pub(crate) struct File {
    /// Relative to the folder.
    path: String,
    /// None for the whole set.
    signature: Option<String>,
    length: usize,
    #[serde(skip)]
    address: u64,
}

impl TableImage {
    /// Emits the set for a base address.
    pub(crate) fn new(set: &TableSet<'_>, base: u64) -> Result<Self, Error> {
        let placed = set.place(Gpa(base))?;
        let bytes = set.to_vec(Gpa(base))?;
        let mut files: Vec<File> = placed.tables().iter().map(table_file).collect();
        files.push(File {
            path: IMAGE.to_owned(),
            signature: None,
            length: bytes.len(),
            address: placed.base().0,
        });
        Ok(Self { bytes, placed, files })
    }

    /// The files that [`TableImage::write`] writes.
    pub(crate) fn files(&self) -> &[File] {
        &self.files
    }

    /// The set's addresses.
    pub(crate) fn range(&self) -> Option<GpaRange> {
        let len = u64::try_from(self.bytes.len()).ok()?;
        GpaRange::with_size(self.placed.base(), len).ok()
    }

    /// A table's bytes; the RSDP's under the signature that the set lists it by.
    pub(crate) fn table(&self, signature: [u8; 4]) -> Option<&[u8]> {
        self.placed.table(signature).map(|table| self.bytes_of(table))
    }

    /// The distances; None where nothing has a proximity domain.
    pub(crate) fn slit(&self) -> Option<Slit<'_>> {
        Slit::parse(self.table(slit::SIGNATURE)?).ok()
    }

    /// Writes a file for each table and one for the whole set, or none.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let tables = self.placed.tables().iter().map(|table| self.bytes_of(table));
        let contents = tables.chain([self.bytes.as_slice()]);
        let files: Vec<(&str, &[u8])> =
            self.files.iter().map(|file| file.path.as_str()).zip(contents).collect();
        output::write_all(folder, &files)
    }

    /// The files as a human-readable table.
    pub(crate) fn render(&self) -> String {
        let mut table = TextTable::new([
            ("file", Align::Left),
            ("table", Align::Left),
            ("bytes", Align::Right),
            ("address", Align::Left),
        ]);
        for file in &self.files {
            let signature = file.signature.as_deref().unwrap_or("all of them");
            table.row([
                file.path.clone(),
                signature.trim_end().to_owned(),
                file.length.to_string(),
                format!("{:#x}", file.address),
            ]);
        }
        table.render()
    }

    fn bytes_of(&self, table: &PlacedTable) -> &[u8] {
        let range = table.offset..table.offset.saturating_add(table.len);
        self.bytes.get(range).unwrap_or_default()
    }
}

fn table_file(table: &PlacedTable) -> File {
    let name = table.signature.escape_ascii().to_string();
    // The one signature of eight characters.
    let signature = if name == "RSDP" { "RSD PTR ".to_owned() } else { name.clone() };
    File {
        path: format!("{}.dat", name.to_lowercase()),
        signature: Some(signature),
        length: table.len,
        address: table.address.0,
    }
}
