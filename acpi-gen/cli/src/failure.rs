//! Why a subcommand could not do its work, and the exit status for it.

use std::fmt;
use std::path::{Path, PathBuf};

use hv_glue_topology::FileError;

/// A failed run.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something in an input file; exit status 1.
    Input {
        /// The file as the user named it.
        file: PathBuf,
        /// Line from 1; 1 where the whole file is meant.
        line: usize,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// Something in the arguments that only shows with the input; exit status 2.
    Usage(String),
}

impl Failure {
    /// A failure that concerns a file as a whole.
    pub(crate) fn whole_file(file: &Path, what: impl Into<String>) -> Self {
        Self::Input { file: file.to_owned(), line: 1, what: what.into() }
    }

    /// A failure at a line of a file.
    pub(crate) fn in_file(file: &Path, FileError { line, what }: FileError) -> Self {
        Self::Input { file: file.to_owned(), line, what }
    }

    /// The exit status for it.
    pub(crate) const fn status(&self) -> u8 {
        match self {
            Self::Input { .. } => 1,
            Self::Usage(_) => 2,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input { file, line, what } => write!(f, "{}:{line}: {what}", file.display()),
            Self::Usage(what) => write!(f, "error: {what}"),
        }
    }
}
