//! dom0's plan, from what the host's hypervisor knows.

use acpi_gen::{
    Description, Distances, GpaRange, MemoryRange, Processor, ProcessorUid, Revisions, TableSet,
    Topology,
};

use super::arena::Arena;
use super::host::HostFacts;
use crate::apic::{PackageShape, legacy_id};
use crate::e820::{self, E820Entry, Rule, Trim};
use crate::gate::{Gate, GateInput};
use crate::layout::Layout;
use crate::populate::{Populate, Walk};
use crate::units::{count, index};
use crate::{Error, Pfn, VcpuId};

/// The newest MADT revision that Xen gives a dom0: ACPI 6.1's.
const MADT_REVISION: u8 = 4;

/// What dom0 is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dom0Request {
    /// dom0 is PVH.
    pub pvh: bool,
    /// Each vCPU has hard affinity to one pCPU (`dom0_vcpus_pin`). Not so where
    /// the scheduler moves CPUs in groups (`sched-gran` above one CPU).
    pub pinned: bool,
    /// dom0's vCPUs.
    pub vcpus: u32,
    /// pCPUs that dom0's vCPUs are to cover: those of its pool, or all of the machine.
    pub pcpus: u32,
    /// Fewer vCPUs than pCPUs are accepted, too: asked for, or all that a guest can
    /// have on a host with more pCPUs. The vNUMA series requires equality.
    pub partial: bool,
}

/// dom0's size.
#[derive(Clone, Copy, Debug)]
pub struct MemoryRequest<'a> {
    /// 4 KiB pages of RAM.
    pub nr_pages: u64,
    /// Bytes of kernel and modules, as Xen counts them.
    pub modules: u64,
    /// Ranges that the trim by node does not cut, ascending, in place of the policy's: room
    /// for the kernel, and RAM below 4 GiB.
    pub keep: Option<&'a [GpaRange]>,
}

/// The plan of a dom0: gate, layout, ids, memory map, populate steps and tables from one
/// state.
#[derive(Debug)]
pub struct Dom0Plan<'a> {
    arena: Arena<'a>,
    pub(crate) layout: Layout,
    shape: Option<PackageShape>,
    gate: Gate,
    refusal: Option<Error>,
    map: &'a [E820Entry],
    keep: Option<&'a [GpaRange]>,
    kept: [GpaRange; 2],
    /// Pieces of the arena that the trimmed map has.
    pieces: usize,
    rule: Rule,
    merged: u32,
    first_fit: Option<Error>,
    low_pages: u64,
    low_floor: u64,
    pvh: bool,
    several_nodes: bool,
    vcpus: usize,
}

impl<'a> Dom0Plan<'a> {
    /// No plan yet. It has about 6 KiB, few of which are written: inlined, they are written
    /// where the caller wants the plan, and no constant is copied there.
    #[inline(always)]
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default would be copied")]
    pub const fn new() -> Self {
        Self {
            arena: Arena::empty(),
            layout: Layout::new(),
            shape: None,
            gate: Gate::EMPTY,
            refusal: None,
            map: &[],
            keep: None,
            kept: e820::LEAST_TO_KEEP,
            pieces: 0,
            rule: Rule::FirstFit,
            merged: 0,
            first_fit: None,
            low_pages: 0,
            low_floor: 0,
            pvh: false,
            several_nodes: false,
            vcpus: 0,
        }
    }

    /// Plans a dom0. A host that cannot be laid out is no error: the gate is not met, and
    /// [`Dom0Plan::refusal`] says why.
    ///
    /// # Errors
    /// [`Error::ScratchTooSmall`], [`Error::MapNotAscending`].
    pub fn build(
        &mut self,
        facts: HostFacts<'a>,
        request: Dom0Request,
        arena: Arena<'a>,
    ) -> Result<(), Error> {
        let (needed, have) = (index(request.vcpus), arena.processors.len());
        if have < needed {
            return Err(Error::ScratchTooSmall { needed, have });
        }
        self.arena = arena;
        self.layout.clear();
        self.map = facts.map;
        self.vcpus = needed;
        self.pieces = 0;
        self.pvh = request.pvh;
        self.several_nodes = facts.nodes() > 1;
        self.shape = None;
        self.refusal = None;

        let ids = self.lay_out(&facts, request.vcpus);
        let uncovered_pages = e820::uncovered_pages(self.map, self.layout.memory())?;
        let laid_out = self.refusal.is_none();
        self.gate = Gate::evaluate(&GateInput {
            pvh: request.pvh,
            pinned: request.pinned,
            vcpus: request.vcpus,
            pcpus: request.pcpus,
            nodes: if laid_out { count(self.layout.domains().len()) } else { facts.nodes() },
            blocks: count(if laid_out { self.layout.memory().len() } else { facts.blocks.len() }),
            uncovered_pages: if laid_out { uncovered_pages } else { 0 },
            highest: ids.map(|(_, highest)| highest),
            partial: request.partial,
        });
        match ids {
            Ok((shape, _)) if self.gate.enabled() => self.shape = Some(shape),
            Ok(_) => {}
            // That ids do not fit is the gate's to say, too.
            Err(error) => self.refusal = Some(error),
        }
        if !self.gate.enabled() {
            for (vcpu, processor) in (0..).zip(self.arena.processors.iter_mut()).take(needed) {
                let apic_id = legacy_id(VcpuId(vcpu));
                *processor = Processor { uid: ProcessorUid(vcpu), apic_id, ..Arena::PROCESSOR };
            }
        }
        Ok(())
    }

