//! The plan itself: the library's parts in the order in which Xen's dom0 builder
//! would call them.

use std::collections::BTreeMap;

use acpi_gen::{
    ApicId, Description, Distance, Gpa, GpaRange, MemoryRange, Processor, ProcessorState,
    ProcessorUid, ProximityDomain, Revisions, TableSet, Topology,
};
use hv_glue::e820::{self, E820Entry, E820Type, Piece, Trim};
use hv_glue::populate::{NodeHeap, Populate, WholeHeap};
use hv_glue::{
    ApicIds, Coverage, DescriptionMemory, Error, Frames, Gate, GateInput, Layout, LayoutMemory,
    Limits, NodeId, Scheme, VcpuId, Vmemrange, VnodeId,
};

use crate::failure::Failure;
use crate::host_file::{HostFile, Mode};
use crate::summary;
use crate::table_image::TableImage;

/// The highest id that a guest of Xen uses: it has no extended destination id.
const HIGHEST_ID: ApicId = ApicId(254);
/// Xen's PVH builder caps the host's MADT revision at this.
const MADT_REVISION: u8 = 4;

/// What dom0 gets.
pub(super) struct Plan {
    pub(super) gate: Gate,
    pub(super) vcpus: Vec<Vcpu>,
    /// Empty where the gate is off.
    pub(super) vmemranges: Vec<OwnedRange>,
    pub(super) e820: Vec<E820Entry>,
    pub(super) allocations: BTreeMap<AllocationKind, u64>,
    /// Nodes whose pieces were merged to keep the map short.
    pub(super) merged: u32,
    /// The map is trimmed in address order, not by node.
    pub(super) first_fit: bool,
    distances: Vec<Distance>,
    domains: Vec<ProximityDomain>,
}

/// A vCPU; None where nothing pins it, or without vNUMA.
pub(super) struct Vcpu {
    pub(super) pcpu: Option<u32>,
    pub(super) apic_id: ApicId,
    pub(super) domain: Option<ProximityDomain>,
    pub(super) pnode: Option<NodeId>,
}

/// A vmemrange with the names of its node.
pub(super) struct OwnedRange {
    pub(super) range: GpaRange,
    pub(super) domain: ProximityDomain,
    pub(super) pnode: NodeId,
    pub(super) hotplug: bool,
}

/// What allocations are counted by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AllocationKind {
    /// Where the pages lie.
    pub(super) pnode: NodeId,
    /// Of 4 KiB pages; the largest first.
    pub(super) order: std::cmp::Reverse<u8>,
    pub(super) fallback: bool,
}

/// The plan's tables and what they say.
pub(super) struct Tables {
    pub(super) image: TableImage,
    /// The machine as a table for people.
    pub(super) machine: String,
}

/// Owned memory for a layout.
struct Lent {
    domains: Vec<Option<ProximityDomain>>,
    pnodes: Vec<Option<NodeId>>,
    vcpu_to_vnode: Vec<VnodeId>,
    ranges: Vec<Vmemrange>,
    distances: Vec<Distance>,
}

impl Plan {
    pub(super) fn new(host: &HostFile) -> Result<Self, Failure> {
        let fail = |error| host.place(error);
        let mut lent = Lent::new(host).map_err(fail)?;
        let layout = match lent.layout(host) {
            // What Xen cannot hold or pin closes the gate; all else is wrong in the file.
            Err(
                error @ (Error::NoBlocks
                | Error::TooManyRanges { .. }
                | Error::TooManyVnodes { .. }
                | Error::TooManyVcpus { .. }),
            ) => Err(error),
            Err(error) => return Err(fail(error)),
            Ok(layout) => Ok(layout),
        };

        let count = usize::try_from(host.vcpus).unwrap_or(usize::MAX);
        let mut ids = vec![ApicId(0); count];
        let assigned = layout.and_then(|layout| {
            let mut scratch = vec![0; layout.domains().len()];
            let placement = layout.placement();
            ApicIds::assign(placement, Scheme::FirstThatFits, HIGHEST_ID, &mut scratch, &mut ids)
        });
        let gate = Gate::evaluate(&gate_input(host, layout.ok(), assigned)?, HIGHEST_ID);
        let layout = layout.ok().filter(|_| gate.enabled());

        let mut plan = Self {
            gate,
            vcpus: Vec::new(),
            vmemranges: Vec::new(),
            e820: Vec::new(),
            allocations: BTreeMap::new(),
            merged: 0,
            first_fit: true,
            distances: Vec::new(),
            domains: Vec::new(),
        };
        plan.trim(host, layout)?;
        match layout {
            Some(layout) => {
                plan.take_layout(host, &layout, &ids)?;
                plan.populate(host, layout)?;
            }
            None => {
                plan.vcpus = (0..host.vcpus).map(|n| legacy_vcpu(host, VcpuId(n))).collect();
                // Frames that no range names ask for any node.
                let nowhere = Layout::new(&[], &[], &[], &[], &[]).map_err(fail)?;
                plan.populate(host, nowhere)?;
            }
        }
        Ok(plan)
    }

