//! The machine: as a topology file says, where that fits the machine's APIC ids,
//! or else as the firmware's tables say.

use alloc::collections::BTreeMap;

use acpi_gen::{ApicId, GpaRange, MemoryRange, Processor, ProcessorState};
use acpi_gen_topology::{Machine, TopologyFile};

use crate::{Error, Firmware};

/// Describes the machine. Interrupts are always the firmware's. `boot` is the APIC id
/// of the processor that runs this, by CPUID.
///
/// A processor's UID is the one that the firmware's MADT gives its APIC id, because
/// the firmware's DSDT has devices with those.
///
/// # Errors
/// What is wrong with the topology or the firmware's tables, and a topology whose
/// APIC ids are not the machine's.
pub fn machine(
    topology: Option<&[u8]>,
    firmware: &Firmware<'_>,
    boot: ApicId,
) -> Result<Machine, Error> {
    let (madt, srat, slit) = (&firmware.madt, firmware.srat.as_ref(), firmware.slit.as_ref());
    let wrong = |what| Error::Table { signature: acpi_gen::madt::SIGNATURE, what };
    let facts = Machine::from_tables(madt, srat, slit).map_err(wrong)?;
    let Some(text) = topology else { return Ok(facts) };
    let file = TopologyFile::parse(text).map_err(Error::Topology)?;
    file.topology().map_err(Error::Topology)?;
    let mut machine = file.machine;
    take_uids(&mut machine.processors, &facts.processors, boot)?;
    machine.take_interrupts_of(madt).map_err(wrong)?;
    Ok(machine)
}

/// Gives each processor the UID that the machine's own tables have for its APIC id.
/// Processors that are not there at boot may have ids that the machine has not either.
fn take_uids(processors: &mut [Processor], facts: &[Processor], boot: ApicId) -> Result<(), Error> {
    let mut left: BTreeMap<_, _> = facts.iter().map(|it| (it.apic_id, it)).collect();
    let enabled = |it: &Processor| it.state == ProcessorState::Enabled;
    if let Some(first) = processors.first()
        && first.apic_id != boot
    {
        return Err(Error::OtherBootProcessor { topology: first.apic_id, machine: boot });
    }
    let stated: alloc::vec::Vec<_> = processors.iter().map(|it| it.apic_id).collect();
    for processor in processors.iter_mut() {
        match left.remove(&processor.apic_id) {
            Some(fact) if enabled(fact) || !enabled(processor) => processor.uid = fact.uid,
            None if !enabled(processor) => {}
            _ => {
                let machine = facts.iter().filter(|it| enabled(it)).map(|it| it.apic_id);
                return Err(Error::OtherApicId {
                    vcpu: processor.uid,
                    topology: processor.apic_id,
                    machine: machine.filter(|id| !stated.contains(id)).min(),
                });
            }
        }
    }
    match left.values().find(|it| enabled(it)) {
        Some(fact) => Err(Error::MissingApicId { machine: fact.apic_id }),
        None => Ok(()),
    }
}

/// The bytes of RAM that no node's memory covers. Linux drops an SRAT that leaves out
/// more than 1 MiB.
#[must_use]
pub fn uncovered(ram: impl Iterator<Item = GpaRange>, memory: &[MemoryRange]) -> u64 {
    let covered = |ram: GpaRange| {
        let parts = memory.iter().map(|it| {
            let start = it.range.start().max(ram.start());
            it.range.end().min(ram.end()).0.saturating_sub(start.0)
        });
        parts.fold(0, u64::saturating_add)
    };
    ram.map(|ram| ram.size().saturating_sub(covered(ram))).fold(0, u64::saturating_add)
}