    /// One memory range for each block, nodes without CPUs included, and vCPU n on the node
    /// of the n-th valid pCPU. The memory stays where the vCPUs are refused: the trim of the
    /// memory map by node is for them, too.
    fn lay_out(
        &mut self,
        facts: &HostFacts<'_>,
        vcpus: u32,
    ) -> Result<(PackageShape, acpi_gen::ApicId), Error> {
        let memory = self.take_blocks(facts);
        // More nodes than Xen's layouts take still have their shares of the memory.
        if !matches!(memory, Ok(()) | Err(Error::TooManyVnodes { .. })) {
            self.layout.clear_memory();
        }
        let checked = facts.check_counts(vcpus).and(memory).and_then(|()| {
            self.take_cpus(facts, vcpus)?;
            self.layout.number_by_domain();
            self.layout.set_distances(|(_, from), (_, to)| facts.distance(from, to))?;
            self.layout.check_memory()?;
            self.layout.check_interleaving()
        });
        if let Err(error) = checked {
            self.refusal = Some(error);
            return Err(error);
        }
        let processors = self.arena.processors.get_mut(..self.vcpus).unwrap_or_default();
        let layout = &self.layout;
        super::assign_ids(layout, processors, |rank| layout.domains().get(rank).copied())
    }

    fn take_blocks(&mut self, facts: &HostFacts<'_>) -> Result<(), Error> {
        for block in facts.blocks {
            self.layout.add_memory(MemoryRange {
                range: block.range,
                domain: facts.domain(block.node)?,
                hot_pluggable: block.hotplug,
                non_volatile: false,
            })?;
        }
        self.layout.merge_memory();
        facts.blocks.iter().try_for_each(|block| {
            let domain = facts.domain(block.node)?;
            self.layout.add_node(domain, Some(block.node))
        })
    }

    fn take_cpus(&mut self, facts: &HostFacts<'_>, vcpus: u32) -> Result<(), Error> {
        let slots = self.arena.processors.iter_mut().take(index(vcpus));
        for ((uid, slot), cpu) in (0..).map(ProcessorUid).zip(slots).zip(facts.cpus) {
            let domain = facts.domain(cpu.node)?;
            self.layout.add_node(domain, Some(cpu.node))?;
            *slot = Processor { uid, domain: Some(domain), ..Arena::PROCESSOR };
        }
        Ok(())
    }

    /// Trims the host's memory map to dom0's size: by node for a PVH dom0 of a host with
    /// several nodes, else, or where that is refused, in address order as Xen does.
    ///
    /// # Errors
    /// [`Error::PagesAboveTotal`], [`Error::ScratchTooSmall`].
    pub fn trim(&mut self, request: MemoryRequest<'a>) -> Result<(), Error> {
        let MemoryRequest { nr_pages, modules, keep } = request;
        (self.kept, self.keep) = (e820::ranges_to_keep(self.map, modules, nr_pages), keep);
        (self.pieces, self.merged, self.first_fit) = (0, 0, None);
        let (map, ranges) = (self.map, self.layout.memory());
        self.low_floor = e820::low_floor(nr_pages).min(e820::low_pages(map));
        if self.pvh && self.several_nodes && !ranges.is_empty() {
            let keep = keep.unwrap_or(&self.kept);
            let (most, pieces) = (e820::MAX_ENTRIES, &mut *self.arena.pieces);
            match Trim::by_node(map, ranges, keep, nr_pages, most, pieces) {
                Ok(trim) => {
                    let survey = trim.survey();
                    if survey.has_room(modules) {
                        (self.pieces, self.rule) = (trim.pieces.len(), trim.rule);
                        (self.merged, self.low_pages) = (trim.merged, survey.low_pages);
                        return Ok(());
                    }
                    self.first_fit = Some(Error::NoRoomForModules { modules });
                }
                Err(error) => self.first_fit = Some(error),
            }
        }
        let trim = Trim::first_fit(map, nr_pages, &mut *self.arena.pieces)?;
        (self.pieces, self.rule) = (trim.pieces.len(), trim.rule);
        self.low_pages = trim.survey().low_pages;
        Ok(())
    }

