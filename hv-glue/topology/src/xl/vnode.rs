//! One element of `vnuma=`. xl.cfg(5), "vnuma".

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use core::ops::RangeInclusive;

use super::syntax::{SyntaxError, Value, ValueKind};
use super::{cpus, number};

/// A virtual node of an xl configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XlVnode {
    /// `pnode=`: the host node that backs it; `None` where the file has no `vnuma=`.
    pub pnode: Option<u32>,
    /// `size=` in MiB.
    pub size: u64,
    /// `vcpus=`, ascending.
    pub vcpus: Vec<RangeInclusive<u32>>,
    /// `vdistances=`: from this vnode to each.
    pub distances: Vec<u32>,
    /// The line that it starts on.
    pub line: usize,
    pub(super) vcpus_line: usize,
    pub(super) distances_line: usize,
}

/// An option's text and its line.
type Found<'a> = Option<(usize, &'a str)>;

/// Reads a vnode out of a list of `count`.
pub(super) fn read(spec: &Value, count: usize) -> Result<XlVnode, SyntaxError> {
    let ValueKind::List(options) = &spec.kind else {
        let what =
            "a vnode is a list: [\"pnode=0\", \"size=512\", \"vcpus=0-3\", \"vdistances=10,20\"]";
        return Err((spec.line, what.to_owned()));
    };
    let (mut pnode, mut size, mut vcpus, mut distances): (
        Found<'_>,
        Found<'_>,
        Found<'_>,
        Found<'_>,
    ) = Default::default();
    for option in options {
        let line = option.line;
        let ValueKind::Text(text) = &option.kind else {
            return Err((line, "a list inside a vnode: \"KEY=VALUE\" is right".to_owned()));
        };
        let Some((key, value)) = text.split_once('=') else {
            return Err((line, format!("\"{text}\": \"KEY=VALUE\" is right")));
        };
        let (key, value) = (key.trim(), value.trim());
        let slot = match key {
            "pnode" => &mut pnode,
            "size" => &mut size,
            "vcpus" => &mut vcpus,
            "vdistances" => &mut distances,
            other => {
                let what = format!(
                    "\"{other}\" is no option of a vnode: pnode, size, vcpus and vdistances are"
                );
                return Err((line, what));
            }
        };
        if let Some((first, _)) = slot.replace((line, value)) {
            return Err((line, format!("{key} stands on line {first} already: once is right")));
        }
    }
    let needed = |found: Found<'_>, name| {
        found.map(|(line, text)| (line, text.to_owned())).ok_or_else(|| {
            (
                spec.line,
                format!("a vnode without {name}: pnode, size and vdistances are all needed"),
            )
        })
    };
    let (pnode_line, pnode) = needed(pnode, "pnode")?;
    let (size_line, size) = needed(size, "size")?;
    // libxl takes a vnode without vCPUs: memory alone.
    let (vcpus_line, vcpus) = vcpus.map_or((spec.line, None), |(line, text)| (line, Some(text)));
    let (distances_line, distances) = needed(distances, "vdistances")?;

    let ranges = vcpus.map(cpus::vcpus).transpose();
    let mut ranges =
        ranges.map_err(|what| (vcpus_line, format!("vcpus={what}")))?.unwrap_or_default();
    ranges.sort_by_key(|range| *range.start());
    let distances: Vec<u32> = distances
        .split(',')
        .map(|value| narrow(value.trim(), "vdistances").map_err(|what| (distances_line, what)))
        .collect::<Result<_, _>>()?;
    if distances.len() != count {
        let what =
            format!("{} vdistances for {count} vnodes: one for each is right", distances.len());
        return Err((distances_line, what));
    }
    Ok(XlVnode {
        pnode: Some(narrow(&pnode, "pnode").map_err(|what| (pnode_line, what))?),
        size: number(&size, "size").map_err(|what| (size_line, what))?,
        vcpus: ranges,
        distances,
        line: spec.line,
        vcpus_line,
        distances_line,
    })
}

fn narrow(text: &str, name: &str) -> Result<u32, String> {
    let wide = number(text, name)?;
    u32::try_from(wide).map_err(|_| format!("{name}={wide}: 0 to {} is right", u32::MAX))
}
