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
pub(crate) enum FileKind {
    Rsdp,
    /// A header with a signature; FACS too, which has no other header field.
    Table,
    /// An RSDP or table with more behind it, or an RSDP somewhere in it: a set, or
    /// a file that somebody added to.
    Set,
    /// Nothing known.
    Other,
}

pub(crate) fn kind(bytes: &[u8]) -> FileKind {
    if bytes.starts_with(b"RSD PTR ") {
        // An RSDP cut short is still one, with an error to show.
        let whole = Rsdp::parse(bytes).map_or(bytes.len(), |rsdp| rsdp.bytes().len());
        return if whole == bytes.len() { FileKind::Rsdp } else { FileKind::Set };
    }
    let Some((signature, rest)) = bytes.split_first_chunk::<4>() else { return FileKind::Other };
    let [first, others @ ..] = *signature;
    let is_signature = first.is_ascii_uppercase()
        && others.iter().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
    // Text is no table: four characters are no length below 16 MiB.
    let is_text = rest.first_chunk::<4>().is_some_and(|length| !length.contains(&0));
    if is_signature && !is_text { FileKind::Table } else { FileKind::Other }
}

/// Bytes behind a table, which its length leaves out.
pub(crate) fn trailing(bytes: &[u8]) -> Option<String> {
    let table = Table::parse(bytes).ok()?;
    let behind = bytes.len().checked_sub(table.bytes().len()).filter(|behind| *behind > 0)?;
    Some(format!(
        "{behind} bytes stand behind the table, whose length is {}: they are left out",
        table.bytes().len()
    ))
}

/// The files of a folder that hold one table each, by name. Others are left out:
/// `emit`'s tables.bin holds the same tables once more, iasl leaves text files.
pub(crate) fn folder(folder: &Path) -> Result<Vec<TableFile>, Failure> {
    let mut files = Vec::new();
    for path in input::folder(folder)?.into_iter().filter(|path| path.is_file()) {
        let bytes = input::file(&path)?;
        if matches!(kind(&bytes), FileKind::Rsdp | FileKind::Table) {
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
