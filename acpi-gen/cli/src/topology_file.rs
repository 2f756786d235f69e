//! Topology files by their path, which every error names.

use std::path::{Path, PathBuf};

use acpi_gen::{GpaRange, Topology};
use hv_glue_topology::{FileError, IdScheme, Machine};

use crate::failure::Failure;
use crate::input;

/// A topology file that was read.
pub(crate) struct TopologyFile {
    path: PathBuf,
    file: hv_glue_topology::TopologyFile,
}

impl TopologyFile {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = input::file(path)?;
        let file = hv_glue_topology::TopologyFile::parse(&bytes)
            .map_err(|error| Failure::in_file(path, error))?;
        Ok(Self { path: path.to_owned(), file })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn machine(&self) -> &Machine {
        &self.file.machine
    }

    /// How the APIC ids came about.
    pub(crate) fn scheme(&self) -> IdScheme {
        self.file.scheme
    }

    /// The machine, checked by the library's rules.
    pub(crate) fn topology(&self) -> Result<Topology<'_>, Failure> {
        self.file.topology().map_err(|error| Failure::in_file(&self.path, error))
    }

    /// What is allowed but hardly meant, for tables at these addresses.
    fn unusual(&self, tables: Option<GpaRange>) -> Vec<FileError> {
        let mut found = self.file.remarks();
        found.extend(tables.and_then(|tables| self.file.ram_under_tables(tables)));
        found
    }

    /// The same as `FILE:LINE: what`.
    pub(crate) fn remarks(&self, tables: Option<GpaRange>) -> Vec<String> {
        let place = |error| Failure::in_file(&self.path, error).to_string();
        self.unusual(tables).into_iter().map(place).collect()
    }

    /// The same and APIC ids above 254, as `FILE:LINE: warning: what`.
    pub(crate) fn warnings(&self, tables: Option<GpaRange>) -> Vec<String> {
        let found = self.unusual(tables).into_iter().chain(self.file.high_ids());
        let warning = |FileError { line, what }| {
            let error = FileError { line, what: format!("warning: {what}") };
            Failure::in_file(&self.path, error).to_string()
        };
        found.map(warning).collect()
    }

    /// An error of the library at the line of the value that it names.
    pub(crate) fn place(&self, error: acpi_gen::Error) -> Failure {
        Failure::in_file(&self.path, self.file.place(error))
    }
}
