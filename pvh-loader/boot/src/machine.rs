//! The machine: as a topology file says, where that fits the machine's APIC ids,
//! or else as the firmware's tables say.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use acpi_gen::{ApicId, Madt, MadtEntry, Processor, ProcessorState, ProcessorUid};
use hv_glue_topology::{Machine, TopologyFile};

use crate::{Error, Firmware};

/// Describes the machine. Interrupts are always the firmware's. `boot` is the APIC id
/// of the processor that runs this, by CPUID.
///
/// A processor's UID is the one that the firmware's MADT gives its APIC id, because
/// the firmware's DSDT has devices with those; an absent processor that this MADT does
/// not name gets the lowest UID that is left.
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
    let absent = take_uids(&mut machine.processors, &facts.processors, boot)?;
    number(absent, &facts.processors, madt);
    machine.take_interrupts_of(madt).map_err(wrong)?;
    Ok(machine)
}

/// Gives each processor the UID that the machine's own tables have for its APIC id.
/// Processors that are not there at boot may have ids that the machine has not either:
/// these are returned.
fn take_uids<'p>(
    processors: &'p mut [Processor],
    facts: &[Processor],
    boot: ApicId,
) -> Result<Vec<&'p mut Processor>, Error> {
    let mut left: BTreeMap<_, _> = facts.iter().map(|it| (it.apic_id, it)).collect();
    let enabled = |it: &Processor| it.state == ProcessorState::Enabled;
    if let Some(first) = processors.first()
        && first.apic_id != boot
    {
        return Err(Error::OtherBootProcessor { topology: first.apic_id, machine: boot });
    }
    let stated: Vec<_> = processors.iter().map(|it| it.apic_id).collect();
    let mut absent = Vec::new();
    for processor in processors.iter_mut() {
        match left.remove(&processor.apic_id) {
            Some(fact) if enabled(fact) || !enabled(processor) => processor.uid = fact.uid,
            None if !enabled(processor) => absent.push(processor),
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
        None => Ok(absent),
    }
}

/// Gives absent processors the UIDs that the MADT keeps for their APIC ids, by entries
/// that are not enabled, and those without such an entry the lowest that it has not.
fn number(absent: Vec<&mut Processor>, facts: &[Processor], madt: &Madt<'_>) {
    let mut named: BTreeSet<_> = facts.iter().map(|it| it.uid).collect();
    let mut kept = BTreeMap::new();
    for entry in madt.entries().filter_map(Result::ok) {
        let (uid, apic_id) = match entry {
            MadtEntry::LocalApic { uid, apic_id, .. } => {
                (ProcessorUid(uid.into()), ApicId(apic_id.into()))
            }
            MadtEntry::X2Apic { uid, apic_id, .. } => (uid, apic_id),
            _ => continue,
        };
        if named.insert(uid) {
            kept.entry(apic_id).or_insert(uid);
        }
    }
    let mut unused = (0..=u32::MAX).map(ProcessorUid).filter(|uid| !named.contains(uid));
    for processor in absent {
        if let Some(uid) = kept.get(&processor.apic_id).copied().or_else(|| unused.next()) {
            processor.uid = uid;
        }
    }
}
