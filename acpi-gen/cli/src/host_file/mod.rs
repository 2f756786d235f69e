//! Host files: TOML to what a hypervisor knows of its machine, for planning a dom0.

mod memory;
mod schema;

use std::path::{Path, PathBuf};

use acpi_gen::{GpaRange, ProximityDomain};
use hv_glue::e820::{self, E820Entry};
use hv_glue::{
    ArenaSize, Dom0Request, HostCpu, HostFacts, MemoryBlock, NodeId, OwnedArena, PcpuId,
};

use crate::failure::Failure;
use crate::input;
use hv_glue_topology::FileError;
use hv_glue_topology::number::Number;
use hv_glue_topology::source::{Source, Span, Spanned};
use schema::Amount;

pub(crate) use schema::Mode;

/// The most vCPUs that a PVH or HVM guest of Xen has: `HVM_MAX_VCPUS`.
const HVM_MAX_VCPUS: u32 = 128;
/// The most vCPUs that a PV guest of Xen has: `MAX_VIRT_CPUS`.
const MAX_VIRT_CPUS: u32 = 8192;

/// A host file that was read and whose values have the right form; the rules
/// between values are the library's.
pub(crate) struct HostFile {
    path: PathBuf,
    source: Source,
    pub(crate) map: Vec<E820Entry>,
    pub(crate) blocks: Vec<MemoryBlock>,
    pub(crate) cpus: Vec<HostCpu>,
    pub(crate) node_to_pxm: Vec<Option<ProximityDomain>>,
    pub(crate) distances: Vec<u8>,
    pub(crate) mode: Mode,
    pub(crate) pinned: bool,
    pub(crate) vcpus: u32,
    pub(crate) nr_pages: u64,
    /// Ranges that no trim cuts, in place of the library's policy.
    pub(crate) keep: Option<Vec<GpaRange>>,
    /// Bytes of kernel and modules.
    pub(crate) modules: u64,
    spans: Spans,
}

/// Where the values are that the library's errors name.
struct Spans {
    map: Vec<Span>,
    blocks: Vec<Span>,
    keep: Vec<Span>,
    cpu_to_node: Span,
    node_to_pxm: Span,
    distances: Span,
    vcpus: Span,
    amount: Span,
}

