//! `acpi-gen check`: what Linux, Xen and fwts would make of tables.

use std::collections::HashSet;
use std::fmt::Write;
use std::path::PathBuf;

use acpi_gen::check::{Consumer, Severity, Tables, check};
use acpi_gen::{TableSet, dsdt, fadt, madt, slit, srat, xsdt};
use clap::ValueEnum;

use crate::failure::Failure;
use crate::table_image::TableImage;
use crate::table_source::Sources;
use crate::topology_file::TopologyFile;
use crate::{Outcome, memory_map};

/// Say what Linux, Xen and fwts would make of tables: an `error` where one of them
/// drops a table or a CPU, else a `note`. Exit status 1 for an error.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Tables as for `decode`, or a topology file (.toml)
    #[arg(value_name = "PATH|TOPOLOGY")]
    path: PathBuf,
    /// Memory map to hold the SRAT against: a host file (.toml), a file with dmesg's
    /// BIOS-e820 lines, or a folder such as /sys/firmware/memmap
    #[arg(long, value_name = "FILE")]
    memory_map: Option<PathBuf>,
    /// Who reads the tables
    #[arg(long = "for", value_enum, default_value_t = Reader::All)]
    reader: Reader,
    /// Count unusable ranges as RAM, as Linux 6.12 does in a PVH dom0
    #[arg(long)]
    pvh_dom0: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Reader {
    Linux,
    Xen,
    Fwts,
    All,
}

impl Reader {
    const fn consumers(self) -> &'static [Consumer] {
        match self {
            Self::Linux => &[Consumer::Linux],
            Self::Xen => &[Consumer::Xen],
            Self::Fwts => &[Consumer::Fwts],
            Self::All => &Consumer::ALL,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let memory_map = args.memory_map.as_deref().map(memory_map::read).transpose()?;
    let input = read(args)?;
    let find = |signature| input.find(signature);
    let repeated = input.repeated();
    let tables = Tables {
        rsdp: find(RSDP),
        xsdt: find(xsdt::SIGNATURE),
        fadt: find(fadt::SIGNATURE),
        dsdt: find(dsdt::SIGNATURE),
        madt: find(madt::SIGNATURE),
        srat: find(srat::SIGNATURE),
        slit: find(slit::SIGNATURE),
        repeated: &repeated,
        memory_map: memory_map.as_deref(),
        pvh_dom0: args.pvh_dom0,
    };
    if tables.madt.is_none() && tables.srat.is_none() && tables.slit.is_none() {
        let what = "holds no MADT (APIC), SRAT or SLIT: there is nothing to check";
        return Err(Failure::whole_file(&args.path, what));
    }

    let mut text = String::new();
    let mut good = true;
    let mut scratch = vec![0; tables.scratch_len()];
    for consumer in args.reader.consumers() {
        let report = |finding: acpi_gen::check::Finding| {
            good &= finding.severity != Severity::Error;
            let _infallible = writeln!(text, "{finding}");
        };
        check(&tables, *consumer, &mut scratch, report)
            .map_err(|error| Failure::whole_file(&args.path, error.to_string()))?;
    }
    Ok(Outcome { text, good, failures: input.problems() })
}

/// Where the tables come from.
enum Input {
    /// Files.
    Sources(Sources),
    /// The complete set that `emit` would write for a topology.
    Topology(Box<TableImage>),
}

/// As [`TableImage`] lists it.
const RSDP: [u8; 4] = *b"RSDP";

impl Input {
    /// The first table with this signature.
    fn find(&self, signature: [u8; 4]) -> Option<&[u8]> {
        match self {
            Self::Topology(image) => image.table(signature),
            Self::Sources(sources) => {
                let start: &[u8] = if signature == RSDP { b"RSD PTR " } else { &signature };
                let found = sources.tables.iter().find(|table| table.bytes.starts_with(start));
                found.map(|table| table.bytes.as_slice())
            }
        }
    }

    /// Signatures of the tables that are there more than once.
    fn repeated(&self) -> Vec<[u8; 4]> {
        let Self::Sources(sources) = self else { return Vec::new() };
        let signatures = sources.tables.iter().filter_map(|table| table.bytes.first_chunk());
        let mut seen = HashSet::new();
        signatures.copied().filter(|signature| !seen.insert(*signature)).collect()
    }

    fn problems(self) -> Vec<Failure> {
        match self {
            Self::Sources(sources) => sources.problems,
            Self::Topology(_) => Vec::new(),
        }
    }
}

fn read(args: &Args) -> Result<Input, Failure> {
    if args.path.extension().is_none_or(|extension| extension != "toml") {
        let mut sources = Sources::default();
        sources.add(&args.path, None)?;
        return Ok(Input::Sources(sources));
    }
    let file = TopologyFile::read(&args.path)?;
    let topology = file.topology()?;
    TableSet::complete(&topology)
        .and_then(|set| TableImage::new(&set, 0))
        .map(|image| Input::Topology(Box::new(image)))
        .map_err(|error| file.place(error))
}