    /// The memory map: by node where there are nodes, else Xen's own.
    fn trim(&mut self, host: &HostFile, layout: Option<Layout<'_>>) -> Result<(), Failure> {
        let fail = |error| host.place(error);
        let (map, nr_pages) = (&host.map, host.nr_pages);
        let ranges = layout.map_or(&[][..], |layout| layout.ranges());
        let mut pieces = vec![Piece::UNUSED; Trim::pieces_needed(map, ranges).map_err(fail)?];
        let by_node = layout.map(|_| {
            Trim::by_node(map, ranges, &host.keep, nr_pages, e820::MAX_ENTRIES, &mut pieces)
        });
        self.first_fit = !matches!(by_node, Some(Ok(_)));
        let trim = match by_node {
            // A map that no merging makes short enough stays Xen's own.
            None | Some(Err(Error::TooManyEntries { .. })) => {
                Trim::first_fit(map, nr_pages, &mut pieces)
            }
            Some(trim) => trim,
        };
        let trim = trim.map_err(fail)?;
        self.merged = trim.merged();
        let unused =
            GpaRange::new(Gpa(0), Gpa(1)).map_err(|error| host.whole(error.to_string()))?;
        self.e820 = vec![E820Entry { range: unused, kind: E820Type::RESERVED }; trim.len()];
        trim.emit(&mut self.e820).map_err(fail)?;
        Ok(())
    }

    fn take_layout(
        &mut self,
        host: &HostFile,
        layout: &Layout<'_>,
        ids: &[ApicId],
    ) -> Result<(), Failure> {
        for ((cpu, &vnode), &apic_id) in host.cpus.iter().zip(layout.vcpu_to_vnode()).zip(ids) {
            self.vcpus.push(Vcpu {
                pcpu: Some(cpu.pcpu.0),
                apic_id,
                domain: layout.domain(vnode),
                pnode: layout.pnode(vnode),
            });
        }
        for range in layout.ranges() {
            if let (Some(domain), Some(pnode)) =
                (layout.domain(range.vnode), layout.pnode(range.vnode))
            {
                let Vmemrange { range, hotplug, .. } = *range;
                self.vmemranges.push(OwnedRange { range, domain, pnode, hotplug });
            }
        }
        // The tables take what `describe` makes of the layout.
        let nodes = usize::try_from(layout.nodes()).unwrap_or(usize::MAX);
        self.domains = vec![ProximityDomain(0); nodes];
        self.distances = vec![Distance::REMOTE; nodes.saturating_mul(nodes)];
        let unused =
            GpaRange::new(Gpa(0), Gpa(1)).map_err(|error| host.whole(error.to_string()))?;
        let memory = DescriptionMemory {
            processors: &mut vec![processor(0, ApicId(0), None); ids.len()],
            memory: &mut vec![
                memory_range(unused, ProximityDomain(0), false);
                layout.ranges().len()
            ],
            domains: &mut self.domains,
            matrix: &mut self.distances,
        };
        layout
            .describe(ids, memory, Description::EMPTY)
            .map(|_| ())
            .map_err(|error| host.place(error))
    }

