//! Memory maps in three forms: a host file, the lines of a kernel's log, or
//! /sys/firmware/memmap.

use std::path::Path;

use acpi_gen::{E820Entry, E820Type, Gpa, GpaRange};
use hv_glue_topology::number;

use crate::failure::Failure;
use crate::host_file::HostFile;
use crate::input;

/// What precedes a line of the firmware's map in Linux's log.
const LOG_LINE: &str = "BIOS-e820: [mem ";

/// Reads a map in whichever of the three forms it is.
pub(crate) fn read(path: &Path) -> Result<Vec<E820Entry>, Failure> {
    if path.is_dir() {
        return memmap(path);
    }
    if path.extension().is_some_and(|extension| extension == "toml") {
        return Ok(HostFile::read(path)?.map);
    }
    log(path)
}

/// Linux's names for the types, in its log (7.x has its own, behind two spaces) and in
/// sysfs (arch/x86/kernel/e820.c).
fn kind(name: &str) -> E820Type {
    match name {
        "usable" | "System RAM" => E820Type::RAM,
        "ACPI data" | "ACPI Tables" => E820Type::ACPI,
        "ACPI NVS" | "ACPI Non-volatile Storage" => E820Type::NVS,
        "unusable" | "Unusable memory" => E820Type::UNUSABLE,
        _ => E820Type::RESERVED,
    }
}

/// A range whose last byte is named, as Linux prints them.
fn inclusive(first: &str, last: &str) -> Result<GpaRange, String> {
    let (start, last) = (number::parse(first)?, number::parse(last)?);
    // Firmware may reserve up to the last address of all; no RAM is there.
    let end = last.saturating_add(1);
    GpaRange::new(Gpa(start), Gpa(end)).map_err(|error| error.to_string())
}

fn log(path: &Path) -> Result<Vec<E820Entry>, Failure> {
    let bytes = input::file(path)?;
    let mut map = Vec::new();
    for (line, text) in (1..).zip(String::from_utf8_lossy(&bytes).lines()) {
        let Some((_, entry)) = text.split_once(LOG_LINE) else { continue };
        let parts = entry.split_once("] ").and_then(|(range, name)| {
            let (first, last) = range.split_once('-')?;
            Some((first, last, name))
        });
        let range = match parts {
            Some((first, last, name)) => inclusive(first, last).map(|range| (range, name)),
            None => Err("\"[mem first-last] type\" is right behind BIOS-e820".to_owned()),
        };
        let (range, name) =
            range.map_err(|what| Failure::Input { file: path.to_owned(), line, what })?;
        map.push(E820Entry { range, kind: kind(name.trim()) });
    }
    if map.is_empty() {
        let what = "has no line with BIOS-e820; the log of a boot is right, \
                    or a host file (.toml), or a folder such as /sys/firmware/memmap";
        return Err(Failure::whole_file(path, what));
    }
    Ok(map)
}

/// A folder with a folder for each range: files start, end (the last byte) and
/// type (Documentation/ABI/testing/sysfs-firmware-memmap).
fn memmap(folder: &Path) -> Result<Vec<E820Entry>, Failure> {
    let mut ranges = input::folder(folder)?;
    ranges.retain(|path| path.is_dir());
    if ranges.is_empty() {
        let what = "has no folder for a range; a copy of /sys/firmware/memmap is right";
        return Err(Failure::whole_file(folder, what));
    }
    ranges
        .iter()
        .map(|range| {
            let text = |name: &str| {
                let bytes = input::file(&range.join(name))?;
                Ok::<_, Failure>(String::from_utf8_lossy(&bytes).trim_end().to_owned())
            };
            let (start, end, name) = (text("start")?, text("end")?, text("type")?);
            let range = inclusive(&start, &end).map_err(|what| Failure::whole_file(range, what))?;
            Ok(E820Entry { range, kind: kind(&name) })
        })
        .collect()
}
