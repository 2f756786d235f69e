//! A plan's ACPI tables.

use acpi_gen::{
    AcpiVersion, Description, Entries, Gpa, InterruptOverride, IoApic, LocalNmi, NmiForm,
    NmiTarget, Oem, Polarity, ProcessorUid, Revisions, TableSet, Trigger,
};

use crate::border::{Arguments, Work, call, read, read_mut, slice, slice_mut};
use crate::guest::bad_element;
use crate::plan::{HvgPlan, Kind, convert};
use crate::rules::{Border, Fault, wide};
use crate::types::{
    HVG_MAX_TABLES, HVG_NONE, HVG_TABLES_HYBRID, HVG_TABLES_PCAT, HvgError, HvgIoApic, HvgNmi,
    HvgOverride, HvgPlaced, HvgTable, HvgTables,
};

const _: () = assert!(HVG_MAX_TABLES == acpi_gen::MAX_TABLES);

/// Bytes that the arrays of a [`HvgTables`] take in the library's form.
pub(crate) fn room(elements: u32) -> usize {
    let elements = crate::plan::len(elements);
    let none = Work::room::<IoApic>(0)
        .saturating_add(Work::room::<InterruptOverride>(0))
        .saturating_add(Work::room::<LocalNmi>(0))
        .saturating_add(Work::room::<Gpa>(0));
    Work::room::<[u64; 2]>(elements).saturating_add(none)
}

const _: () = {
    assert!(size_of::<IoApic>() <= 16 && size_of::<InterruptOverride>() <= 16);
    assert!(size_of::<LocalNmi>() <= 16 && size_of::<Gpa>() <= 16);
};

