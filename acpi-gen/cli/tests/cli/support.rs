//! What the tests of the binary share.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Runs the program in a folder, as a user does.
pub(crate) fn acpi_gen(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_acpi-gen")).args(args).current_dir(folder).output().unwrap()
}

/// The files in a folder with this suffix, by name.
pub(crate) fn files(folder: &Path, suffix: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(suffix))
        .collect();
    names.sort();
    names
}

/// Whether to write goldens instead of comparing them: `UPDATE_GOLDENS` is "1", or "bytes"
/// for all but iasl's texts.
pub(crate) fn update() -> bool {
    match std::env::var("UPDATE_GOLDENS").as_deref() {
        Err(_) => false,
        Ok("1" | "bytes") => true,
        Ok(other) => panic!("UPDATE_GOLDENS: {other:?}; expected \"1\" or \"bytes\""),
    }
}

/// Whether to write iasl's texts, too.
pub(crate) fn update_texts() -> bool {
    update() && std::env::var_os("UPDATE_GOLDENS").is_some_and(|value| value == "1")
}

/// Makes a changed table's checksum right again.
pub(crate) fn fix_sum(table: &mut [u8]) {
    table[9] = 0;
    table[9] = table.iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte));
}
