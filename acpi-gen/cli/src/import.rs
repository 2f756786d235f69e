//! `acpi-gen import`: a guest of xl's as a topology.

use std::path::PathBuf;

use acpi_gen_topology::{TopologyFile, XlConfig};

use crate::failure::Failure;
use crate::input;

/// Print the topology of an xl configuration: its vnuma, vcpus, maxvcpus, memory,
/// maxmem and cpus, as in xl.cfg(5).
#[derive(clap::Args)]
pub(crate) struct Args {
    /// xl's configuration file
    config: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<String, Failure> {
    let bytes = input::file(&args.config)?;
    let at_line = |error| Failure::in_file(&args.config, error);
    let text =
        XlConfig::parse(&bytes).and_then(|config| config.topology_text()).map_err(at_line)?;
    // What is printed is a topology that every other subcommand takes.
    TopologyFile::parse(text.as_bytes()).map_err(at_line)?.topology().map_err(at_line)?;
    Ok(text)
}
