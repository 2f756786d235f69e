//! The interrupt controllers of a machine's own MADT: a table that replaces it
//! must describe the same ones, else the machine loses its interrupts.

use alloc::format;
use alloc::string::{String, ToString};

use acpi_gen::{
    InterruptOverride, IntiFlags, IoApic, LocalNmi, Madt, MadtEntry, NmiForm, NmiTarget,
    ProcessorUid, Revisions,
};

use crate::Machine;

impl Machine {
    /// Puts types 1, 2, 4 and 0xA, PCAT_COMPAT and the revision of the machine's own
    /// MADT in the place of the topology's.
    ///
    /// # Errors
    /// What is wrong with the MADT.
    pub fn take_interrupts_of(&mut self, madt: &Madt<'_>) -> Result<(), String> {
        self.revisions = Revisions::MadtOf(madt.table().revision());
        self.pcat_compat = madt.pcat_compat();
        self.io_apics.clear();
        self.overrides.clear();
        self.nmis.clear();
        for entry in madt.entries() {
            match entry.map_err(|error| error.to_string())? {
                MadtEntry::IoApic { id, address, gsi_base } => {
                    self.io_apics.push(IoApic { id, address, gsi_base });
                }
                MadtEntry::InterruptOverride { bus: 0, source, gsi, flags } => {
                    let IntiFlags { polarity, trigger } = inti(flags)?;
                    self.overrides.push(InterruptOverride { source, gsi, polarity, trigger });
                }
                MadtEntry::InterruptOverride { bus, .. } => {
                    return Err(format!(
                        "interrupt source override on bus {bus}: only 0, ISA, is right"
                    ));
                }
                MadtEntry::LocalApicNmi { uid, flags, lint } => {
                    let uid = (uid != u8::MAX).then(|| u32::from(uid));
                    self.nmis.push(nmi(uid, flags, lint, NmiForm::LocalApic)?);
                }
                MadtEntry::X2ApicNmi { uid, flags, lint } => {
                    let uid = (uid.0 != u32::MAX).then_some(uid.0);
                    self.nmis.push(nmi(uid, flags, lint, NmiForm::X2Apic)?);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// `uid` is none for all processors.
fn nmi(uid: Option<u32>, flags: u16, lint: u8, form: NmiForm) -> Result<LocalNmi, String> {
    let IntiFlags { polarity, trigger } = inti(flags)?;
    let target = uid.map_or(NmiTarget::All, |uid| NmiTarget::Uid(ProcessorUid(uid)));
    Ok(LocalNmi { target, lint, polarity, trigger, form })
}

/// Reserved bits of a machine's own table are ignored, as operating systems do.
fn inti(flags: u16) -> Result<IntiFlags, String> {
    IntiFlags::from_bits(flags & 0xF)
        .ok_or_else(|| format!("MPS INTI flags {flags:#x} use a reserved polarity or trigger mode"))
}