impl HostFile {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = input::file(path)?;
        Self::parse(path, &bytes).map_err(|error| Failure::in_file(path, error))
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, FileError> {
        let source = Source::new(bytes)?;
        let file: schema::File = source.toml()?;
        let (map, map_spans) = memory::map(&source, &file.e820)?;
        let (blocks, block_spans) = memory::blocks(&source, &file.memblk)?;
        let (keep, keep_spans) = memory::keep(&source, file.dom0.keep.as_deref())?;
        let cpus = cpus(&source, &file.cpu_to_node)?;
        let most = match file.dom0.mode {
            Mode::Pvh => HVM_MAX_VCPUS,
            Mode::Pv => MAX_VIRT_CPUS,
        };
        let (vcpus, vcpus_span) = match &file.dom0.vcpus {
            Some(vcpus) => {
                let count: u32 = source.narrow("vcpus", vcpus)?;
                if !(1..=most).contains(&count) {
                    let what = format!("vcpus {count}: 1 to {most} is right");
                    return Err(source.fail(&vcpus.span(), what));
                }
                (count, vcpus.span())
            }
            // Xen's default: as many as there are pCPUs, and as a guest can have.
            None => {
                let pcpus = u32::try_from(cpus.len()).unwrap_or(u32::MAX);
                (pcpus.min(most), file.cpu_to_node.span())
            }
        };
        let (nr_pages, amount) = nr_pages(&source, &file.dom0, &map)?;
        let node_to_pxm: Result<_, FileError> =
            file.node_to_pxm.get_ref().iter().map(|pxm| source.domain(pxm).map(Some)).collect();
        Ok(Self {
            path: path.to_owned(),
            map,
            blocks,
            cpus,
            node_to_pxm: node_to_pxm?,
            distances: distances(&source, &file)?,
            mode: file.dom0.mode,
            pinned: file.dom0.pinned,
            vcpus,
            nr_pages,
            keep,
            modules: file.dom0.modules.as_ref().map_or(0, |size| size.0),
            spans: Spans {
                map: map_spans,
                blocks: block_spans,
                keep: keep_spans,
                cpu_to_node: file.cpu_to_node.span(),
                node_to_pxm: file.node_to_pxm.span(),
                distances: file.distances.as_ref().map_or(0..0, Spanned::span),
                vcpus: vcpus_span,
                amount,
            },
            source,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The facts that a plan takes.
    pub(crate) fn facts(&self) -> HostFacts<'_> {
        HostFacts {
            blocks: &self.blocks,
            cpus: &self.cpus,
            node_to_pxm: &self.node_to_pxm,
            distances: &self.distances,
            map: &self.map,
        }
    }

    /// The dom0 that a plan is for.
    pub(crate) fn request(&self) -> Dom0Request {
        Dom0Request {
            pvh: self.mode == Mode::Pvh,
            pinned: self.pinned,
            vcpus: self.vcpus,
            pcpus: u32::try_from(self.cpus.len()).unwrap_or(u32::MAX),
            partial: true,
        }
    }

    /// Memory for the plan.
    pub(crate) fn arena(&self) -> OwnedArena {
        let vcpus = usize::try_from(self.vcpus).unwrap_or(usize::MAX);
        OwnedArena::new(ArenaSize::for_dom0(vcpus, self.map.len(), self.blocks.len()))
    }

    /// An error of the library at the line of the value that it names.
    pub(crate) fn place(&self, error: hv_glue::Error) -> Failure {
        use hv_glue::Error;
        let at = |spans: &[Span], index: usize| spans.get(index).cloned();
        let block = |range: GpaRange| {
            let index = self.blocks.iter().rposition(|block| block.range == range);
            index.and_then(|index| at(&self.spans.blocks, index))
        };
        let span = match error {
            Error::NoVcpus | Error::TooManyVcpus { .. } => Some(self.spans.vcpus.clone()),
            Error::MapNotAscending { index, .. } => at(&self.spans.map, index),
            Error::KeepMisaligned { index, .. } | Error::KeepNotAscending { index, .. } => {
                at(&self.spans.keep, index)
            }
            Error::RangesOverlap { second: range, .. }
            | Error::RangesInterleave { second: range, .. }
            | Error::RangeMisaligned { range, .. } => block(range),
            Error::NodeWithoutDomain { node } => {
                let index = self.blocks.iter().position(|block| block.node == node);
                let block = index.and_then(|index| at(&self.spans.blocks, index));
                block.or(Some(self.spans.cpu_to_node.clone()))
            }
            Error::TwoNodesOneDomain { .. } => Some(self.spans.node_to_pxm.clone()),
            Error::DistanceInvalid { .. } | Error::DistancesNotSquare { .. } => {
                Some(self.spans.distances.clone())
            }
            Error::PagesBelowKept { .. } | Error::PagesAboveTotal { .. } => {
                Some(self.spans.amount.clone())
            }
            _ => None,
        };
        let error = self.source.fail(&span.unwrap_or(0..0), error.to_string());
        Failure::in_file(&self.path, error)
    }

    /// An error that concerns the file as a whole.
    pub(crate) fn whole(&self, what: impl Into<String>) -> Failure {
        Failure::whole_file(&self.path, what)
    }
}

/// The present pCPUs: the n-th entry is pCPU n.
fn cpus(source: &Source, nodes: &Spanned<Vec<Spanned<Number>>>) -> Result<Vec<HostCpu>, FileError> {
    if nodes.get_ref().is_empty() {
        return Err(source.fail(&nodes.span(), "cpu_to_node has no pCPU: at least one is needed"));
    }
    (0_u32..)
        .map(PcpuId)
        .zip(nodes.get_ref())
        .map(|(pcpu, node)| Ok(HostCpu { pcpu, node: NodeId(source.narrow("node", node)?) }))
        .collect()
}

fn distances(source: &Source, file: &schema::File) -> Result<Vec<u8>, FileError> {
    let Some(rows) = &file.distances else { return Ok(Vec::new()) };
    let nodes = file.node_to_pxm.get_ref().len();
    if rows.get_ref().len() != nodes {
        let what = format!(
            "distances have {} rows for {nodes} nodes: one for each node is right",
            rows.get_ref().len()
        );
        return Err(source.fail(&rows.span(), what));
    }
    let mut out = Vec::new();
    for row in rows.get_ref() {
        if row.get_ref().len() != nodes {
            let what = format!(
                "a row of {} distances for {nodes} nodes: one for each node is right",
                row.get_ref().len()
            );
            return Err(source.fail(&row.span(), what));
        }
        for distance in row.get_ref() {
            let value: u8 = source.narrow("distance", distance)?;
            if value < 10 {
                let what = format!("distance {value}: 0 to 9 are reserved, 10 is local");
                return Err(source.fail(&distance.span(), what));
            }
            out.push(value);
        }
    }
    Ok(out)
}

/// What dom0 gets, in pages, and where the file says so.
fn nr_pages(
    source: &Source,
    dom0: &schema::Dom0,
    map: &[E820Entry],
) -> Result<(u64, Span), FileError> {
    match (&dom0.mem, &dom0.nr_pages) {
        (Some(_), Some(pages)) => {
            Err(source.fail(&pages.span(), "both mem and nr_pages: one of them is right"))
        }
        (None, Some(pages)) => Ok((pages.get_ref().0, pages.span())),
        (Some(amount), None) => {
            let pages = match *amount.get_ref() {
                Amount::Percent(percent) => e820::percent_of_ram(map, percent),
                Amount::Bytes(bytes) => bytes / hv_glue::PAGE_SIZE,
            };
            Ok((pages, amount.span()))
        }
        (None, None) => Ok((e820::ram_pages(map), 0..0)),
    }
}
