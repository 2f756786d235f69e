//! Memory maps as users have them: a host file, the lines of Linux's or Xen's log, or
//! /sys/firmware/memmap.

use std::path::Path;

use acpi_gen::{E820Entry, E820Type, Gpa, GpaRange};
use hv_glue_topology::number;

use crate::failure::Failure;
use crate::host_file::HostFile;
use crate::input;

/// What precedes a line of the firmware's map in Linux's log.
const LINUX_LINE: &str = "BIOS-e820: ";
/// The line above the firmware's map in Linux's log.
const LINUX_HEADING: &str = "BIOS-provided physical RAM map:";
/// How the line above the host's map in Xen's log ends, as in "Xen-e820 RAM map:". A
/// dom0's map has lines of the same form.
const XEN_HEADING: &str = " RAM map:";
/// The map before Xen has sorted it, in a verbose log.
const XEN_RAW_HEADING: &str = "Initial ";

/// A memory map, and what is to be said of how it was read.
pub(crate) struct MemoryMap {
    pub(crate) entries: Vec<E820Entry>,
    pub(crate) remarks: Vec<String>,
}

impl From<Vec<E820Entry>> for MemoryMap {
    fn from(entries: Vec<E820Entry>) -> Self {
        Self { entries, remarks: Vec::new() }
    }
}

/// Reads a map in whichever form it is.
pub(crate) fn read(path: &Path) -> Result<MemoryMap, Failure> {
    if path.is_dir() {
        return memmap(path).map(MemoryMap::from);
    }
    if path.extension().is_some_and(|extension| extension == "toml") {
        return Ok(HostFile::read(path)?.map.into());
    }
    log(path)
}

/// The names of the types in Linux's log (7.x has its own, behind two spaces), in Xen's,
/// and in sysfs (arch/x86/kernel/e820.c, xen/arch/x86/e820.c).
fn kind(name: &str) -> E820Type {
    match name {
        "usable" | "System RAM" => E820Type::RAM,
        "ACPI data" | "ACPI Tables" => E820Type::ACPI,
        "ACPI NVS" | "ACPI Non-volatile Storage" => E820Type::NVS,
        "unusable" | "Unusable memory" => E820Type::UNUSABLE,
        _ => E820Type::RESERVED,
    }
}

/// A range whose last byte is named.
fn inclusive(first: u64, last: u64) -> Result<GpaRange, String> {
    // Firmware may reserve up to the last address of all; no RAM is there.
    GpaRange::new(Gpa(first), Gpa(last.saturating_add(1))).map_err(|error| error.to_string())
}

/// Digits without "0x".
fn hexadecimal(digits: &str) -> Result<u64, String> {
    number::parse(&format!("0x{digits}"))
}

/// `[mem 0xFIRST-0xLAST] TYPE`, or in Linux 2.6 `START - END (TYPE)`; other lines behind
/// [`LINUX_LINE`], such as gaps, are none.
fn linux_entry(text: &str) -> Option<Result<E820Entry, String>> {
    let Some(rest) = text.strip_prefix("[mem ") else {
        return (!text.starts_with('[')).then(|| old_entry(text));
    };
    let parts = rest.split_once("] ").and_then(|(range, name)| {
        let (first, last) = range.split_once('-')?;
        Some((first, last, name))
    });
    let Some((first, last, name)) = parts else {
        return Some(Err("\"[mem first-last] type\" is right behind BIOS-e820".to_owned()));
    };
    let range = number::parse(first)
        .and_then(|first| Ok((first, number::parse(last)?)))
        .and_then(|(first, last)| inclusive(first, last));
    Some(range.map(|range| E820Entry { range, kind: kind(name.trim()) }))
}

/// `START - END (TYPE)`, the end excluded.
fn old_entry(text: &str) -> Result<E820Entry, String> {
    let parts = text.split_once(" (").and_then(|(range, name)| {
        let (start, end) = range.split_once(" - ")?;
        Some((start.trim(), end.trim(), name.trim().strip_suffix(')')?))
    });
    let Some((start, end, name)) = parts else {
        return Err(format!("expected \"start - end (type)\", found {text:?}"));
    };
    let (start, end) = (hexadecimal(start)?, hexadecimal(end)?);
    let range = GpaRange::new(Gpa(start), Gpa(end)).map_err(|error| error.to_string())?;
    Ok(E820Entry { range, kind: kind(name) })
}

