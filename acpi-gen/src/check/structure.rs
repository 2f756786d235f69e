//! What every consumer needs: tables and entries that can be read, and sums.

use super::{Consumer, Kind, Severity, Tables};
use crate::{
    Error, FadtView, Madt, MadtEntry, Rsdp, Slit, Srat, SratEntry, Table, madt, srat, xsdt::Xsdt,
};

/// The table by which the machine has no x86 processors but others: the MADT, or the SRAT
/// where there is no MADT.
pub(super) fn of_other_processors(tables: &Tables<'_>) -> Option<[u8; 4]> {
    let (mut x86, mut others) = (false, false);
    if let Some(madt) = tables.madt {
        for entry in Madt::parse(madt).ok()?.sub_tables().flatten() {
            x86 |= [MadtEntry::LOCAL_APIC.code, MadtEntry::X2APIC.code].contains(&entry.kind);
            others |= MadtEntry::other_title(entry.kind).is_some();
        }
        return (others && !x86).then_some(madt::SIGNATURE);
    }
    for entry in Srat::parse(tables.srat?).ok()?.sub_tables().flatten() {
        x86 |= [SratEntry::LOCAL_APIC.code, SratEntry::X2APIC.code].contains(&entry.kind);
        others |= SratEntry::other_title(entry.kind).is_some();
    }
    (others && !x86).then_some(srat::SIGNATURE)
}

pub(super) fn check(
    tables: &Tables<'_>,
    consumer: Consumer,
    report: &mut impl FnMut(Severity, Kind),
) {
    let mut unreadable = |error| report(Severity::Error, Kind::Unreadable(error));
    let rsdp = tables.rsdp.and_then(|bytes| Rsdp::parse(bytes).map_err(&mut unreadable).ok());
    let read = [
        tables.xsdt.map(|bytes| Xsdt::parse(bytes).map(|xsdt| *xsdt.table())),
        tables.fadt.map(|bytes| FadtView::parse(bytes).map(|fadt| *fadt.table())),
        tables.madt.map(|bytes| Madt::parse(bytes).map(|madt| *madt.table())),
        tables.srat.map(|bytes| Srat::parse(bytes).map(|srat| *srat.table())),
        tables.slit.map(|bytes| Slit::parse(bytes).map(|slit| *slit.table())),
    ]
    .map(|table: Option<Result<Table<'_>, Error>>| table?.map_err(&mut unreadable).ok());
    entries(tables, &mut unreadable);

    // Linux and Xen are built to use a table whose sum is wrong, with a warning.
    let severity = match consumer {
        Consumer::Linux | Consumer::Xen => Severity::Note,
        Consumer::Fwts => Severity::Error,
    };
    let mut sum = |signature, sum| {
        if sum != 0 {
            report(severity, Kind::Checksum { signature, sum });
        }
    };
    if let Some(rsdp) = rsdp {
        let (first, extended) = rsdp.sums();
        sum(*b"RSDP", first);
        sum(*b"RSDP", extended.unwrap_or(0));
    }
    for table in read.into_iter().flatten() {
        sum(table.signature(), table.sum());
    }
}

/// Entries that are cut short: Linux and Xen drop the table for one of them.
fn entries(tables: &Tables<'_>, unreadable: &mut impl FnMut(Error)) {
    if let Some(Ok(madt)) = tables.madt.map(Madt::parse) {
        let errors = madt.sub_tables().filter_map(|e| e.and_then(MadtEntry::parse).err());
        errors.for_each(&mut *unreadable);
    }
    if let Some(Ok(srat)) = tables.srat.map(Srat::parse) {
        let errors = srat.sub_tables().filter_map(|e| e.and_then(SratEntry::parse).err());
        errors.for_each(unreadable);
    }
}
