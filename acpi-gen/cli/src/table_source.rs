//! The tables behind a path: a file with one table, a folder of such files, or a
//! file with a whole set as it lies in memory.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::input;
use crate::memory_dump::{Dump, DumpedTable};
use crate::table_files::{self, FileKind};

/// One table's bytes.
pub(crate) struct Source {
    pub(crate) file: PathBuf,
    /// Where it lies in memory, for tables out of a set.
    pub(crate) address: Option<u64>,
    pub(crate) bytes: Vec<u8>,
}

/// Tables, and what of the input is not right.
#[derive(Default)]
pub(crate) struct Sources {
    pub(crate) tables: Vec<Source>,
    pub(crate) problems: Vec<Failure>,
}

impl Sources {
    /// Adds the tables behind a path. `base` is the address of a set's first byte.
    pub(crate) fn add(&mut self, path: &Path, base: Option<u64>) -> Result<(), Failure> {
        if path.is_dir() {
            let files = table_files::folder(path)?;
            for file in files {
                self.add_table(file.path, file.bytes);
            }
            return Ok(());
        }
        let bytes = input::file(path)?;
        if matches!(table_files::kind(&bytes), FileKind::Rsdp | FileKind::Table) {
            self.add_table(path.to_owned(), bytes);
            return Ok(());
        }
        let Some(dump) = Dump::new(&bytes, base) else {
            let what = "holds neither a table nor an RSDP with a set of tables behind it";
            return Err(Failure::whole_file(path, what));
        };
        for DumpedTable { address, bytes } in dump.tables {
            self.tables.push(Source { file: path.to_owned(), address, bytes });
        }
        let problems = dump.problems.into_iter().map(|what| Failure::whole_file(path, what));
        self.problems.extend(problems);
        Ok(())
    }

    fn add_table(&mut self, file: PathBuf, bytes: Vec<u8>) {
        if let Some(what) = table_files::trailing(&bytes) {
            self.problems.push(Failure::whole_file(&file, what));
        }
        self.tables.push(Source { file, address: None, bytes });
    }
}