/// `[FIRST, LAST] (TYPE)`, or in older versions `START - END (TYPE)`; any other line ends
/// Xen's map.
fn xen_entry(line: &str) -> Option<Result<E820Entry, String>> {
    let text = line.split_once("(XEN)").map_or(line, |(_, text)| text).trim();
    // A time stamp in brackets.
    let text = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((stamp, rest)) if !stamp.contains(',') => rest.trim(),
        _ => text,
    };
    let Some((range, name)) = text.strip_prefix('[').and_then(|rest| rest.split_once("] (")) else {
        return text.contains(" - ").then(|| old_entry(text)).filter(Result::is_ok);
    };
    let (first, last) = range.split_once(", ")?;
    let range = hexadecimal(first)
        .and_then(|first| Ok((first, hexadecimal(last)?)))
        .and_then(|(first, last)| inclusive(first, last));
    let name = name.trim().strip_suffix(')')?;
    Some(range.map(|range| E820Entry { range, kind: kind(name) }))
}

/// The maps of a log in their order, each with its first line.
#[derive(Default)]
struct Maps {
    found: Vec<(usize, Vec<E820Entry>)>,
    /// Whether the next entry starts a map.
    at_heading: bool,
}

impl Maps {
    /// An entry that does not start above a map's first one starts another map. A line that
    /// a log has twice counts once.
    fn add(&mut self, line: usize, entry: E820Entry) {
        let at_heading = std::mem::replace(&mut self.at_heading, false);
        let current = self.found.last_mut().filter(|_| !at_heading).map(|(_, map)| map);
        let Some(map) = current else { return self.found.push((line, vec![entry])) };
        if map.last() == Some(&entry) {
            return;
        }
        if map.first().is_some_and(|first| entry.range.start() <= first.range.start()) {
            return self.found.push((line, vec![entry]));
        }
        map.push(entry);
    }

    /// The last map, and a remark if it is not the only one.
    fn last(mut self, path: &Path) -> Option<MemoryMap> {
        let boots = self.found.len();
        let (line, entries) = self.found.pop()?;
        let remark = || {
            format!(
                "{}:{line}: {boots} memory maps, one for each boot: the last one, from this line on, is used",
                path.display()
            )
        };
        Some(MemoryMap { entries, remarks: (boots > 1).then(remark).into_iter().collect() })
    }
}

fn log(path: &Path) -> Result<MemoryMap, Failure> {
    let bytes = input::file(path)?;
    let (mut linux, mut xen) = (Maps::default(), Maps::default());
    let mut in_xens_map = false;
    for (line, text) in (1..).zip(String::from_utf8_lossy(&bytes).lines()) {
        let at_line = |what| Failure::Input { file: path.to_owned(), line, what };
        if text.contains(LINUX_HEADING) {
            linux.at_heading = true;
        } else if text.trim_end().ends_with(XEN_HEADING) && !text.contains(XEN_RAW_HEADING) {
            (in_xens_map, xen.at_heading) = (true, true);
        } else if in_xens_map && let Some(entry) = xen_entry(text) {
            xen.add(line, entry.map_err(at_line)?);
        } else if let Some((_, entry)) = text.split_once(LINUX_LINE) {
            if let Some(entry) = linux_entry(entry.trim_start()) {
                linux.add(line, entry.map_err(at_line)?);
            }
        } else {
            in_xens_map = false;
        }
    }
    // Behind Xen's map, Linux's lines are the map that Xen gives dom0.
    let from_xen = xen.last(path).map(|mut map| {
        if !linux.found.is_empty() {
            let what = "Xen's memory map is used, not the one that Linux has as dom0";
            map.remarks.push(format!("{}: {what}", path.display()));
        }
        map
    });
    from_xen.or_else(|| linux.last(path)).ok_or_else(|| {
        let what = "has no line with BIOS-e820 and no RAM map of Xen; the log of a boot is right, \
                    or a host file (.toml), or a folder such as /sys/firmware/memmap";
        Failure::whole_file(path, what)
    })
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
            let range = number::parse(&start)
                .and_then(|first| Ok((first, number::parse(&end)?)))
                .and_then(|(first, last)| inclusive(first, last))
                .map_err(|what| Failure::whole_file(range, what))?;
            Ok(E820Entry { range, kind: kind(&name) })
        })
        .collect()
}
