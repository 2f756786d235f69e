//! A plan's ACPI tables.

use acpi_gen::{
    AcpiVersion, Description, Entries, Gpa, InterruptOverride, IntiFlags, IoApic, LocalNmi,
    NmiForm, NmiTarget, Oem, ProcessorUid, Revisions, TableSet, Violation,
};

use crate::border::{Arguments, call};
use crate::error::{Border, bad_element, wide};
use crate::plan::{HvgPlan, PlanOf};
use crate::types::{
    HVG_MAX_TABLES, HVG_NONE, HVG_TABLES_HYBRID, HVG_TABLES_PCAT, HvgError, HvgIoApic, HvgNmi,
    HvgOverride, HvgPlaced, HvgTable, HvgTables,
};
use crate::work::Work;

const _: () = assert!(HVG_MAX_TABLES == acpi_gen::MAX_TABLES);

/// Bytes that the arrays of a [`HvgTables`] take in the library's form.
pub(crate) fn room(elements: usize) -> usize {
    // Four arrays: the alignment of three comes on top.
    Work::room::<[u64; 2]>(elements).saturating_add(size_of::<[u64; 3]>())
}

const _: () = {
    assert!(size_of::<IoApic>() <= 16 && size_of::<InterruptOverride>() <= 16);
    assert!(size_of::<LocalNmi>() <= 16 && size_of::<Gpa>() <= 16);
};

/// Checks the tables' content and says how many bytes the whole set takes: RSDP, XSDT, MADT,
/// and SRAT and SLIT where the plan has a layout; for a guest FADT, DSDT and FACS, too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_plan_tables_len(
    plan: *mut HvgPlan,
    tables: *const HvgTables,
    tables_len: *mut u64,
    error: *mut HvgError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        call(error, |arguments| {
            let out = arguments.place(tables_len)?;
            out.write(wide(set_of(arguments, plan, tables)?.len()?));
            Ok(0)
        })
    }
}

/// Writes the whole set into `buffer`, which the guest will see at `base`: a
/// multiple of 16, for a guest's set of 64. -ENOBUFS where it does not fit.
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
    // SAFETY: the caller's promise.
    unsafe {
        call(error, |arguments| {
            let out = arguments.read_mut(placed)?;
            let buffer = arguments.slice_mut(buffer, buffer_len)?;
            let at = set_of(arguments, plan, tables)?.emit(buffer, Gpa(base))?;
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
        })
    }
}

/// # Safety
/// As the functions above.
#[inline(never)]
unsafe fn set_of<'a>(
    arguments: &mut Arguments,
    plan: *mut HvgPlan,
    tables: *const HvgTables,
) -> Result<TableSet<'a>, Violation> {
    // SAFETY: the caller's promise.
    let (plan, tables, io_apics, overrides, nmis, further) = unsafe {
        let (plan, tables) = (HvgPlan::borrow(arguments, plan)?, arguments.read(tables)?);
        (
            plan,
            tables,
            arguments.slice(tables.io_apics, tables.nr_io_apics)?,
            arguments.slice(tables.overrides, tables.nr_overrides)?,
            arguments.slice(tables.nmis, tables.nr_nmis)?,
            arguments.slice(tables.tables, tables.nr_tables)?,
        )
    };
    let mut work = Work::over(&mut *plan.spare);
    let hybrid = tables.flags & HVG_TABLES_HYBRID != 0;
    let mut rest = Description {
        io_apics: work.convert(io_apics, io_apic)?,
        overrides: work.convert(overrides, interrupt_override)?,
        nmis: work.convert(nmis, nmi)?,
        pcat_compat: tables.flags & HVG_TABLES_PCAT != 0,
        entries: if hybrid { Entries::Hybrid } else { Description::EMPTY.entries },
        oem: Oem {
            id: tables.oem_id,
            table_id: tables.oem_table_id,
            revision: tables.oem_revision,
        },
        ..Description::EMPTY
    };
    let further = work.convert(further, |_, address| Ok(Gpa(*address)))?;
    let set = match &mut plan.of {
        PlanOf::Dom0(dom0) => {
            let revision = u8::try_from(tables.madt_revision)
                .map_err(|_| Border::StructField.broken(0, tables.madt_revision.into()))?;
            rest.revisions = Revisions::MadtOf(revision);
            dom0.tables(rest)?
        }
        PlanOf::Guest(guest) => {
            rest.revisions = Revisions::Acpi(AcpiVersion::V6_5);
            guest.tables(rest)?
        }
    };
    Ok(set.with_tables(further))
}

fn io_apic(at: usize, from: &HvgIoApic) -> Result<IoApic, Violation> {
    Ok(IoApic { id: byte(at, from.id)?, address: from.address, gsi_base: from.gsi_base })
}

fn interrupt_override(at: usize, from: &HvgOverride) -> Result<InterruptOverride, Violation> {
    let IntiFlags { polarity, trigger } = inti_flags(at, from.flags)?;
    Ok(InterruptOverride { source: byte(at, from.source)?, gsi: from.gsi, polarity, trigger })
}

fn nmi(at: usize, from: &HvgNmi) -> Result<LocalNmi, Violation> {
    let IntiFlags { polarity, trigger } = inti_flags(at, from.flags)?;
    Ok(LocalNmi {
        target: match from.uid {
            HVG_NONE => NmiTarget::All,
            uid => NmiTarget::Uid(ProcessorUid(uid)),
        },
        lint: byte(at, from.lint)?,
        polarity,
        trigger,
        form: NmiForm::AsProcessors,
    })
}

fn byte(at: usize, value: u32) -> Result<u8, Violation> {
    u8::try_from(value).map_err(|_| bad_element(at, value))
}

fn inti_flags(at: usize, flags: u32) -> Result<IntiFlags, Violation> {
    let bits = u16::try_from(flags).ok();
    bits.and_then(IntiFlags::from_bits).ok_or(bad_element(at, flags))
}
