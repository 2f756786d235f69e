//! The host's description as the library takes it.

use acpi_gen::{Gpa, GpaRange, ProximityDomain};
use hv_glue::e820::{E820Entry, E820Type};
use hv_glue::{HostCpu, MemoryBlock, MemoryBlocks, NodeId, PcpuId};

use crate::fault::{Fault, wide};
use crate::lend::{Lent, Work, slice};
use crate::types::{HVG_MEMORY_HOTPLUG, HVG_NONE, HvgBlock, HvgE820, HvgHost, HvgRange};
use crate::what::HvgWhat as What;

/// Memory blocks in the caller's array. A block that is no range is no block:
/// [`Facts::lent`] has refused those.
pub(crate) struct Blocks<'a>(pub(crate) &'a [HvgBlock]);

impl MemoryBlocks for Blocks<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn get(&self, index: usize) -> Option<MemoryBlock> {
        let block = self.0.get(index)?;
        Some(MemoryBlock {
            range: GpaRange::new(Gpa(block.start), Gpa(block.end)).ok()?,
            node: NodeId(block.node),
            hotplug: block.flags & HVG_MEMORY_HOTPLUG != 0,
        })
    }
}

/// The arrays of a [`HvgHost`], converted into scratch memory where their form differs.
pub(crate) struct Facts<'a> {
    pub(crate) blocks: Blocks<'a>,
    pub(crate) cpus: &'a [HostCpu],
    pub(crate) node_to_pxm: &'a [Option<ProximityDomain>],
    pub(crate) distances: &'a [u8],
    pub(crate) map: &'a [E820Entry],
}

/// Bytes of scratch memory that [`Facts::lent`] takes.
pub(crate) fn facts_room(host: &HvgHost) -> usize {
    Work::room::<HostCpu>(len(host.nr_pcpus))
        .saturating_add(Work::room::<Option<ProximityDomain>>(len(host.nr_nodes)))
        .saturating_add(map_room(host.nr_e820))
}

/// Bytes of scratch memory that [`map_entries`] takes.
pub(crate) fn map_room(nr_e820: u32) -> usize {
    Work::room::<E820Entry>(len(nr_e820))
}

pub(crate) fn len(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Elements of the distances: all, or none.
fn distances_len(host: &HvgHost) -> u32 {
    if host.distances.is_null() { 0 } else { host.nr_nodes.saturating_mul(host.nr_nodes) }
}

/// Notes every array of the host as read by this call.
pub(crate) fn note(lent: &mut Lent, host: &HvgHost) -> Result<(), Fault> {
    lent.input(host.blocks, host.nr_blocks.into())?;
    lent.input(host.e820, host.nr_e820.into())?;
    lent.input(host.pcpus, host.nr_pcpus.into())?;
    lent.input(host.pcpu_node, host.nr_pcpus.into())?;
    lent.input(host.node_pxm, host.nr_nodes.into())?;
    lent.input(host.distances, distances_len(host).into())
}

impl<'a> Facts<'a> {
    /// # Safety
    /// [`note`] has passed this host in this call, its arrays are initialised,
    /// and they and `work` outlive `'a`.
    pub(crate) unsafe fn lent(host: &HvgHost, work: &mut Work<'a>) -> Result<Self, Fault> {
        // SAFETY: by this function's contract.
        let (blocks, map, pcpus, pcpu_node, node_pxm, distances) = unsafe {
            (
                slice(host.blocks, host.nr_blocks),
                slice(host.e820, host.nr_e820),
                slice(host.pcpus, host.nr_pcpus),
                slice(host.pcpu_node, host.nr_pcpus),
                slice(host.node_pxm, host.nr_nodes),
                slice(host.distances, distances_len(host)),
            )
        };
        for (index, block) in blocks.iter().enumerate() {
            range(index, block.start, block.end)?;
        }
        let cpus = work.take(pcpus.len(), HostCpu { pcpu: PcpuId(0), node: NodeId(0) })?;
        for ((cpu, pcpu), node) in cpus.iter_mut().zip(pcpus).zip(pcpu_node) {
            *cpu = HostCpu { pcpu: PcpuId(*pcpu), node: NodeId(*node) };
        }
        let node_to_pxm = work.take(node_pxm.len(), None)?;
        for (slot, pxm) in node_to_pxm.iter_mut().zip(node_pxm) {
            *slot = (*pxm != HVG_NONE).then_some(ProximityDomain(*pxm));
        }
        Ok(Self {
            blocks: Blocks(blocks),
            cpus,
            node_to_pxm,
            distances,
            map: map_entries(map, work)?,
        })
    }
}

/// A memory map; entries without bytes are left out.
pub(crate) fn map_entries<'a>(
    map: &[HvgE820],
    work: &mut Work<'a>,
) -> Result<&'a [E820Entry], Fault> {
    let Ok(none) = GpaRange::new(Gpa(0), Gpa(1)) else { return Ok(&[]) };
    let entries = work.take(map.len(), E820Entry { range: none, kind: E820Type::RESERVED })?;
    let mut filled = 0_usize;
    for (index, entry) in map.iter().enumerate() {
        if entry.start != entry.end
            && let Some(slot) = entries.get_mut(filled)
        {
            let range = range(index, entry.start, entry.end)?;
            *slot = E820Entry { range, kind: E820Type(entry.kind) };
            filled = filled.saturating_add(1);
        }
    }
    Ok(entries.get(..filled).unwrap_or_default())
}

/// Ranges that a trim keeps.
pub(crate) fn ranges<'a>(keep: &[HvgRange], work: &mut Work<'a>) -> Result<&'a [GpaRange], Fault> {
    let Ok(none) = GpaRange::new(Gpa(0), Gpa(1)) else { return Ok(&[]) };
    let ranges = work.take(keep.len(), none)?;
    for ((index, slot), keep) in ranges.iter_mut().enumerate().zip(keep) {
        *slot = range(index, keep.start, keep.end)?;
    }
    Ok(ranges)
}

/// The range of an element of an array.
pub(crate) fn range(index: usize, start: u64, end: u64) -> Result<GpaRange, Fault> {
    GpaRange::new(Gpa(start), Gpa(end))
        .map_err(|_| Fault::invalid(What::TableRangeEmpty, wide(index), start))
}
