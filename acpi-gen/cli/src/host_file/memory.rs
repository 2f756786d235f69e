//! The host's memory map, its blocks, and the ranges to keep.

use acpi_gen::{E820Entry, Gpa, GpaRange};
use hv_glue::{MemoryBlock, NodeId};

use super::schema::{E820, MemBlk};
use hv_glue_topology::FileError;
use hv_glue_topology::number::{self, Number};
use hv_glue_topology::source::{Source, Span, Spanned};

pub(super) fn map(
    source: &Source,
    entries: &[E820],
) -> Result<(Vec<E820Entry>, Vec<Span>), FileError> {
    let mut map = Vec::new();
    for entry in entries {
        let range = range(source, &entry.start, &entry.end)?;
        map.push((E820Entry { range, kind: entry.kind }, entry.start.span()));
    }
    Ok(map.into_iter().unzip())
}

pub(super) fn blocks(
    source: &Source,
    entries: &[MemBlk],
) -> Result<(Vec<MemoryBlock>, Vec<Span>), FileError> {
    let mut blocks = Vec::new();
    for entry in entries {
        let range = range(source, &entry.start, &entry.end)?;
        let node = NodeId(source.narrow("node", &entry.node)?);
        blocks.push((MemoryBlock { range, node, hotplug: entry.hotplug }, entry.start.span()));
    }
    Ok(blocks.into_iter().unzip())
}

pub(super) fn keep(
    source: &Source,
    texts: Option<&[Spanned<String>]>,
) -> Result<(Option<Vec<GpaRange>>, Vec<Span>), FileError> {
    let Some(texts) = texts else { return Ok((None, Vec::new())) };
    let mut keep = Vec::new();
    for text in texts {
        let fail = |what: String| source.fail(&text.span(), what);
        let Some((start, end)) = text.get_ref().split_once('-') else {
            return Err(fail(format!(
                "keep \"{}\": \"start-end\" is right, without the end itself",
                text.get_ref()
            )));
        };
        let start = number::parse(start).map_err(fail)?;
        let end = number::parse(end).map_err(fail)?;
        let range = GpaRange::new(Gpa(start), Gpa(end)).map_err(|error| fail(error.to_string()))?;
        keep.push((range, text.span()));
    }
    // In any order, as memory blocks are.
    keep.sort_by_key(|(range, _)| range.start());
    let (keep, spans): (_, Vec<Span>) = keep.into_iter().unzip();
    Ok((Some(keep), spans))
}

fn range(
    source: &Source,
    start: &Spanned<Number>,
    end: &Spanned<Number>,
) -> Result<GpaRange, FileError> {
    GpaRange::new(Gpa(start.get_ref().0), Gpa(end.get_ref().0))
        .map_err(|error| source.fail(&end.span(), error.to_string()))
}
