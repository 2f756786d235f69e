//! Reading files and folders, with errors that name them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A file's bytes.
pub(crate) fn file(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| cannot_read(path, &error))
}

/// What is in a folder, by name; numbers at the end of names count as numbers, as in
/// APIC2 and APIC10.
pub(crate) fn folder(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| cannot_read(path, &error))?;
    let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
    paths.sort_by_cached_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (stem, number) = name.split_at(name.len().saturating_sub(digits));
        (stem.to_owned(), number.parse::<u64>().ok(), name.clone())
    });
    Ok(paths)
}

fn cannot_read(path: &Path, error: &std::io::Error) -> Failure {
    Failure::whole_file(path, format!("cannot be read: {error}"))
}
