//! `acpi-gen emit`: the tables of a topology as files.

use std::fmt::Write;
use std::path::PathBuf;

use acpi_gen::{Error, Revisions, TableSet, Topology};
use hv_glue_topology::{IdScheme, number};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::Vcpu;
use crate::table_image::{self, File, TableImage};
use crate::topology_file::TopologyFile;
use crate::{Outcome, output, summary};

/// Write a topology's ACPI tables: one file for each table, and tables.bin with
/// the whole set as it lies in memory.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Topology file (TOML)
    topology: PathBuf,
    /// Folder for the tables; made where it is missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Guest physical address that the set is for
    #[arg(long, value_name = "ADDR", default_value = table_image::DEFAULT_BASE, value_parser = number::parse)]
    base: u64,
    /// Also FADT, FACS and DSDT: the complete set of a PVH guest
    #[arg(long)]
    complete: bool,
    /// Print JSON instead of human-readable tables
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Json<'a> {
    vcpus: Vec<Vcpu>,
    slit: Vec<&'a [u8]>,
    files: &'a [File],
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let file = TopologyFile::read(&args.topology)?;
    let topology = file.topology()?;
    let failure = |error| match error {
        Error::BaseMisaligned { .. } | Error::RangePastEnd { .. } => {
            Failure::Usage(format!("--base {:#x}: {error}", args.base))
        }
        other => file.place(other),
    };
    let set = if args.complete {
        TableSet::complete(&topology).map_err(failure)?
    } else {
        TableSet::new(&topology)
    };
    let image = TableImage::new(&set, args.base).map_err(failure)?;
    let text = if args.json {
        json(&topology, &image)
    } else {
        human_readable(&file, &topology, &image, args)
    };
    image.write(&args.out)?;
    Ok(Outcome { warnings: file.warnings(image.range()), ..Outcome::good(text) })
}

fn json(topology: &Topology<'_>, image: &TableImage) -> String {
    let vcpus = topology
        .description()
        .processors
        .iter()
        .map(|processor| Vcpu {
            vcpu: processor.uid.0,
            pcpu: None,
            apic_id: processor.apic_id.0,
            pxm: processor.domain.map(|domain| domain.0),
            pnode: None,
        })
        .collect();
    let slit = image.slit();
    let slit = slit.map(|slit| slit.rows().collect()).unwrap_or_default();
    output::json(&Json { vcpus, slit, files: image.files() })
}

fn human_readable(
    file: &TopologyFile,
    topology: &Topology<'_>,
    image: &TableImage,
    args: &Args,
) -> String {
    let description = topology.description();
    let processors = description.processors.len();
    let domains = summary::domains(topology).len();
    let highest = description.processors.iter().map(|p| p.apic_id.0).max().unwrap_or(0);
    let version = match description.revisions {
        Revisions::Acpi(version) => format!("ACPI 6.{}, ", version.minor()),
        Revisions::MadtOf(_) => String::new(),
    };
    let scheme = match file.scheme() {
        IdScheme::Package { dense, stride } => {
            let numbering = if dense { "dense" } else { "pxm" };
            format!("package encoding, numbering {numbering}, stride {stride}")
        }
        IdScheme::Legacy => "legacy, 2 * vCPU".to_owned(),
        IdScheme::Explicit => "explicit".to_owned(),
    };
    let mut out = format!(
        "{}: {version}{} on {}\nAPIC ids: {scheme}, highest {highest}\n\n",
        file.path().display(),
        summary::counted(processors, "vCPU"),
        summary::counted(domains, "node"),
    );
    out.push_str(&summary::machine(topology, image.slit().as_ref()));
    let _infallible = write!(out, "\nwritten to {}\n{}", args.out.display(), image.render());
    out
}
