//! The processors of a MADT as Xen 4.20 registers them (arch/x86/acpi/boot.c, mpparse.c).

use super::{
    Kind, Severity,
    processors::{Usable, usable},
};
use crate::{ApicId, Madt, MadtEntry, sort};

/// The default CONFIG_NR_CPUS.
const NR_CPUS: usize = 256;
/// MAX_APICS, four times NR_CPUS; also how many entries of a type are read.
const MAX_APICS: u16 = 1024;
/// MAX_MADT_ENTRIES, twice NR_CPUS.
const MAX_MADT_ENTRIES: u32 = 512;

/// `boot` is the processor that runs Xen while it reads the MADT.
pub(super) fn check(
    madt: &Madt<'_>,
    boot: ApicId,
    scratch: &mut [u32],
    report: &mut impl FnMut(Severity, Kind),
) {
    let enabled = usable(madt, None).filter(|cpu| cpu.enabled);
    if enabled.clone().next().is_none() {
        return report(Severity::Error, Kind::NoUsableProcessor);
    }
    for entry_type in [MadtEntry::LOCAL_APIC, MadtEntry::X2APIC] {
        let entries = madt.sub_tables().flatten().filter(|entry| entry.kind == entry_type.code);
        let count = entries.count();
        let limit = usize::from(MAX_APICS);
        if count > limit {
            report(Severity::Error, Kind::EntriesIgnored { kind: entry_type.code, count, limit });
        }
    }
    let limits = (u32::from(MAX_APICS), MAX_MADT_ENTRIES);
    let fits = |cpu: &Usable| cpu.type0 || cpu.apic_id.0 < limits.0 && cpu.uid.0 < limits.1;
    let beyond = enabled.clone().filter(|cpu| !fits(cpu));
    if let Some(Usable { apic_id, uid, .. }) = beyond.clone().next() {
        let kind =
            Kind::ProcessorsBeyondLimit { count: beyond.count(), first: (apic_id, uid), limits };
        report(Severity::Error, kind);
    }
    let taken = enabled.filter(fits);
    let count = taken.clone().count();
    if count > NR_CPUS {
        report(Severity::Error, Kind::TooManyProcessors { count, limit: NR_CPUS });
    }
    // Type 9 entries that repeat type 0 entries are registered like all others. Xen resets a
    // running processor when it starts it again, and hangs; it never starts the boot processor.
    let ids = sort::collected(scratch, taken.map(|cpu| cpu.apic_id.0));
    let until = ids.partition_point(|id| *id < boot.0);
    let (below, rest) = ids.split_at_checked(until).unwrap_or_default();
    let until = rest.partition_point(|id| *id == boot.0);
    let (of_boot, above) = rest.split_at_checked(until).unwrap_or_default();
    if let Some(id) = sort::first_duplicate(below).or_else(|| sort::first_duplicate(above)) {
        report(Severity::Error, Kind::DuplicateApicId { id: ApicId(id) });
    }
    if of_boot.len() > 1 {
        report(Severity::Note, Kind::DuplicateApicId { id: boot });
    }
}