    /// dom0's memory map as the last [`Dom0Plan::trim`] made it, ascending.
    pub fn memory_map(&self) -> impl Iterator<Item = E820Entry> + '_ {
        let keep = match self.rule {
            Rule::Proportional => self.keep.unwrap_or(&self.kept),
            Rule::FirstFit => &[],
        };
        let pieces = self.arena.pieces.get(..self.pieces).unwrap_or_default();
        Trim { map: self.map, keep, pieces, rule: self.rule, merged: self.merged }.entries()
    }

    /// Whether the memory map is trimmed by node.
    #[must_use]
    pub fn is_by_node(&self) -> bool {
        self.rule == Rule::Proportional && self.pieces > 0
    }

    /// Why the memory map is not trimmed by node although the host has several.
    #[must_use]
    pub const fn first_fit(&self) -> Option<Error> {
        self.first_fit
    }

    /// Nodes each of whose pieces of RAM is kept whole or not at all, to keep the map short.
    #[must_use]
    pub const fn merged(&self) -> u32 {
        self.merged
    }

    /// Pages of dom0's RAM below 4 GiB.
    #[must_use]
    pub const fn low_pages(&self) -> u64 {
        self.low_pages
    }

    /// The least pages below 4 GiB that the policy gives a dom0 of this size, as far as the
    /// host has them: half of dom0, at most 2 GiB.
    #[must_use]
    pub const fn low_floor(&self) -> u64 {
        self.low_floor
    }

    /// The end of the ranges that the policy keeps.
    #[must_use]
    pub const fn kept_up_to(&self) -> acpi_gen::Gpa {
        let [_, load] = &self.kept;
        load.end()
    }

    /// Whether dom0 gets vNUMA, and what each condition found.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Why dom0 gets no vNUMA: each condition of the gate that is not met, or what else keeps
    /// the host from being laid out.
    pub fn unmet(&self) -> impl Iterator<Item = Error> + '_ {
        let other = self.gate.unmet().next().is_none() && !self.gate.enabled();
        self.gate.unmet().chain(self.refusal.filter(|_| other))
    }

    /// Why the host cannot be laid out for this dom0; also where the gate says so.
    #[must_use]
    pub const fn refusal(&self) -> Option<Error> {
        self.refusal
    }

    /// The layout; `None` where the gate is not met.
    #[must_use]
    pub fn layout(&self) -> Option<&Layout> {
        self.gate.enabled().then_some(&self.layout)
    }

    /// The vCPUs with their ids; with the gate not met, `2 * vCPU` and on no node.
    #[must_use]
    pub fn processors(&self) -> &[Processor] {
        self.arena.processors.get(..self.vcpus).unwrap_or_default()
    }

    /// What CPUID says; `None` for ids of `2 * vCPU`, whose CPUID is left as it is.
    #[must_use]
    pub const fn shape(&self) -> Option<PackageShape> {
        self.shape
    }

    /// The steps that populate `pages` frames from `start` on: a region of RAM of the
    /// memory map.
    #[must_use]
    pub fn populate(&self, start: Pfn, pages: u64) -> Populate<'_> {
        Populate::new(self.layout(), start, pages)
    }

    /// Goes on where [`Populate::pause`] stopped.
    #[must_use]
    pub fn resume(&self, walk: Walk) -> Populate<'_> {
        Populate::resume(self.layout(), walk)
    }

    /// The tables: RSDP, XSDT, MADT, and SRAT and SLIT where the gate is met. Interrupts,
    /// OEM fields and the host's MADT revision are `rest`'s.
    ///
    /// # Errors
    /// Those of [`Topology::new`].
    pub fn tables<'s>(
        &'s mut self,
        rest: Description<'s>,
    ) -> Result<TableSet<'s>, acpi_gen::Error> {
        let laid_out = self.gate.enabled();
        let Arena { processors, scratch, .. } = &mut self.arena;
        let layout = &self.layout;
        let distances = Distances { domains: layout.domains(), matrix: layout.matrix() };
        let description = Description {
            processors: processors.get(..self.vcpus).unwrap_or_default(),
            memory: if laid_out { layout.memory() } else { &[] },
            distances: if laid_out { distances } else { Distances::DEFAULT },
            revisions: Revisions::MadtOf(rest.revisions.madt().min(MADT_REVISION)),
            ..rest
        };
        Ok(TableSet::new(&Topology::new(description, scratch)?))
    }
}