/// Checks the tables' content and says how many bytes the whole set takes: RSDP, XSDT, MADT,
/// and SRAT and SLIT where the plan has a layout; for a guest FADT, DSDT and FACS, too.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said; the memory of
/// `plan` is still there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_tables_len(
    plan: *mut HvgPlan,
    tables: *const HvgTables,
    tables_len: *mut u64,
    error: *mut HvgError,
) -> i32 {
    let body = |arguments: &mut Arguments| {
        arguments.output(tables_len, 1)?;
        // SAFETY: the caller's promise.
        let total = unsafe { set_of(arguments, plan, tables)? }.len()?;
        // SAFETY: noted above.
        unsafe { tables_len.write(wide(total)) };
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// Writes the whole set into `buffer`, which the guest will see at `base`: a
/// multiple of 16, for a guest's set of 64. -ENOBUFS where it does not fit.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said; the memory of
/// `plan` is still there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_tables_emit(
    plan: *mut HvgPlan,
    tables: *const HvgTables,
    buffer: *mut u8,
    buffer_len: u32,
    base: u64,
    placed: *mut HvgPlaced,
    error: *mut HvgError,
) -> i32 {
    let body = |arguments: &mut Arguments| {
        // SAFETY: the caller's promise.
        let out = unsafe { read_mut(arguments, placed)? };
        arguments.output(buffer, buffer_len.into())?;
        // SAFETY: noted above.
        let buffer = unsafe { slice_mut(buffer, buffer_len) };
        // SAFETY: the caller's promise.
        let at = unsafe { set_of(arguments, plan, tables)? }.emit(buffer, Gpa(base))?;
        out.rsdp = at.rsdp().0;
        out.madt = at.table(*b"APIC").map_or(0, |table| table.address.0);
        out.len = wide(at.len());
        out.nr_tables = 0;
        for (slot, table) in out.tables.iter_mut().zip(at.tables()) {
            *slot = HvgTable {
                signature: table.signature,
                // The set fits into a buffer whose length is a u32.
                len: u32::try_from(table.len).unwrap_or(0),
                address: table.address.0,
            };
            out.nr_tables = out.nr_tables.saturating_add(1);
        }
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// # Safety
/// As the functions above.
#[inline(never)]
unsafe fn set_of<'a>(
    arguments: &mut Arguments,
    plan: *mut HvgPlan,
    tables: *const HvgTables,
) -> Result<TableSet<'a>, Fault> {
    // SAFETY: the caller's promise.
    let (plan, tables) = unsafe { (HvgPlan::borrow(arguments, plan)?, read(arguments, tables)?) };
    arguments.input(tables.io_apics, tables.nr_io_apics.into())?;
    arguments.input(tables.overrides, tables.nr_overrides.into())?;
    arguments.input(tables.nmis, tables.nr_nmis.into())?;
    arguments.input(tables.tables, tables.nr_tables.into())?;
    // SAFETY: noted above.
    let (io_apics, overrides, nmis, further) = unsafe {
        (
            slice(tables.io_apics, tables.nr_io_apics),
            slice(tables.overrides, tables.nr_overrides),
            slice(tables.nmis, tables.nr_nmis),
            slice(tables.tables, tables.nr_tables),
        )
    };
    let mut work = Work::over(&mut *plan.spare);
    let mut rest = Description {
        io_apics: convert(io_apics, &mut work, io_apic)?,
        overrides: convert(overrides, &mut work, interrupt_override)?,
        nmis: convert(nmis, &mut work, nmi)?,
        pcat_compat: tables.flags & HVG_TABLES_PCAT != 0,
        oem: Oem {
            id: tables.oem_id,
            table_id: tables.oem_table_id,
            revision: tables.oem_revision,
        },
        ..Description::EMPTY
    };
    if tables.flags & HVG_TABLES_HYBRID != 0 {
        rest.entries = Entries::Hybrid;
    }
    let further = convert(further, &mut work, |_, address| Ok(Gpa(*address)))?;
    let set = match &mut plan.kind {
        Kind::Dom0(dom0) => {
            let revision = u8::try_from(tables.madt_revision)
                .map_err(|_| Fault::invalid(Border::StructField, 0, tables.madt_revision.into()))?;
            dom0.tables(Description { revisions: Revisions::MadtOf(revision), ..rest })?
        }
        Kind::Guest(guest) => {
            rest.revisions = Revisions::Acpi(AcpiVersion::V6_5);
            guest.tables(rest)?
        }
    };
    Ok(set.with_tables(further))
}
fn io_apic(index: usize, from: &HvgIoApic) -> Result<IoApic, Fault> {
    let id = u8::try_from(from.id).map_err(|_| bad_element(index, from.id))?;
    Ok(IoApic { id, address: from.address, gsi_base: from.gsi_base })
}

fn interrupt_override(index: usize, from: &HvgOverride) -> Result<InterruptOverride, Fault> {
    let (polarity, trigger) = inti_flags(index, from.flags)?;
    let source = u8::try_from(from.source).map_err(|_| bad_element(index, from.source))?;
    Ok(InterruptOverride { source, gsi: from.gsi, polarity, trigger })
}

fn nmi(index: usize, from: &HvgNmi) -> Result<LocalNmi, Fault> {
    let (polarity, trigger) = inti_flags(index, from.flags)?;
    Ok(LocalNmi {
        target: match from.uid {
            HVG_NONE => NmiTarget::All,
            uid => NmiTarget::Uid(ProcessorUid(uid)),
        },
        lint: u8::try_from(from.lint).map_err(|_| bad_element(index, from.lint))?,
        polarity,
        trigger,
        form: NmiForm::AsProcessors,
    })
}

/// MPS INTI flags. ACPI 6.5, table 5.26.
fn inti_flags(index: usize, flags: u32) -> Result<(Polarity, Trigger), Fault> {
    let polarity = match flags & 3 {
        0 => Polarity::Conforming,
        1 => Polarity::High,
        3 => Polarity::Low,
        _ => return Err(bad_element(index, flags)),
    };
    let trigger = match flags >> 2 {
        0 => Trigger::Conforming,
        1 => Trigger::Edge,
        3 => Trigger::Level,
        _ => return Err(bad_element(index, flags)),
    };
    Ok((polarity, trigger))
}
