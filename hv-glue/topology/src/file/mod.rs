//! Topology files: TOML to a machine, with the line of whatever is wrong.

use alloc::format;

mod distance;
mod ids;
mod interrupts;
mod memory;
mod nodes;
mod place;
mod processors;
mod remarks;
mod schema;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use acpi_gen::{Entries, GpaRange, Oem, Revisions, Topology};

use crate::source::Source;
use crate::{FileError, Machine};

pub use ids::IdScheme;

/// A topology file that was read and whose values have the right form; the
/// rules between values are the library's.
pub struct TopologyFile {
    source: Source,
    /// What the file describes.
    pub machine: Machine,
    /// How the APIC ids came about.
    pub scheme: IdScheme,
    places: place::Places,
}

impl TopologyFile {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// The first value with a wrong form, and its line.
    pub fn parse(bytes: &[u8]) -> Result<Self, FileError> {
        let source = Source::new(bytes)?;
        let file: schema::File = source.toml()?;
        let nodes = nodes::nodes(&source, &file.node)?;
        let cpus = processors::read(&source, &file.apic, &file.node, &nodes)?;
        let (memory, memory_spans) = memory::read(&source, &file.node, &nodes)?;
        let distances = distance::read(&source, &file.distance, &nodes)?;
        let interrupts = interrupts::read(&source, &file)?;
        let entries = file.apic.entries.as_ref();
        let machine = Machine {
            processors: cpus.processors,
            memory,
            domains: distances.domains,
            distances: distances.matrix,
            io_apics: interrupts.io_apics,
            overrides: interrupts.overrides,
            nmis: interrupts.nmis,
            entries: match entries.map(toml::Spanned::get_ref) {
                None | Some(schema::Entries::X2apic) => Entries::X2Apic,
                Some(schema::Entries::Hybrid) => Entries::Hybrid,
            },
            revisions: Revisions::Acpi(file.acpi.0),
            pcat_compat: false,
            oem: oem(&source, &file.oem)?,
        };
        let places = place::Places {
            nodes,
            processors: cpus.spans,
            memory: memory_spans,
            distances: distances.spans,
            clamped: distances.clamped,
            io_apics: interrupts.io_apic_spans,
            overrides: interrupts.override_spans,
            nmis: interrupts.nmi_spans,
        };
        Ok(Self { source, machine, scheme: cpus.scheme, places })
    }

    /// What the file may have but is hardly meant, by line.
    #[must_use]
    pub fn remarks(&self) -> Vec<FileError> {
        remarks::all(&self.source, &self.machine, &self.places)
    }

    /// The first CPU whose id is above those of xAPIC mode, and how many there are.
    #[must_use]
    pub fn high_ids(&self) -> Option<FileError> {
        let (span, what) = remarks::high_ids(&self.machine, &self.places)?;
        Some(self.source.fail(&span, what))
    }

    /// The line of RAM in these addresses, where the tables will be.
    #[must_use]
    pub fn ram_under_tables(&self, tables: GpaRange) -> Option<FileError> {
        let (memory, span) = remarks::over(&self.machine, &self.places, tables)?;
        let what = format!(
            "memory {} is RAM where the tables are, {tables}: the memory map must not give it away",
            memory.range
        );
        Some(self.source.fail(&span, what))
    }

    /// The machine, checked by the library's rules.
    ///
    /// # Errors
    /// The library's error at the line of the value that it names.
    pub fn topology(&self) -> Result<Topology<'_>, FileError> {
        self.machine.topology().map_err(|error| self.place(error))
    }

    /// An error of the library at the line of the value that it names.
    #[must_use]
    pub fn place(&self, error: acpi_gen::Error) -> FileError {
        let span = self.places.of(&self.machine, error);
        let mut what = error.to_string();
        if let Some(other) = self.places.other(&self.machine, error) {
            what = format!("{what} (line {})", self.source.line(&other));
        }
        self.source.fail(&span, what)
    }
}

fn oem(source: &Source, oem: &schema::Oem) -> Result<Oem, FileError> {
    let mut fields = Oem::DEFAULT;
    if let Some(id) = &oem.id {
        fields.id = padded(source, "OEM id", id)?;
    }
    if let Some(table_id) = &oem.table_id {
        fields.table_id = padded(source, "OEM table id", table_id)?;
    }
    if let Some(revision) = &oem.revision {
        fields.revision = source.narrow("OEM revision", revision)?;
    }
    Ok(fields)
}

/// A text field of a table header, padded with NUL as the defaults are.
fn padded<const N: usize>(
    source: &Source,
    name: &str,
    text: &toml::Spanned<String>,
) -> Result<[u8; N], FileError> {
    let bytes = text.get_ref().as_bytes();
    let printable = bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    let mut field = [0; N];
    match field.get_mut(..bytes.len()) {
        Some(start) if printable && !bytes.is_empty() => start.copy_from_slice(bytes),
        _ => {
            let what = format!(
                "{name} {:?}: 1 to {N} printable ASCII characters are right",
                text.get_ref()
            );
            return Err(source.fail(&text.span(), what));
        }
    }
    Ok(field)
}
