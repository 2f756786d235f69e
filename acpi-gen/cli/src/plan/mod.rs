//! `acpi-gen plan`: what a vNUMA dom0 gets on a host.

mod dom0;
mod json;
mod text;

use std::path::PathBuf;

use hv_glue_topology::number;

use crate::failure::Failure;
use crate::host_file::HostFile;
use crate::table_image;
use dom0::Plan;

/// Plan a dom0 on a host: whether it gets vNUMA and why not, its APIC ids, memory
/// map and pages by node, and its tables.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Host file (TOML)
    host: PathBuf,
    /// Folder for the tables; made where it is missing
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print JSON instead of human-readable output
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<String, Failure> {
    let host = HostFile::read(&args.host)?;
    let mut arena = host.arena();
    let mut plan = Plan::new(&host, arena.slices())?;
    let base = number::parse(table_image::DEFAULT_BASE).map_err(Failure::Usage)?;
    let tables = plan.tables(&host, base)?;
    let text = if args.json {
        json::render(&host, &plan, &tables.image)
    } else {
        text::render(&host, &plan, &tables, args.out.as_deref())
    };
    if let Some(out) = &args.out {
        tables.image.write(out)?;
    }
    Ok(text)
}
