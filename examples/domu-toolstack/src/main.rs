//! A toolstack that creates a PVH guest on Xen with a vNUMA layout: neither xenstored nor
//! libxl nor any other daemon, one static program in the control domain.
//!
//! The guest has no devices. Its output goes to Xen's console by port 0xE9, which Linux
//! uses with `earlyprintk=xen`.

mod contract;
mod domain;
mod entry;
mod failure;
mod guest;
mod host;
mod ids;
mod list;
mod memory;
mod owned;
mod refusals;
mod report;
mod request;
mod run;
mod special;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xen_hypercall::Xen;

use crate::failure::Failure;

/// Create PVH guests with vNUMA layouts on Xen, without a daemon.
#[derive(Parser, Debug)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Create(run::Args),
    Contract(contract::Args),
    /// Print the domains that there are
    List,
}

fn run(command: &Command) -> Result<(), Failure> {
    let xen = Xen::open()?;
    match command {
        Command::Create(args) => run::run(&xen, args),
        Command::Contract(args) => contract::run(&xen, args),
        Command::List => list::run(&xen),
    }
}

fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
