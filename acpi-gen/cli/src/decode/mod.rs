//! `acpi-gen decode`: what tables hold.

mod content;
mod text;

use std::path::PathBuf;

use acpi_gen::KnownTable;
use hv_glue_topology::number;

use crate::failure::Failure;
use crate::table_source::Sources;
use crate::{Outcome, output};

/// Show what ACPI tables hold: of files, of folders such as /sys/firmware/acpi/tables,
/// and of files with a whole set as it lies in memory.
#[derive(clap::Args)]
#[command(after_help = known_tables())]
pub(crate) struct Args {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print JSON instead of human-readable text
    #[arg(long)]
    json: bool,
    /// Address of a set's first byte; by default what makes the RSDP's XSDT address fit
    #[arg(long, value_name = "ADDR", value_parser = number::parse)]
    base: Option<u64>,
}

/// The tables of which more than the header is shown.
fn known_tables() -> String {
    let signatures = KnownTable::ALL.map(|table| table.signature().escape_ascii().to_string());
    format!("Content is shown of {}; of other tables the header.", signatures.join(", "))
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let mut sources = Sources::default();
    for path in &args.paths {
        sources.add(path, args.base)?;
    }
    let tables: Vec<_> = sources.tables.iter().map(content::decode).collect();
    let mut failures = sources.problems;
    for table in &tables {
        let of_table = table.errors.iter().map(|error| Failure::whole_file(&table.file, error));
        failures.extend(of_table);
    }
    let text = if args.json { output::json(&tables) } else { text::render(&tables) };
    Ok(Outcome { failures, ..Outcome::good(text) })
}
