//! fwts: reserved bits, exact lengths, and revisions that belong together.

use core::ops::RangeInclusive;

use super::{Kind, Severity, Tables, devices, processors::usable};
use crate::{
    FadtView, IntiFlags, Madt, MadtEntry, Slit, Srat, SratEntry, SubTable, bits::BitSet256, madt,
    slit, sort, srat,
};

pub(super) fn check(
    tables: &Tables<'_>,
    scratch: &mut [u32],
    report: &mut impl FnMut(Severity, Kind),
) {
    let fadt = tables.fadt.and_then(|bytes| FadtView::parse(bytes).ok());
    if let Some(Ok(madt)) = tables.madt.map(Madt::parse) {
        interrupt_controllers(&madt, fadt, &mut |kind| report(Severity::Error, kind));
        if let Some(dsdt) = tables.dsdt {
            processor_devices(&madt, dsdt, scratch, &mut |kind| report(Severity::Error, kind));
        }
    }
    if let Some(Ok(srat)) = tables.srat.map(Srat::parse) {
        affinity(&srat, &mut |kind| report(Severity::Error, kind));
    }
    if let Some(Ok(slit)) = tables.slit.map(Slit::parse) {
        distances(&slit, &mut |kind| report(Severity::Error, kind));
    }
}

/// Enabled processors whose UID no device of the DSDT has.
fn processor_devices(
    madt: &Madt<'_>,
    dsdt: &[u8],
    scratch: &mut [u32],
    report: &mut impl FnMut(Kind),
) {
    let Some(uids) = devices::uids(dsdt) else { return };
    let devices = sort::collected(scratch, uids.map(|uid| uid.0));
    let without =
        usable(madt, None).filter(|cpu| cpu.enabled && devices.binary_search(&cpu.uid.0).is_err());
    if let Some(first) = without.clone().next() {
        report(Kind::UidWithoutDevice { count: without.count(), first: first.uid });
    }
}

/// MADT revisions with the FADT versions that go with them, as in fwts' own table.
const PAIRS: [(u8, (u8, u8)); 14] = [
    (1, (1, 0)),
    (1, (3, 0)),
    (2, (4, 0)),
    (3, (4, 0)),
    (3, (5, 0)),
    (3, (5, 1)),
    (3, (6, 0)),
    (4, (6, 0)),
    (4, (6, 1)),
    (4, (6, 2)),
    (5, (6, 3)),
    (5, (6, 4)),
    (6, (6, 5)),
    (7, (6, 6)),
];
/// The highest major version of a FADT that fwts knows.
const MAX_FADT: u8 = 6;
/// Types that the specification reserves; from 0x80 on they are the firmware's own.
const RESERVED_TYPES: RangeInclusive<u8> = 0x1C..=0x7F;

/// What fwts finds in a MADT's revision.
fn revision_pair(madt: u8, (major, minor): (u8, u8)) -> Option<Kind> {
    // Before 5.1 the byte of the minor version is reserved.
    let fadt = (major, if major < 5 { 0 } else { minor });
    let mut rows = PAIRS.iter().filter(|(revision, row)| {
        *revision == madt && row.0 <= fadt.0 && row.1 <= fadt.1 && fadt.0 <= MAX_FADT
    });
    if rows.clone().any(|(_, row)| *row == fadt) {
        return None;
    }
    Some(match rows.next() {
        Some(_) => Kind::RevisionPair { madt, fadt },
        None => Kind::NoRevisionPair { madt, fadt },
    })
}

