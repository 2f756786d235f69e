//! Tables in files and folders: what a machine dumped, or what `emit` wrote.

use std::path::{Path, PathBuf};

use acpi_gen::{Rsdp, Table};

use crate::failure::Failure;
use crate::input;

/// The bytes of a file that holds one table.
pub(crate) struct TableFile {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

/// What a file's first bytes say that it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Rsdp,
    /// A header with a signature; FACS too, which has no other header field.
    Table,
    /// An RSDP somewhere in it, or nothing known.
    Other,
}

pub(crate) fn kind(bytes: &[u8]) -> Kind {
    if let Ok(rsdp) = Rsdp::parse(bytes) {
        return if rsdp.bytes().len() == bytes.len() { Kind::Rsdp } else { Kind::Other };
    }
    let Some((header, _)) = bytes.split_first_chunk::<8>() else { return Kind::Other };
    let [first, b1, b2, b3, length @ ..] = *header;
    let is_signature = first.is_ascii_uppercase()
        && [b1, b2, b3].iter().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
    let stated = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    // A table cut short is still a table, with an error to show. Text is none:
    // four characters are no length below 16 MiB.
    if is_signature && (stated == bytes.len() || stated > bytes.len() && length.contains(&0)) {
        Kind::Table
    } else {
        Kind::Other
    }
}

/// The files of a folder that hold one table each, by name. Others are left out:
/// `emit`'s tables.bin holds the same tables once more, iasl leaves text files.
pub(crate) fn folder(folder: &Path) -> Result<Vec<TableFile>, Failure> {
    let mut files = Vec::new();
    for path in input::folder(folder)?.into_iter().filter(|path| path.is_file()) {
        let bytes = input::file(&path)?;
        if kind(&bytes) != Kind::Other {
            files.push(TableFile { path, bytes });
        }
    }
    if files.is_empty() {
        return Err(Failure::whole_file(
            folder,
            "has no file with an ACPI table; a folder such as /sys/firmware/acpi/tables is right",
        ));
    }
    Ok(files)
}

/// The first table with a signature.
pub(crate) fn find(
    files: &[TableFile],
    signature: [u8; 4],
) -> Result<Option<(&Path, Table<'_>)>, Failure> {
    let Some(file) = files.iter().find(|file| file.bytes.starts_with(&signature)) else {
        return Ok(None);
    };
    match Table::parse(&file.bytes) {
        Ok(table) => Ok(Some((&file.path, table))),
        Err(error) => Err(Failure::whole_file(&file.path, error.to_string())),
    }
}