    /// Every page of RAM, from a heap in which every block is wholly free.
    fn populate(&mut self, host: &HostFile, layout: Layout<'_>) -> Result<(), Failure> {
        let fail = |error| host.place(error);
        let highest = host.blocks.iter().map(|block| block.node.0).max().unwrap_or(0);
        let nodes = usize::try_from(highest).unwrap_or(usize::MAX).saturating_add(1);
        let mut nodes = vec![NodeHeap::EMPTY; nodes];
        let mut heap = WholeHeap::of_blocks(host.blocks.as_slice(), &mut nodes);
        if host.blocks.is_empty() || self.gate.uncovered_pages() > 0 {
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
            for allocation in Populate::new(layout, frames.start, frames.pages()).on(&mut heap) {
                let allocation = allocation.map_err(fail)?;
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
    pub(super) fn tables(&self, host: &HostFile, base: u64) -> Result<Tables, Failure> {
        let processors: Vec<Processor> = (0_u32..)
            .zip(&self.vcpus)
            .map(|(uid, vcpu)| processor(uid, vcpu.apic_id, vcpu.domain))
            .collect();
        let memory: Vec<MemoryRange> = self
            .vmemranges
            .iter()
            .map(|range| memory_range(range.range, range.domain, range.hotplug))
            .collect();
        let description = Description {
            processors: &processors,
            memory: &memory,
            distances: acpi_gen::Distances { domains: &self.domains, matrix: &self.distances },
            revisions: Revisions::MadtOf(MADT_REVISION),
            ..Description::EMPTY
        };
        let fail = |error: acpi_gen::Error| host.whole(error.to_string());
        let mut scratch = vec![0; Topology::scratch_len(&description)];
        let topology = Topology::new(description, &mut scratch).map_err(fail)?;
        let image = TableImage::new(&TableSet::new(&topology), base).map_err(fail)?;
        let machine = summary::machine(&topology, image.slit().as_ref());
        Ok(Tables { image, machine })
    }
}

impl Lent {
    fn new(host: &HostFile) -> Result<Self, Error> {
        let size = host.facts().layout_size(host.vcpus, Limits::XEN)?;
        Ok(Self {
            domains: vec![None; size.vnodes],
            pnodes: vec![None; size.vnodes],
            vcpu_to_vnode: vec![VnodeId(0); size.vcpus],
            ranges: vec![LayoutMemory::UNUSED_RANGE; size.ranges],
            distances: vec![Distance::REMOTE; size.distances],
        })
    }

    fn layout(&mut self, host: &HostFile) -> Result<Layout<'_>, Error> {
        let memory = LayoutMemory {
            domains: &mut self.domains,
            pnodes: &mut self.pnodes,
            vcpu_to_vnode: &mut self.vcpu_to_vnode,
            ranges: &mut self.ranges,
            distances: &mut self.distances,
        };
        Layout::for_dom0(host.facts(), host.vcpus, Limits::XEN, memory)
    }
}

fn gate_input<'a>(
    host: &HostFile,
    layout: Option<Layout<'_>>,
    ids: Result<ApicIds<'a>, Error>,
) -> Result<GateInput<'a>, Failure> {
    let uncovered_pages = match layout.map(|l| e820::check_coverage(&host.map, l.ranges())) {
        Some(Err(Error::RamNotCovered { uncovered, .. })) => uncovered,
        Some(Err(error)) => return Err(host.place(error)),
        Some(Ok(())) | None => 0,
    };
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Ok(GateInput {
        pvh: host.mode == Mode::Pvh,
        pinned: host.pinned,
        vcpus: host.vcpus,
        pcpus: number(host.cpus.len()),
        nodes: layout.map_or_else(|| number(host.nodes()), |layout| layout.nodes()),
        blocks: number(host.blocks.len()),
        max_nodes: Limits::XEN.vnodes,
        max_blocks: Limits::XEN.ranges,
        uncovered_pages,
        ids,
        coverage: Coverage::Partial,
    })
}

fn legacy_vcpu(host: &HostFile, vcpu: VcpuId) -> Vcpu {
    let at = usize::try_from(vcpu.0).unwrap_or(usize::MAX);
    let cpu = host.cpus.get(at).filter(|_| host.pinned);
    Vcpu {
        pcpu: cpu.map(|cpu| cpu.pcpu.0),
        apic_id: hv_glue::legacy_id(vcpu),
        domain: None,
        pnode: cpu.map(|cpu| cpu.node),
    }
}

fn processor(uid: u32, apic_id: ApicId, domain: Option<ProximityDomain>) -> Processor {
    Processor { uid: ProcessorUid(uid), apic_id, domain, state: ProcessorState::Enabled }
}

fn memory_range(range: GpaRange, domain: ProximityDomain, hot_pluggable: bool) -> MemoryRange {
    MemoryRange { range, domain, hot_pluggable, non_volatile: false }
}