fn interrupt_controllers(
    madt: &Madt<'_>,
    fadt: Option<FadtView<'_>>,
    report: &mut impl FnMut(Kind),
) {
    let signature = madt::SIGNATURE;
    let revision = madt.table().revision();
    if let Some(kind) = fadt.and_then(|fadt| revision_pair(revision, fadt.version())) {
        report(kind);
        if matches!(kind, Kind::NoRevisionPair { .. }) {
            return;
        }
    }
    if madt.flags() & !1 != 0 {
        report(Kind::Reserved { signature, offset: 40 });
    }
    let mut io_apics = BitSet256::EMPTY;
    for entry in madt.sub_tables().flatten() {
        let SubTable { offset, kind, bytes } = entry;
        if RESERVED_TYPES.contains(&kind) {
            report(Kind::ReservedType { offset, kind });
        }
        let Some(entry_type) = MadtEntry::entry_type(kind) else { continue };
        let exact = entry_type.len;
        let varies = [MadtEntry::LOCAL_SAPIC.code, MadtEntry::WAKEUP.code].contains(&kind);
        if bytes.len() > exact && !varies {
            report(Kind::EntryTooLong { signature, offset, len: bytes.len(), exact });
        }
        let Ok(parsed) = MadtEntry::parse(entry) else { continue };
        let clean = match parsed {
            MadtEntry::LocalApic { flags, .. } | MadtEntry::X2Apic { flags, .. } => {
                let bad = flags & !3 != 0 || flags == 3 || (flags & 2 != 0 && revision < 5);
                if bad {
                    report(Kind::ProcessorFlags { offset, flags, revision });
                }
                true
            }
            MadtEntry::IoApic { id, address, .. } => {
                if !io_apics.insert(id) || address == 0 {
                    report(Kind::IoApic { id, address });
                }
                true
            }
            MadtEntry::InterruptOverride { bus, flags, .. } => {
                bus == 0 && IntiFlags::from_bits(flags).is_some()
            }
            MadtEntry::LocalApicNmi { flags, .. } | MadtEntry::X2ApicNmi { flags, .. } => {
                IntiFlags::from_bits(flags).is_some()
            }
            MadtEntry::NmiSource { flags, .. } | MadtEntry::PlatformInterrupt { flags, .. } => {
                IntiFlags::from_bits(flags).is_some()
            }
            MadtEntry::LocalApicAddress { .. }
            | MadtEntry::IoSapic { .. }
            | MadtEntry::LocalSapic { .. }
            | MadtEntry::MultiprocessorWakeup { .. }
            | MadtEntry::Other(_) => true,
        };
        if !clean || !entry_type.reserved_is_zero(bytes) {
            report(Kind::Reserved { signature, offset });
        }
    }
}

fn affinity(srat: &Srat<'_>, report: &mut impl FnMut(Kind)) {
    let signature = srat::SIGNATURE;
    if srat.table().bytes().get(36..40) != Some(&[1, 0, 0, 0]) {
        report(Kind::Reserved { signature, offset: 36 });
    }
    for entry in srat.sub_tables().flatten() {
        let SubTable { offset, kind, bytes } = entry;
        if kind == SratEntry::INITIATOR.code && !initiator_is_clean(bytes) {
            report(Kind::Reserved { signature, offset });
        }
        let Some(entry_type) = SratEntry::entry_type(kind) else { continue };
        let exact = entry_type.len;
        if bytes.len() > exact {
            report(Kind::EntryTooLong { signature, offset, len: bytes.len(), exact });
        }
        let clean = match SratEntry::parse(entry) {
            Ok(SratEntry::LocalApic { flags, .. }) => flags & !1 == 0,
            Ok(SratEntry::Memory { flags, .. }) => flags & !0xF == 0,
            // fwts does not read the reserved bytes behind the clock domain.
            Ok(SratEntry::X2Apic { flags, .. }) => {
                flags & !1 == 0 && bytes.get(2..4) == Some(&[0, 0])
            }
            _ => continue,
        };
        if !clean {
            report(Kind::Reserved { signature, offset });
        }
    }
}

/// Generic initiator, ACPI 6.5, 5.2.16.6: its length, handle type, flags, and what is
/// reserved around and in the handle (4 bytes behind an ACPI one, 12 behind a PCI one).
fn initiator_is_clean(bytes: &[u8]) -> bool {
    let zero =
        |at: core::ops::Range<usize>| bytes.get(at).is_some_and(|r| r.iter().all(|b| *b == 0));
    let handle = match bytes.get(3) {
        Some(0) => zero(20..24),
        Some(1) => zero(12..24),
        _ => false,
    };
    let flags = matches!(bytes.get(24..28), Some([low, 0, 0, 0]) if low & !3 == 0);
    bytes.len() == 32 && zero(2..3) && handle && flags && zero(28..32)
}

/// Entries below 10, and the corners of the diagonal.
fn distances(slit: &Slit<'_>, report: &mut impl FnMut(Kind)) {
    let last = slit.localities().saturating_sub(1);
    for (from, row) in slit.rows().enumerate() {
        for (to, &value) in row.iter().enumerate() {
            let corner = from == to && (from == 0 || from == last);
            if value < 10 || (corner && value != 10) {
                let place = |n| crate::ProximityDomain(u32::try_from(n).unwrap_or(u32::MAX));
                return report(Kind::Distance { from: place(from), to: place(to), value });
            }
        }
    }
    if slit.localities() > 0xFFFF {
        report(Kind::Reserved { signature: slit::SIGNATURE, offset: 36 });
    }
}
