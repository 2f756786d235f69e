//! `acpi-gen check`: what Linux, Xen and fwts would make of tables.

use std::fmt::Write;
use std::path::PathBuf;

use acpi_gen::check::{Consumer, Severity, Tables, check};
use acpi_gen::{Gpa, TableSet, fadt, madt, slit, srat, xsdt};
use clap::ValueEnum;

use crate::failure::Failure;
use crate::table_source::{Source, Sources};
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
    let mut sources = Sources::default();
    if args.path.extension().is_some_and(|extension| extension == "toml") {
        sources.tables = of_topology(args)?;
    } else {
        sources.add(&args.path, None)?;
    }
    let find = |signature: &[u8]| {
        let found = sources.tables.iter().find(|table| table.bytes.starts_with(signature));
        found.map(|table| table.bytes.as_slice())
    };
    let tables = Tables {
        rsdp: find(b"RSD PTR "),
        xsdt: find(&xsdt::SIGNATURE),
        fadt: find(&fadt::SIGNATURE),
        madt: find(&madt::SIGNATURE),
        srat: find(&srat::SIGNATURE),
        slit: find(&slit::SIGNATURE),
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
    Ok(Outcome { text, good, failures: sources.problems })
}

/// The complete set that `emit` would write.
fn of_topology(args: &Args) -> Result<Vec<Source>, Failure> {
    let file = TopologyFile::read(&args.path)?;
    let topology = file.topology()?;
    let set = TableSet::complete(&topology).map_err(|error| file.place(error))?;
    let mut image = vec![0; set.len().map_err(|error| file.place(error))?];
    let placed = set.emit(&mut image, Gpa(0)).map_err(|error| file.place(error))?;
    let source = |table: &acpi_gen::PlacedTable| {
        let range = table.offset..table.offset.saturating_add(table.len);
        Source {
            file: args.path.clone(),
            address: Some(table.address.0),
            bytes: image.get(range).unwrap_or_default().to_vec(),
        }
    };
    Ok(placed.tables().iter().map(source).collect())
}
