//! `acpi-gen`: vNUMA ACPI tables from a topology description, and back.
//!
//! One module for each subcommand: it has the arguments and a `run` that gives
//! the text for standard output.

mod blob;
mod cpio;
mod decode;
mod emit;
mod failure;
mod initrd;
mod output;
mod summary;
mod table_files;
mod table_source;
mod text_table;
mod topology_file;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;

/// vNUMA firmware tables for hypervisors: from a topology description to ACPI tables, and back.
#[derive(Parser)]
#[command(name = "acpi-gen", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Emit(emit::Args),
    Decode(decode::Args),
    Initrd(initrd::Args),
}

/// What a subcommand has to say where it did its work.
struct Outcome {
    /// Text for standard output.
    text: String,
    /// False where `check` found an error.
    good: bool,
    /// What of the input could not be read, beside what could.
    failures: Vec<Failure>,
}

impl Outcome {
    const fn good(text: String) -> Self {
        Self { text, good: true, failures: Vec::new() }
    }
}

fn run(command: &Command) -> Result<Outcome, Failure> {
    match command {
        Command::Emit(args) => emit::run(args).map(Outcome::good),
        Command::Decode(args) => decode::run(args),
        Command::Initrd(args) => initrd::run(args).map(Outcome::good),
    }
}

fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(outcome) => {
            // A reader that went away (`| head`) is no failure of ours.
            let _closed = std::io::stdout().write_all(outcome.text.as_bytes());
            for failure in &outcome.failures {
                let _closed = writeln!(std::io::stderr(), "{failure}");
            }
            if outcome.good && outcome.failures.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(1)
            }
        }
        Err(failure) => {
            let _closed = writeln!(std::io::stderr(), "{failure}");
            failure.exit_code()
        }
    }
}
