//! `acpi-gen`: vNUMA ACPI tables from a topology description, and back. The
//! program is [`execute`] over its command line; tests and fuzzers call it, too.
//!
//! One module for each subcommand: it has the arguments and a `run` that gives
//! the text for standard output.

mod acpidump;
mod check;
mod cpio;
mod decode;
mod emit;
mod failure;
mod host_file;
mod import;
mod initrd;
mod input;
mod memory_dump;
mod memory_map;
mod output;
mod plan;
mod summary;
mod table_files;
mod table_image;
mod table_source;
mod text_table;
mod topology_file;

use std::ffi::OsString;

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
    Check(check::Args),
    Import(import::Args),
    Initrd(initrd::Args),
    Plan(plan::Args),
}

/// What a subcommand has to say where it did its work.
struct Outcome {
    /// Text for standard output.
    text: String,
    /// False where `check` found an error.
    good: bool,
    /// What of the input could not be read, beside what could.
    failures: Vec<Failure>,
    /// Lines for standard error that do not change the status.
    warnings: Vec<String>,
}

impl Outcome {
    const fn good(text: String) -> Self {
        Self { text, good: true, failures: Vec::new(), warnings: Vec::new() }
    }
}

fn run(command: &Command) -> Result<Outcome, Failure> {
    match command {
        Command::Emit(args) => emit::run(args),
        Command::Decode(args) => decode::run(args),
        Command::Check(args) => check::run(args),
        Command::Import(args) => import::run(args).map(Outcome::good),
        Command::Initrd(args) => initrd::run(args).map(Outcome::good),
        Command::Plan(args) => plan::run(args).map(Outcome::good),
    }
}

/// Warnings, then what could not be read, a line each.
fn stderr(outcome: &Outcome) -> String {
    let warnings = outcome.warnings.iter().map(|warning| format!("{warning}\n"));
    let failures = outcome.failures.iter().map(|failure| format!("{failure}\n"));
    warnings.chain(failures).collect()
}

/// What a command line came to.
#[derive(Debug)]
pub struct Done {
    /// Text for standard output.
    pub stdout: String,
    /// Lines for standard error.
    pub stderr: String,
    /// Exit status: 0 done, 1 an error in the input or an error finding, 2 usage.
    pub status: u8,
}

/// Runs a command line, the program's name first, without a process of its own.
pub fn execute<T: Into<OsString> + Clone>(line: impl IntoIterator<Item = T>) -> Done {
    let command = match Cli::try_parse_from(line) {
        Ok(cli) => cli.command,
        Err(error) => {
            let text = error.to_string();
            // `--help` and `--version` come as errors, too.
            return if error.use_stderr() {
                Done { stdout: String::new(), stderr: text, status: 2 }
            } else {
                Done { stdout: text, stderr: String::new(), status: 0 }
            };
        }
    };
    match run(&command) {
        Ok(outcome) => Done {
            stderr: stderr(&outcome),
            stdout: outcome.text,
            status: u8::from(!outcome.good || !outcome.failures.is_empty()),
        },
        Err(failure) => {
            Done { stdout: String::new(), stderr: format!("{failure}\n"), status: failure.status() }
        }
    }
}
