//! The layout as acpi-gen's description, from which all tables come.

use acpi_gen::{
    ApicId, Description, Distance, Distances, MemoryRange, Processor, ProcessorState, ProcessorUid,
    ProximityDomain,
};

use crate::host::lend;
use crate::{Error, Layout, VnodeId};

/// Memory that the caller lends to a description.
#[derive(Debug)]
pub struct DescriptionMemory<'a> {
    /// One for each vCPU.
    pub processors: &'a mut [Processor],
    /// One for each vmemrange.
    pub memory: &'a mut [MemoryRange],
    /// One for each vnode that is not a gap.
    pub domains: &'a mut [ProximityDomain],
    /// The square of that.
    pub matrix: &'a mut [Distance],
}

impl Layout<'_> {
    /// What the tables say of the layout: vCPU n has UID n, its id and the host's
    /// proximity domain of its node; each vmemrange is one memory range. The rest
    /// (OEM fields, revisions, interrupts) is `rest`'s. Gaps need no word: a SLIT
    /// fills them with 10 and 20.
    ///
    /// # Errors
    /// [`Error::IdsForVcpus`], [`Error::OutputTooSmall`].
    pub fn describe<'a>(
        &self,
        ids: &[ApicId],
        memory: DescriptionMemory<'a>,
        rest: Description<'a>,
    ) -> Result<Description<'a>, Error> {
        let vcpus = self.vcpu_to_vnode().len();
        if ids.len() != vcpus {
            return Err(Error::IdsForVcpus { vcpus, ids: ids.len() });
        }
        let present = || {
            let vnodes = (0..).map(VnodeId).zip(self.domains());
            vnodes.filter_map(|(vnode, domain)| domain.map(|domain| (vnode, domain)))
        };
        let nodes = present().count();

        let processors = lend(memory.processors, vcpus)?;
        let ranges = lend(memory.memory, self.ranges().len())?;
        let domains = lend(memory.domains, nodes)?;
        let matrix = lend(memory.matrix, nodes.saturating_mul(nodes))?;

        let of_vcpus = (0..).map(ProcessorUid).zip(self.vcpu_to_vnode()).zip(ids);
        for (slot, ((uid, &vnode), &apic_id)) in processors.iter_mut().zip(of_vcpus) {
            let domain = self.domain(vnode);
            *slot = Processor { uid, apic_id, domain, state: ProcessorState::Enabled };
        }
        for (slot, range) in ranges.iter_mut().zip(self.ranges()) {
            // `Layout::new` saw that the vnode exists.
            let domain = self.domain(range.vnode).unwrap_or(ProximityDomain(range.vnode.0));
            *slot = MemoryRange {
                range: range.range,
                domain,
                hot_pluggable: range.hotplug,
                non_volatile: false,
            };
        }
        for (slot, (_, domain)) in domains.iter_mut().zip(present()) {
            *slot = domain;
        }
        let mut slots = matrix.iter_mut();
        for (from, _) in present() {
            for ((to, _), slot) in present().zip(slots.by_ref()) {
                *slot = self.distance(from, to);
            }
        }
        Ok(Description {
            processors,
            memory: ranges,
            distances: Distances { domains, matrix },
            ..rest
        })
    }
}
