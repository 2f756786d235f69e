//! dom0's plan on a host file, as Xen's dom0 builder would make it.

use std::collections::BTreeMap;

use acpi_gen::{Description, GpaRange};
use hv_glue::e820::{E820Entry, E820Type};
use hv_glue::populate::{NodeHeap, WholeHeap};
use hv_glue::{Arena, Dom0Plan, Error, Frames, MemoryRequest, NodeId};

use crate::failure::Failure;
use crate::host_file::HostFile;
use crate::summary;
use crate::table_image::TableImage;

/// What dom0 gets.
pub(super) struct Plan<'a> {
    pub(super) dom0: Dom0Plan<'a>,
    pub(super) e820: Vec<E820Entry>,
    pub(super) allocations: BTreeMap<AllocationKind, u64>,
}

/// What allocations are counted by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AllocationKind {
    /// The node of the pages.
    pub(super) pnode: NodeId,
    /// Of 4 KiB pages; the largest first.
    pub(super) order: std::cmp::Reverse<u8>,
    pub(super) fallback: bool,
}

/// The plan's tables and what they say.
pub(super) struct Tables {
    pub(super) image: TableImage,
    /// The machine as human-readable output.
    pub(super) machine: String,
}

impl<'a> Plan<'a> {
    pub(super) fn new(host: &'a HostFile, arena: Arena<'a>) -> Result<Self, Failure> {
        let fail = |error| host.place(error);
        let mut dom0 = Dom0Plan::new();
        dom0.build(host.facts(), host.request(), arena).map_err(fail)?;
        match dom0.refusal() {
            // What Xen cannot hold or pin is the gate's to say; all else is wrong in the file.
            None
            | Some(
                Error::NoBlocks
                | Error::TooManyRanges { .. }
                | Error::TooManyVnodes { .. }
                | Error::TooManyVcpus { .. }
                | Error::NoEncodingFits { .. },
            ) => {}
            Some(error) => return Err(fail(error)),
        }
        let (nr_pages, modules, keep) = (host.nr_pages, host.modules, host.keep.as_deref());
        dom0.trim(MemoryRequest { nr_pages, modules, keep }).map_err(fail)?;
        if let (Some(error), Some(_)) = (dom0.first_fit(), keep)
            && !matches!(error, Error::TooManyEntries { .. } | Error::NoRoomForModules { .. })
        {
            return Err(fail(error));
        }
        let e820 = dom0.memory_map().collect();
        let mut plan = Self { dom0, e820, allocations: BTreeMap::new() };
        plan.populate(host)?;
        Ok(plan)
    }

    /// Every page of RAM, from a heap in which every block is wholly free.
    fn populate(&mut self, host: &HostFile) -> Result<(), Failure> {
        let highest = host.blocks.iter().map(|block| block.node.0).max().unwrap_or(0);
        let nodes = usize::try_from(highest).unwrap_or(usize::MAX).saturating_add(1);
        let mut nodes = vec![NodeHeap::EMPTY; nodes];
        let mut heap = WholeHeap::of_blocks(&host.blocks, &mut nodes);
        if host.blocks.is_empty() || self.dom0.gate().uncovered_pages() > 0 {
            // A host without an SRAT, or with one that leaves RAM out and so is dropped, is one node.
            let mut whole = NodeHeap::EMPTY;
            for entry in host.map.iter().filter(|entry| entry.kind == E820Type::RAM) {
                whole.free(Frames::inside(entry.range));
            }
            nodes = vec![whole];
            heap = WholeHeap::new(&mut nodes);
        }
        for entry in self.e820.iter().filter(|entry| entry.kind == E820Type::RAM) {
            let frames = Frames::inside(entry.range);
            for allocation in self.dom0.populate(frames.start, frames.pages()).on(&mut heap) {
                let allocation = allocation.map_err(|error| host.place(error))?;
                let kind = AllocationKind {
                    pnode: allocation.node,
                    order: std::cmp::Reverse(allocation.request.order),
                    fallback: allocation.request.is_fallback(),
                };
                let count = self.allocations.entry(kind).or_default();
                *count = count.saturating_add(1);
            }
        }
        Ok(())
    }

    /// The tables of this dom0: with the gate off, without SRAT and SLIT.
    pub(super) fn tables(&mut self, host: &HostFile, base: u64) -> Result<Tables, Failure> {
        let fail = |error: acpi_gen::Error| host.whole(error.to_string());
        let set = self.dom0.tables(Description::EMPTY).map_err(fail)?;
        let image = TableImage::new(&set, base).map_err(fail)?;
        let machine = summary::machine(set.topology(), image.slit().as_ref());
        Ok(Tables { image, machine })
    }

    /// RAM pages of the host's map and of dom0's in a range.
    pub(super) fn pages(&self, host: &HostFile, within: GpaRange) -> (u64, u64) {
        let within = Frames::inside(within);
        let pages = |map: &[E820Entry]| {
            let ram = map.iter().filter(|entry| entry.kind == E820Type::RAM);
            ram.map(|entry| Frames::inside(entry.range).intersection(within).pages())
                .fold(0, u64::saturating_add)
        };
        (pages(&host.map), pages(&self.e820))
    }
}
