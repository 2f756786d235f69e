//! The interrupt controllers of a machine's own MADT: a table that replaces it
//! must describe the same ones, else the machine loses its interrupts.

use std::path::Path;

use acpi_gen::{
    InterruptOverride, LocalNmi, Madt, MadtEntry, NmiForm, NmiTarget, Polarity, ProcessorUid,
    Revisions, Table, Trigger,
};

use crate::failure::Failure;
use crate::machine::Machine;

/// Puts types 1, 2, 4 and 0xA, PCAT_COMPAT and the revision of the machine's MADT
/// in the place of the topology's.
pub(crate) fn take_from(
    path: &Path,
    table: &Table<'_>,
    machine: &mut Machine,
) -> Result<(), Failure> {
    let fail = |what: String| Failure::whole_file(path, what);
    let madt = Madt::parse(table.bytes()).map_err(|error| fail(error.to_string()))?;
    machine.revisions = Revisions::MadtOf(madt.table().revision());
    machine.pcat_compat = madt.pcat_compat();
    machine.io_apics.clear();
    machine.overrides.clear();
    machine.nmis.clear();
    for entry in madt.entries() {
        match entry.map_err(|error| fail(error.to_string()))? {
            MadtEntry::IoApic(io_apic) => machine.io_apics.push(io_apic),
            MadtEntry::InterruptOverride { bus: 0, source, gsi, flags } => {
                let (polarity, trigger) = inti(flags).map_err(fail)?;
                machine.overrides.push(InterruptOverride { source, gsi, polarity, trigger });
            }
            MadtEntry::InterruptOverride { bus, .. } => {
                return Err(fail(format!(
                    "interrupt source override on bus {bus}: only 0, ISA, is right"
                )));
            }
            MadtEntry::LocalApicNmi { uid, flags, lint } => {
                let uid = (uid != u8::MAX).then(|| u32::from(uid));
                machine.nmis.push(nmi(uid, flags, lint, NmiForm::LocalApic).map_err(fail)?);
            }
            MadtEntry::X2ApicNmi { uid, flags, lint } => {
                let uid = (uid.0 != u32::MAX).then_some(uid.0);
                machine.nmis.push(nmi(uid, flags, lint, NmiForm::X2Apic).map_err(fail)?);
            }
            _ => {}
        }
    }
    Ok(())
}

/// `uid` is none for all processors.
fn nmi(uid: Option<u32>, flags: u16, lint: u8, form: NmiForm) -> Result<LocalNmi, String> {
    let (polarity, trigger) = inti(flags)?;
    let target = uid.map_or(NmiTarget::All, |uid| NmiTarget::Uid(ProcessorUid(uid)));
    Ok(LocalNmi { target, lint, polarity, trigger, form })
}

/// MPS INTI flags, ACPI 6.5, table 5.26.
fn inti(flags: u16) -> Result<(Polarity, Trigger), String> {
    let polarity = match flags & 3 {
        0 => Some(Polarity::Conforming),
        1 => Some(Polarity::High),
        3 => Some(Polarity::Low),
        _ => None,
    };
    let trigger = match flags >> 2 & 3 {
        0 => Some(Trigger::Conforming),
        1 => Some(Trigger::Edge),
        3 => Some(Trigger::Level),
        _ => None,
    };
    polarity
        .zip(trigger)
        .ok_or_else(|| format!("MPS INTI flags {flags:#x} use a reserved polarity or trigger mode"))
}
