//! `acpi-gen check`: what Linux, Xen and fwts would make of tables.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;

use acpi_gen::check::{Consumer, Finding, Severity, Tables, check};
use acpi_gen::{ApicId, TableSet, dsdt, fadt, madt, slit, srat, xsdt};
use clap::ValueEnum;
use hv_glue_topology::number;
use serde::Serialize;

use crate::failure::Failure;
use crate::table_image::{DEFAULT_BASE, TableImage};
use crate::table_source::Sources;
use crate::topology_file::TopologyFile;
use crate::{Outcome, memory_map, output};

/// Say what Linux, Xen and fwts would make of tables: an `error` where one of them
/// drops a table or a CPU, else a `note`; "no findings" if there are none. Exit status 1
/// for an error.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Tables as for `decode`, or a topology file (.toml)
    #[arg(value_name = "PATH|TOPOLOGY")]
    path: PathBuf,
    /// Memory map to check the SRAT with: a host file (.toml), a log of Linux or Xen, or
    /// a folder such as /sys/firmware/memmap
    #[arg(long, value_name = "FILE")]
    memory_map: Option<PathBuf>,
    /// Who reads the tables
    #[arg(long = "for", value_enum, default_value_t = Reader::All)]
    reader: Reader,
    /// Count unusable ranges as RAM, as Linux 6.12 does in a PVH dom0
    #[arg(long)]
    pvh_dom0: bool,
    /// APIC ID of the CPU that boots; by default a topology's first CPU, and 0 for tables
    #[arg(long, value_name = "ID")]
    boot_apic_id: Option<u32>,
    /// Print JSON instead of lines
    #[arg(long)]
    json: bool,
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
    let mut lines: Vec<Line> = input.remarks().iter().map(Line::remark).collect();
    let mut find = |signature| {
        let (table, remark) = input.find(signature);
        lines.extend(remark.map(Line::remark));
        table
    };
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
        boot_processor: args.boot_apic_id.map(ApicId).or(input.boot_processor()),
        memory_map: memory_map.as_ref().map(|map| map.entries.as_slice()),
        pvh_dom0: args.pvh_dom0,
    };
    if tables.madt.is_none() && tables.srat.is_none() && tables.slit.is_none() {
        let what = "holds no MADT (APIC), SRAT or SLIT: there is nothing to check";
        return Err(Failure::whole_file(&args.path, what));
    }
    lines.extend(memory_map.iter().flat_map(|map| &map.remarks).map(Line::remark));

    let mut good = true;
    let mut scratch = vec![0; tables.scratch_len()];
    for consumer in args.reader.consumers() {
        let report = |finding: Finding| {
            good &= finding.severity != Severity::Error;
            lines.push(finding.into());
        };
        check(&tables, *consumer, &mut scratch, report)
            .map_err(|error| Failure::whole_file(&args.path, error.to_string()))?;
    }
    let text = if args.json {
        output::json(&lines)
    } else if lines.is_empty() {
        "no findings\n".to_owned()
    } else {
        lines.iter().map(|line| format!("{line}\n")).collect()
    };
    Ok(Outcome { text, good, failures: input.problems(), warnings: Vec::new() })
}

/// A finding of a consumer, or a remark on the input.
#[derive(Serialize)]
struct Line {
    severity: String,
    consumer: Option<String>,
    text: String,
}

impl Line {
    /// A remark on what the consumers are given.
    fn remark(text: impl Into<String>) -> Self {
        Self { severity: Severity::Note.to_string(), consumer: None, text: text.into() }
    }
}

impl From<Finding> for Line {
    fn from(finding: Finding) -> Self {
        Self {
            severity: finding.severity.to_string(),
            consumer: Some(finding.consumer.to_string()),
            text: finding.words().to_string(),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.severity)?;
        if let Some(consumer) = &self.consumer {
            write!(f, "{consumer}: ")?;
        }
        f.write_str(&self.text)
    }
}

/// Where the tables come from.
enum Input {
    /// Files.
    Sources(Sources),
    /// The complete set that `emit` would write for a topology.
    Topology {
        image: Box<TableImage>,
        /// APIC ID of its first processor.
        boot_processor: Option<ApicId>,
        /// What is allowed but hardly meant.
        remarks: Vec<String>,
    },
}

/// As [`TableImage`] lists it.
const RSDP: [u8; 4] = *b"RSDP";

impl Input {
    /// The table with this signature that counts, and a remark where there are several.
    fn find(&self, signature: [u8; 4]) -> (Option<&[u8]>, Option<String>) {
        match self {
            Self::Topology { image, .. } => (image.table(signature), None),
            Self::Sources(sources) => {
                let start: &[u8] = if signature == RSDP { b"RSD PTR " } else { &signature };
                let (found, remark) = sources.find(start);
                (found.map(|table| table.bytes.as_slice()), remark)
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

    /// What is to be said of the input itself.
    fn remarks(&self) -> &[String] {
        match self {
            Self::Topology { remarks, .. } => remarks,
            Self::Sources(_) => &[],
        }
    }

    /// The processor that boots, if that is known.
    const fn boot_processor(&self) -> Option<ApicId> {
        match self {
            Self::Topology { boot_processor, .. } => *boot_processor,
            Self::Sources(_) => None,
        }
    }

    fn problems(self) -> Vec<Failure> {
        match self {
            Self::Sources(sources) => sources.problems,
            Self::Topology { .. } => Vec::new(),
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
    let boot_processor = topology.description().processors.first().map(|first| first.apic_id);
    // At the address at which `emit` puts the set.
    let base = number::parse(DEFAULT_BASE).unwrap_or_default();
    let image = TableSet::complete(&topology)
        .and_then(|set| TableImage::new(&set, base))
        .map_err(|error| file.place(error))?;
    let remarks = file.remarks(image.range());
    Ok(Input::Topology { image: Box::new(image), boot_processor, remarks })
}
