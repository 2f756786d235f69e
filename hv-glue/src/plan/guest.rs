//! A guest's plan, from what a toolstack asks for.

use acpi_gen::{
    ApicId, Description, Distance, Distances, MemoryRange, Processor, ProximityDomain, TableSet,
    Topology,
};

use super::arena::Arena;
use crate::apic::PackageShape;
use crate::layout::Layout;
use crate::units::count;
use crate::{Error, NodeId, VcpuId};

/// What a toolstack asks for.
#[derive(Clone, Copy, Debug)]
pub struct GuestRequest<'a> {
    /// The vCPUs, each on a node; vCPU n has UID n. Their ids do not count: the
    /// hypervisor's do, see [`GuestPlan::set_ids`].
    pub processors: &'a [Processor],
    /// The memory, ascending, on whole pages.
    pub memory: &'a [MemoryRange],
    /// Distances between the nodes; pairs that are missing are 10 and 20.
    pub distances: Distances<'a>,
    /// The host node of each of the guest's nodes in ascending order of proximity domain,
    /// which is the order of the vnodes. Empty: any.
    pub pnodes: &'a [NodeId],
}

impl GuestRequest<'_> {
    /// No vCPUs; for the fields that a caller leaves as they are.
    pub const EMPTY: Self =
        Self { processors: &[], memory: &[], distances: Distances::DEFAULT, pnodes: &[] };
}

/// The plan of a guest: layout, ids and tables from one state.
///
/// The hypervisor chooses the ids of a guest, so the toolstack reads them back after it set
/// the layout, and gives them to [`GuestPlan::set_ids`].
#[derive(Debug)]
pub struct GuestPlan<'a> {
    processors: &'a mut [Processor],
    scratch: &'a mut [u32],
    layout: Layout,
    shape: Option<PackageShape>,
}

impl<'a> GuestPlan<'a> {
    /// No plan yet; as for a dom0, it is written where the caller wants it.
    #[inline(always)]
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default would be copied")]
    pub const fn new() -> Self {
        let Arena { processors, scratch, .. } = Arena::empty();
        Self { processors, scratch, layout: Layout::new(), shape: None }
    }

    /// Plans a guest. Its ids are `2 * vCPU`, Xen's without the opt-in, until
    /// [`GuestPlan::set_ids`] or [`GuestPlan::derive_ids`] changes them.
    ///
    /// # Errors
    /// [`Error::NoVcpus`], [`Error::VcpuWithoutNode`], [`Error::PnodesForNodes`],
    /// [`Error::TooManyVnodes`], [`Error::TooManyRanges`], [`Error::DistanceInvalid`],
    /// [`Error::DistancesNotSquare`], [`Error::RangeMisaligned`],
    /// [`Error::RangesNotAscending`], [`Error::RangesOverlap`], [`Error::ScratchTooSmall`].
    pub fn build(&mut self, request: GuestRequest<'_>, arena: Arena<'a>) -> Result<(), Error> {
        let GuestRequest { processors, memory, distances, pnodes } = request;
        let (needed, have) = (processors.len(), arena.processors.len());
        let (own, _) = arena
            .processors
            .split_at_mut_checked(needed)
            .ok_or(Error::ScratchTooSmall { needed, have })?;
        (self.processors, self.scratch, self.shape) = (own, arena.scratch, None);
        self.layout.clear();
        if processors.is_empty() {
            return Err(Error::NoVcpus);
        }
        for ((vcpu, slot), processor) in
            (0..).map(VcpuId).zip(self.processors.iter_mut()).zip(processors)
        {
            let domain = processor.domain.ok_or(Error::VcpuWithoutNode { vcpu })?;
            self.layout.add_node(domain, None)?;
            *slot = Processor { apic_id: crate::legacy_id(vcpu), ..*processor };
        }
        for range in memory {
            self.layout.add_node(range.domain, None)?;
            self.layout.push_memory(*range)?;
        }
        self.layout.set_pnodes(pnodes)?;
        let Distances { domains, matrix } = distances;
        if domains.len().checked_mul(domains.len()) != Some(matrix.len()) {
            let (nodes, entries) = (domains.len(), matrix.len());
            return Err(Error::DistancesNotSquare { nodes, entries });
        }
        let requested = |from: ProximityDomain, to: ProximityDomain| {
            let rank = |domain| domains.iter().position(|other| *other == domain);
            let (row, column) = rank(from).zip(rank(to))?;
            matrix.get(row.saturating_mul(domains.len()).saturating_add(column)).copied()
        };
        self.layout.set_distances(|(from, _), (to, _)| {
            let default = if from == to { Distance::LOCAL } else { Distance::REMOTE };
            requested(from, to).unwrap_or(default)
        })?;
        self.layout.check_memory()
    }

    /// Gives the vCPUs the ids that a hypervisor with hv-glue gives an opted-in guest: by
    /// vnode, as a guest's nodes have no other numbers there.
    ///
    /// # Errors
    /// [`Error::NoEncodingFits`]; the ids are unchanged then.
    pub fn derive_ids(&mut self) -> Result<(), Error> {
        let number = |rank| Some(ProximityDomain(count(rank)));
        let (shape, _) = super::assign_ids(&self.layout, self.processors, number)?;
        self.shape = Some(shape);
        Ok(())
    }

    /// Gives the vCPUs the ids that the hypervisor returned.
    ///
    /// # Errors
    /// [`Error::IdsForVcpus`]; the ids are unchanged then.
    pub fn set_ids(&mut self, ids: &[ApicId]) -> Result<(), Error> {
        let vcpus = self.processors.len();
        if ids.len() != vcpus {
            return Err(Error::IdsForVcpus { vcpus, ids: ids.len() });
        }
        for (processor, &id) in self.processors.iter_mut().zip(ids) {
            processor.apic_id = id;
        }
        self.shape = None;
        Ok(())
    }

    /// The layout, for `XEN_DOMCTL_setvnumainfo`.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The vCPUs with their ids.
    #[must_use]
    pub const fn processors(&self) -> &[Processor] {
        self.processors
    }

    /// What CPUID says; `None` unless the ids are derived here.
    #[must_use]
    pub const fn shape(&self) -> Option<PackageShape> {
        self.shape
    }

    /// All tables of a guest without firmware: RSDP, XSDT, FADT, MADT, SRAT, SLIT, DSDT and
    /// FACS. Interrupts, OEM fields and the ACPI version are `rest`'s.
    ///
    /// # Errors
    /// Those of [`Topology::new`], and [`acpi_gen::Error::FadtNotOurs`].
    pub fn tables<'s>(
        &'s mut self,
        rest: Description<'s>,
    ) -> Result<TableSet<'s>, acpi_gen::Error> {
        let layout = &self.layout;
        let description = Description {
            processors: self.processors,
            memory: layout.memory(),
            distances: Distances { domains: layout.domains(), matrix: layout.matrix() },
            ..rest
        };
        TableSet::complete(&Topology::new(description, self.scratch)?)
    }
}
