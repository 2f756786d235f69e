//! `acpi-gen import`: a guest of xl's as a topology.

use std::path::PathBuf;

use hv_glue_topology::{FileError, TopologyFile, XlConfig};

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
    // What is printed is a topology that every other subcommand takes; its lines
    // are not those of the configuration, which an error concerns as a whole.
    let whole = |error: FileError| Failure::whole_file(&args.config, error.what);
    TopologyFile::parse(text.as_bytes()).map_err(whole)?.topology().map_err(whole)?;
    Ok(text)
}
