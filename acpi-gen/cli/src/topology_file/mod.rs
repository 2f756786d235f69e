//! Topology files: TOML to a machine, with the line of whatever is wrong.

mod distance;
mod ids;
mod interrupts;
mod memory;
mod place;
mod processors;
mod schema;
mod source;

use std::fs;
use std::path::Path;

use acpi_gen::{Entries, Oem, Revisions, Topology};

use crate::failure::Failure;
use crate::machine::Machine;
use source::Source;

pub(crate) use ids::IdScheme;

/// A topology file that was read and whose values have the right form; the
/// rules between values are the library's.
pub(crate) struct TopologyFile {
    source: Source,
    pub(crate) machine: Machine,
    pub(crate) scheme: IdScheme,
    places: place::Places,
}

impl TopologyFile {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = fs::read(path)
            .map_err(|error| Failure::whole_file(path, format!("cannot be read: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let newlines = error.as_bytes().iter().take(valid).filter(|&&b| b == b'\n').count();
            Failure::Input {
                file: path.to_owned(),
                line: newlines.saturating_add(1),
                what: "is not UTF-8, as TOML is".to_owned(),
            }
        })?;
        Self::parse(Source { path: path.to_owned(), text })
    }

    fn parse(source: Source) -> Result<Self, Failure> {
        let file: schema::File = toml::from_str(&source.text).map_err(|error| {
            // Only the first line: the rest of a syntax error draws the place, which the line names.
            let what = error.message().replace('\n', ", ");
            source.fail(&error.span().unwrap_or(0..0), what)
        })?;
        let nodes = processors::nodes(&source, &file.node)?;
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
            io_apics: interrupts.io_apic_spans,
            overrides: interrupts.override_spans,
            nmis: interrupts.nmi_spans,
        };
        Ok(Self { source, machine, scheme: cpus.scheme, places })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.source.path
    }

    /// The machine, checked by the library's rules.
    pub(crate) fn topology(&self) -> Result<Topology<'_>, Failure> {
        self.machine.topology().map_err(|error| self.place(error))
    }

    /// An error of the library at the line of the value that it names.
    pub(crate) fn place(&self, error: acpi_gen::Error) -> Failure {
        let span = self.places.of(&self.machine, error);
        let mut what = error.to_string();
        if let Some(other) = self.places.other(&self.machine, error) {
            what = format!("{what} (line {})", self.source.line(&other));
        }
        self.source.fail(&span, what)
    }
}

fn oem(source: &Source, oem: &schema::Oem) -> Result<Oem, Failure> {
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
) -> Result<[u8; N], Failure> {
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
