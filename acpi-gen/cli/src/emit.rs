//! `acpi-gen emit`: the tables of a topology as files.

use std::fmt::Write;
use std::path::PathBuf;

use acpi_gen::{Error, Gpa, PlacedTable, Revisions, Slit, TableSet, Topology, slit};
use acpi_gen_topology::{IdScheme, number};
use serde::Serialize;

use crate::failure::Failure;
use crate::text_table::{Align, TextTable};
use crate::topology_file::TopologyFile;
use crate::{output, summary};

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
    #[arg(long, value_name = "ADDR", default_value = "0xFC000000", value_parser = number::parse)]
    base: u64,
    /// Also FADT, FACS and DSDT: the complete set of a PVH guest
    #[arg(long)]
    complete: bool,
    /// Print JSON instead of tables for people
    #[arg(long)]
    json: bool,
}

/// The whole set as it lies in memory.
const IMAGE: &str = "tables.bin";

/// One file in the folder.
#[derive(Serialize)]
struct File {
    /// Relative to the folder.
    path: String,
    /// None for the whole set.
    signature: Option<String>,
    length: usize,
    #[serde(skip)]
    address: u64,
}

#[derive(Serialize)]
struct Vcpu {
    vcpu: u32,
    /// Known only where a hypervisor's plan says it.
    pcpu: Option<u32>,
    apic_id: u32,
    pxm: Option<u32>,
    /// Known only where a hypervisor's plan says it.
    pnode: Option<u32>,
}

#[derive(Serialize)]
struct Json<'a> {
    vcpus: Vec<Vcpu>,
    slit: Vec<&'a [u8]>,
    files: &'a [File],
}

pub(crate) fn run(args: &Args) -> Result<String, Failure> {
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
    let mut image = vec![0; set.len().map_err(failure)?];
    let placed = set.emit(&mut image, Gpa(args.base)).map_err(failure)?;

    let mut files: Vec<File> = placed.tables().iter().map(table_file).collect();
    files.push(File {
        path: IMAGE.to_owned(),
        signature: None,
        length: image.len(),
        address: placed.base().0,
    });
    let tables = placed.tables().iter().map(|table| bytes_of(&image, table));
    let contents: Vec<(&str, &[u8])> =
        files.iter().map(|file| file.path.as_str()).zip(tables.chain([image.as_slice()])).collect();
    let slit = placed.table(slit::SIGNATURE).and_then(|t| Slit::parse(bytes_of(&image, t)).ok());

    let text = if args.json {
        json(&topology, slit.as_ref(), &files)
    } else {
        people(&file, &topology, slit.as_ref(), &files, args)
    };
    output::write_all(&args.out, &contents)?;
    Ok(text)
}

fn bytes_of<'a>(image: &'a [u8], table: &PlacedTable) -> &'a [u8] {
    image.get(table.offset..table.offset.saturating_add(table.len)).unwrap_or_default()
}

fn table_file(table: &PlacedTable) -> File {
    let name = table.signature.escape_ascii().to_string();
    // The one signature of eight characters.
    let signature = if name == "RSDP" { "RSD PTR ".to_owned() } else { name.clone() };
    File {
        path: format!("{}.dat", name.to_lowercase()),
        signature: Some(signature),
        length: table.len,
        address: table.address.0,
    }
}

fn json(topology: &Topology<'_>, slit: Option<&Slit<'_>>, files: &[File]) -> String {
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
    let slit = slit.map(|slit| slit.rows().collect()).unwrap_or_default();
    crate::output::json(&Json { vcpus, slit, files })
}

fn people(
    file: &TopologyFile,
    topology: &Topology<'_>,
    slit: Option<&Slit<'_>>,
    files: &[File],
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
        IdScheme::Package { stride } => format!("package encoding, stride {stride}"),
        IdScheme::Legacy => "legacy, 2 * vCPU".to_owned(),
        IdScheme::Explicit => "explicit".to_owned(),
    };
    let mut out = format!(
        "{}: {version}{} on {}\nAPIC ids: {scheme}, highest {highest}\n\n",
        file.path().display(),
        summary::counted(processors, "vCPU"),
        summary::counted(domains, "node"),
    );
    out.push_str(&summary::machine(topology, slit));
    let mut table = TextTable::new([
        ("file", Align::Left),
        ("table", Align::Left),
        ("bytes", Align::Right),
        ("address", Align::Left),
    ]);
    for file in files {
        let signature = file.signature.as_deref().unwrap_or("all of them");
        table.row([
            file.path.clone(),
            signature.trim_end().to_owned(),
            file.length.to_string(),
            format!("{:#x}", file.address),
        ]);
    }
    let _infallible = write!(out, "\nwritten to {}\n{}", args.out.display(), table.render());
    out
}
