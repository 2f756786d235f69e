//! The nodes' memory.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use acpi_gen::{Gpa, GpaRange, MemoryRange};
use toml::Spanned;

use super::nodes::NodePlace;
use super::schema::{Memory, Node};
use crate::FileError;
use crate::number;
use crate::source::{Source, Span};

/// All memory in ascending order of address, and where each range stands.
pub(super) fn read(
    source: &Source,
    nodes: &[Node],
    places: &[NodePlace],
) -> Result<(Vec<MemoryRange>, Vec<Span>), FileError> {
    let mut ranges = Vec::new();
    for (node, place) in nodes.iter().zip(places) {
        for memory in &node.memory {
            let range = range(source, memory)?;
            let (hot_pluggable, non_volatile) = match memory.get_ref() {
                Memory::Range(_) => (false, false),
                Memory::Table(table) => (table.hotpluggable, table.nonvolatile),
            };
            let range = MemoryRange { range, domain: place.domain, hot_pluggable, non_volatile };
            ranges.push((range, memory.span()));
        }
    }
    ranges.sort_by_key(|(memory, _)| memory.range);
    Ok(ranges.into_iter().unzip())
}

fn range(source: &Source, memory: &Spanned<Memory>) -> Result<GpaRange, FileError> {
    let fail = |what: String| source.fail(&memory.span(), what);
    let range = match memory.get_ref() {
        Memory::Range(text) => {
            let Some((start, end)) = text.split_once('-') else {
                return Err(fail(format!(
                    "memory \"{text}\": \"start-end\" is right, without the end itself"
                )));
            };
            let start = number::parse(start).map_err(fail)?;
            let end = number::parse(end).map_err(fail)?;
            GpaRange::new(Gpa(start), Gpa(end))
        }
        Memory::Table(table) => {
            let start = Gpa(table.start.get_ref().0);
            match (&table.size, &table.end) {
                (Some(size), None) => GpaRange::with_size(start, size.get_ref().0),
                (None, Some(end)) => GpaRange::new(start, Gpa(end.get_ref().0)),
                (None, None) => {
                    return Err(fail(
                        "memory without size or end: one of them is needed".to_owned(),
                    ));
                }
                (Some(_), Some(_)) => {
                    return Err(fail(
                        "memory with both size and end: one of them is right".to_owned(),
                    ));
                }
            }
        }
    };
    range.map_err(|error| fail(error.to_string()))
}
