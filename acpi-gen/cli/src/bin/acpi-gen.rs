//! The program `acpi-gen`.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let done = acpi_gen_cli::execute(std::env::args_os());
    // A reader that went away (`| head`) is no failure of ours.
    let _closed = std::io::stdout().write_all(done.stdout.as_bytes());
    let _closed = std::io::stderr().write_all(done.stderr.as_bytes());
    ExitCode::from(done.status)
}
