//! The processors of a MADT as an operating system counts them.

use crate::{ApicId, FadtView, Madt, MadtEntry, ProcessorUid, Srat, SratEntry};

/// A processor entry that is not marked "ignore" and may be used.
#[derive(Clone, Copy)]
pub(super) struct Usable {
    pub(super) uid: ProcessorUid,
    pub(super) apic_id: ApicId,
    pub(super) type0: bool,
    /// Present at boot; the others are room for CPUs to come, and may repeat an ID.
    pub(super) enabled: bool,
}

/// Linux counts a processor that is neither enabled nor online-capable where the
/// FADT is older than ACPI 6.3, which has no such flag.
pub(super) fn usable<'a>(
    madt: &Madt<'a>,
    fadt: Option<FadtView<'_>>,
) -> impl Iterator<Item = Usable> + Clone + use<'a> {
    let knows_online_capable = fadt.is_some_and(|fadt| fadt.version() >= (6, 3));
    let wanted = move |flags: u32| flags & 1 != 0 || !knows_online_capable || flags & 2 != 0;
    madt.sub_tables().filter_map(move |entry| match MadtEntry::parse(entry.ok()?).ok()? {
        MadtEntry::LocalApic { uid, apic_id, flags } if apic_id != 0xFF && wanted(flags) => {
            Some(Usable {
                uid: ProcessorUid(u32::from(uid)),
                apic_id: ApicId(u32::from(apic_id)),
                type0: true,
                enabled: flags & 1 != 0,
            })
        }
        MadtEntry::X2Apic { uid, apic_id, flags }
            if apic_id != ApicId::RESERVED && wanted(flags) =>
        {
            Some(Usable { uid, apic_id, type0: false, enabled: flags & 1 != 0 })
        }
        _ => None,
    })
}

/// The IDs that enabled processor entries of an SRAT place on a node.
pub(super) fn with_affinity<'a>(srat: &Srat<'a>) -> impl Iterator<Item = ApicId> + Clone + use<'a> {
    srat.sub_tables().filter_map(|entry| match SratEntry::parse(entry.ok()?).ok()? {
        SratEntry::LocalApic { apic_id, flags, .. } if flags & 1 != 0 => {
            Some(ApicId(u32::from(apic_id)))
        }
        SratEntry::X2Apic { apic_id, flags, .. } if flags & 1 != 0 => Some(apic_id),
        _ => None,
    })
}
