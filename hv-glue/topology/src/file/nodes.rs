//! The nodes' proximity domains.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use acpi_gen::ProximityDomain;
use toml::Spanned;

use super::schema::Node;
use crate::FileError;
use crate::source::{Source, Span};

/// A node's number and its place; in the order of the file.
#[derive(Clone)]
pub(super) struct NodePlace {
    pub(super) domain: ProximityDomain,
    pub(super) span: Span,
}

/// The nodes' numbers. Each must be there once and have something in it.
pub(super) fn nodes(source: &Source, nodes: &[Node]) -> Result<Vec<NodePlace>, FileError> {
    if nodes.is_empty() {
        return Err(source.fail(&(0..0), "no [[node]]: at least one with cpus is needed"));
    }
    let mut lines = BTreeMap::new();
    nodes
        .iter()
        .map(|node| {
            let span = node.pxm.span();
            let domain = source.domain(&node.pxm)?;
            if let Some(first) = lines.insert(domain, source.line(&span)) {
                let what = format!(
                    "pxm {} has a [[node]] on line {first} already: one with all its cpus and memory is right",
                    domain.0
                );
                return Err(source.fail(&span, what));
            }
            let is_empty = |list: &Option<Spanned<String>>| {
                list.as_ref().is_none_or(|list| list.get_ref().is_empty())
            };
            if is_empty(&node.cpus) && is_empty(&node.cpus_hotplug) && node.memory.is_empty() {
                let what = format!(
                    "node with pxm {} has neither cpus nor memory; expected one of them, as a domain of generic initiators alone (SRAT type 5) cannot be described",
                    domain.0
                );
                return Err(source.fail(&span, what));
            }
            Ok(NodePlace { domain, span })
        })
        .collect()
}
