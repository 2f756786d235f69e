//! What is wrong in a file, and on which line.

use alloc::string::String;
use core::fmt;

/// Something wrong in a topology file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// Line from 1; 1 where the whole file is meant.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl core::error::Error for FileError {}
