//! The tables behind a path: a file with one table, a folder of such files, or a
//! file with a whole set as it lies in memory.

use std::path::{Path, PathBuf};

use acpi_gen::{ListedTables, xsdt};

use crate::acpidump::AcpidumpText;
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
        if let Some(text) = AcpidumpText::parse(&bytes) {
            let file = || path.to_owned();
            for DumpedTable { address, bytes } in text.tables {
                self.tables.push(Source { file: file(), address, bytes });
            }
            let problem = |(line, what)| Failure::Input { file: file(), line, what };
            self.problems.extend(text.problems.into_iter().map(problem));
            return Ok(());
        }
        let Some(dump) = Dump::new(&bytes, base) else {
            let what = "holds neither a table, nor text of acpidump, nor an RSDP with a set of \
                        tables behind it";
            return Err(Failure::whole_file(path, what));
        };
        for DumpedTable { address, bytes } in dump.tables {
            self.tables.push(Source { file: path.to_owned(), address, bytes });
        }
        let problems = dump.problems.into_iter().map(|what| Failure::whole_file(path, what));
        self.problems.extend(problems);
        Ok(())
    }

    /// The table that counts of those that start with these bytes, and a remark where there
    /// are several: the first in the XSDT's order, or else the first of the input.
    pub(crate) fn find(&self, start: &[u8]) -> (Option<&Source>, Option<String>) {
        let all = || self.tables.iter().filter(|table| table.bytes.starts_with(start));
        let Some(first) = all().next() else { return (None, None) };
        if all().nth(1).is_none() {
            return (Some(first), None);
        }
        let signature = String::from_utf8_lossy(start);
        let listed = self.listed();
        let place = |table: &Source| listed.iter().position(|at| Some(*at) == table.address);
        let by_xsdt = all().filter_map(|table| Some((place(table)?, table))).min_by_key(|it| it.0);
        let (taken, why) = match by_xsdt {
            Some((_, taken)) => (taken, "the first in the XSDT's order"),
            None => (first, "the first here, as no XSDT with their addresses is here"),
        };
        let at = taken.address.map_or_else(String::new, |at| format!(" at {at:#x}"));
        let file = taken.file.display();
        (Some(taken), Some(format!("{signature}: several: {file}{at} is checked, {why}")))
    }

    /// The addresses in the XSDT.
    fn listed(&self) -> Vec<u64> {
        let xsdt = self.tables.iter().find(|table| table.bytes.starts_with(&xsdt::SIGNATURE));
        let list = |table: &Source| {
            let addresses = ListedTables::of(xsdt::SIGNATURE, &table.bytes);
            addresses.map(|address| address.0).collect()
        };
        xsdt.map(list).unwrap_or_default()
    }

    fn add_table(&mut self, file: PathBuf, bytes: Vec<u8>) {
        if let Some(what) = table_files::trailing(&bytes) {
            self.problems.push(Failure::whole_file(&file, what));
        }
        self.tables.push(Source { file, address: None, bytes });
    }
}
