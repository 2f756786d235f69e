//! The I/O APICs of a MADT as Linux registers them (mp_register_ioapic).

use heapless::Vec;

use super::{Kind, Severity};
use crate::{Madt, MadtEntry};

/// MAX_IO_APICS; entries behind these are not read.
const MAX_IO_APICS: usize = 128;
/// Inputs that an I/O APIC usually has. The table does not say; older ones have 4 or 16.
const USUAL_INPUTS: u32 = 24;

/// Reports each I/O APIC that conflicts with one before it: Linux does not use it.
pub(super) fn check(madt: &Madt<'_>, report: &mut impl FnMut(Severity, Kind)) {
    let code = MadtEntry::IO_APIC.code;
    let entries = madt.sub_tables().flatten().filter(|entry| entry.kind == code);
    let count = entries.clone().count();
    if count > MAX_IO_APICS {
        report(Severity::Error, Kind::EntriesIgnored { kind: code, count, limit: MAX_IO_APICS });
    }
    let mut registered = Vec::<(u32, u32), MAX_IO_APICS>::new();
    for entry in entries.take(MAX_IO_APICS) {
        let Ok(MadtEntry::IoApic { id, address, gsi_base }) = MadtEntry::parse(entry) else {
            continue;
        };
        if address == 0 || registered.iter().any(|(other, _)| *other == address) {
            report(Severity::Error, Kind::IoApicAddress { id, address });
            continue;
        }
        let close = |other: &u32| gsi_base.abs_diff(*other) < USUAL_INPUTS;
        let bases = registered.iter().map(|(_, base)| *base);
        if let Some(other) = bases.filter(close).min_by_key(|other| gsi_base.abs_diff(*other)) {
            let kind = Kind::IoApicGsi { id, gsi_base, other };
            // Different bases overlap only if the lower I/O APIC has that many inputs.
            report(if other == gsi_base { Severity::Error } else { Severity::Note }, kind);
            if other == gsi_base {
                continue;
            }
        }
        // As many fit as are read.
        let _ = registered.push((address, gsi_base));
    }
}
