//! `acpi-gen initrd`: a topology's tables as an archive in front of an initrd,
//! with which Linux replaces the machine's own (CONFIG_ACPI_TABLE_UPGRADE).

use std::path::{Path, PathBuf};

use acpi_gen::{Error, Madt, Oem, Table, madt, slit, srat};
use hv_glue_topology::Machine;

use crate::cpio::Archive;
use crate::failure::Failure;
use crate::text_table::{Align, TextTable};
use crate::topology_file::TopologyFile;
use crate::{output, table_files};

/// Where Linux looks for tables in the archive.
const FOLDER: &str = "kernel/firmware/acpi";

/// Write a cpio archive with MADT, SRAT and SLIT for Linux's ACPI override; put it
/// in front of the initrd: `cat FILE initrd.img`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Topology file (TOML)
    topology: PathBuf,
    /// Archive to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Folder with the machine's own tables, such as a copy of /sys/firmware/acpi/tables:
    /// Linux replaces a table only by one with the same OEM ids and a higher revision
    #[arg(long, value_name = "DIR")]
    machine: Option<PathBuf>,
}

/// A table of the archive.
struct Replacement {
    path: String,
    signature: String,
    oem: Oem,
    /// The OEM revision that the machine's table has.
    replaces: Option<u32>,
    length: usize,
}

pub(crate) fn run(args: &Args) -> Result<String, Failure> {
    let file = TopologyFile::read(&args.topology)?;
    // The file's own errors first: later ones come of the machine's tables.
    file.topology()?;
    let dump = args.machine.as_deref().map(table_files::folder).transpose()?;

    let mut machine = file.machine().clone();
    let mut madt_of = None;
    if let (Some(dump), Some(folder)) = (&dump, &args.machine) {
        let Some((path, table)) = table_files::find(dump, madt::SIGNATURE)? else {
            return Err(Failure::whole_file(
                folder,
                "has no MADT (signature APIC), whose I/O APICs are needed",
            ));
        };
        Madt::parse(table.bytes())
            .map_err(|error| error.to_string())
            .and_then(|madt| machine.take_interrupts_of(&madt))
            .map_err(|what| Failure::whole_file(path, what))?;
        madt_of = Some(path);
    }

    let mut archive = Archive::default();
    let mut replacements = Vec::new();
    for signature in [madt::SIGNATURE, srat::SIGNATURE, slit::SIGNATURE] {
        let original = match &dump {
            Some(dump) => table_files::find(dump, signature)?,
            None => None,
        };
        machine.oem = match &original {
            Some((path, table)) => oem_above(path, table)?,
            None => file.machine().oem,
        };
        let bytes = table_bytes(&machine, signature).map_err(|error| match madt_of {
            // The topology alone was fine.
            Some(path) => Failure::whole_file(path, format!("does not fit the topology: {error}")),
            None => file.place(error),
        })?;
        let name = signature.escape_ascii().to_string();
        let path = format!("{FOLDER}/{}.aml", name.to_lowercase());
        archive.add(&path, &bytes).ok_or_else(|| {
            Failure::whole_file(&args.out, format!("{name} passes 4 GiB, a cpio archive's limit"))
        })?;
        replacements.push(Replacement {
            path,
            signature: name,
            oem: machine.oem,
            replaces: original.map(|(_, table)| table.oem().revision),
            length: bytes.len(),
        });
    }
    output::write_one(&args.out, &archive.finish())?;
    Ok(human_readable(&args.out, &replacements))
}

fn table_bytes(machine: &Machine, signature: [u8; 4]) -> Result<Vec<u8>, Error> {
    let topology = machine.topology()?;
    let mut bytes = vec![
        0;
        match signature {
            madt::SIGNATURE => madt::len(&topology)?,
            srat::SIGNATURE => srat::len(&topology)?,
            _ => slit::len(&topology)?,
        }
    ];
    match signature {
        madt::SIGNATURE => madt::emit(&topology, &mut bytes)?,
        srat::SIGNATURE => srat::emit(&topology, &mut bytes)?,
        _ => slit::emit(&topology, &mut bytes)?,
    };
    Ok(bytes)
}

/// The ids of a machine's table with the next revision.
fn oem_above(path: &Path, table: &Table<'_>) -> Result<Oem, Failure> {
    let oem = table.oem();
    let revision = oem.revision.checked_add(1).ok_or_else(|| {
        let what = "OEM revision 0xffffffff is the highest: Linux replaces only by a higher one";
        Failure::whole_file(path, what)
    })?;
    Ok(Oem { revision, ..oem })
}

fn human_readable(out: &Path, replacements: &[Replacement]) -> String {
    let mut table = TextTable::new([
        ("table", Align::Left),
        ("OEM id", Align::Left),
        ("OEM table id", Align::Left),
        ("OEM revision", Align::Right),
        ("replaces", Align::Right),
        ("bytes", Align::Right),
        ("path", Align::Left),
    ]);
    for replacement in replacements {
        table.row([
            replacement.signature.clone(),
            oem_text(&replacement.oem.id),
            oem_text(&replacement.oem.table_id),
            replacement.oem.revision.to_string(),
            replacement.replaces.map_or_else(|| "none".to_owned(), |revision| revision.to_string()),
            replacement.length.to_string(),
            replacement.path.clone(),
        ]);
    }
    let mut text = format!("written to {}\n", out.display());
    text.push_str(&table.render());
    text
}

/// An OEM field without its padding.
fn oem_text(field: &[u8]) -> String {
    field.trim_ascii_end().escape_ascii().to_string().replace("\\x00", "")
}
