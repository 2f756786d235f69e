//! ACPI tables of any guest.

use acpi_gen::{
    AcpiVersion, ApicId, Description, Distance, Distances, Entries, Gpa, InterruptOverride, IoApic,
    LocalNmi, MemoryRange, NmiForm, NmiTarget, Oem, Polarity, Processor, ProcessorState,
    ProcessorUid, ProximityDomain, Revisions, TableSet, Topology, Trigger,
};

use crate::fault::{Fault, wide};
use crate::host::{len, range};
use crate::lend::{Lent, Work, call, read, read_mut, slice, slice_mut};
use crate::types::{
    HVG_MAX_TABLES, HVG_MEMORY_HOTPLUG, HVG_MEMORY_NONVOLATILE, HVG_NONE,
    HVG_PROCESSOR_ONLINE_CAPABLE, HVG_TABLES_COMPLETE, HVG_TABLES_HYBRID, HVG_TABLES_PCAT,
    HvgError, HvgIoApic, HvgMemory, HvgNmi, HvgOverride, HvgPlaced, HvgProcessor, HvgTable,
    HvgTables,
};
use crate::what::HvgWhat as What;

const _: () = assert!(HVG_MAX_TABLES == acpi_gen::MAX_TABLES);

/// The number of bytes that the other two calls need for these tables.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_tables_work_len(
    tables: *const HvgTables,
    work_len: *mut u64,
    error: *mut HvgError,
) -> i32 {
    let body = |lent: &mut Lent| {
        // SAFETY: the caller's promise.
        let tables = unsafe { read(lent, tables)? };
        lent.output(work_len, 1)?;
        let (processors, distances) = (len(tables.nr_processors), len(tables.nr_distances));
        let rooms = [
            Work::room::<Processor>(processors),
            Work::room::<MemoryRange>(len(tables.nr_memory)),
            Work::room::<ProximityDomain>(distances),
            Work::room::<Distance>(distances.saturating_mul(distances)),
            Work::room::<IoApic>(len(tables.nr_io_apics)),
            Work::room::<InterruptOverride>(len(tables.nr_overrides)),
            Work::room::<LocalNmi>(len(tables.nr_nmis)),
            Work::room::<Gpa>(len(tables.nr_foreign)),
            Work::room::<u32>(processors.max(distances)),
        ];
        let total = rooms.iter().fold(0_usize, |sum, room| sum.saturating_add(*room));
        // SAFETY: noted above.
        unsafe { work_len.write(wide(total)) };
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// Checks the tables' content and says how many bytes the whole set takes.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_tables_len(
    tables: *const HvgTables,
    work: *mut u8,
    work_len: u64,
    tables_len: *mut u64,
    error: *mut HvgError,
) -> i32 {
    let body = |lent: &mut Lent| {
        // SAFETY: the caller's promise.
        let tables = unsafe { read(lent, tables)? };
        note(lent, &tables)?;
        lent.output(work, work_len)?;
        lent.output(tables_len, 1)?;
        // SAFETY: noted above.
        let mut work = unsafe { Work::new(work, work_len) };
        // SAFETY: noted above.
        let described = unsafe { describe(&tables, &mut work)? };
        let total = with_set(&tables, &described, &mut work, |set| Ok(set.len()?))?;
        // SAFETY: noted above.
        unsafe { tables_len.write(wide(total)) };
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// Writes the whole set into `buffer`, which the guest will see at `base`: a
/// multiple of 16, of 64 for a complete set. -ENOBUFS where it does not fit.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_tables_emit(
    tables: *const HvgTables,
    work: *mut u8,
    work_len: u64,
    buffer: *mut u8,
    buffer_len: u32,
    base: u64,
    placed: *mut HvgPlaced,
    error: *mut HvgError,
) -> i32 {
    let body = |lent: &mut Lent| {
        // SAFETY: the caller's promise.
        let (tables, out) = unsafe { (read(lent, tables)?, read_mut(lent, placed)?) };
        note(lent, &tables)?;
        lent.output(work, work_len)?;
        lent.output(buffer, buffer_len.into())?;
        // SAFETY: noted above.
        let (mut work, buffer) =
            unsafe { (Work::new(work, work_len), slice_mut(buffer, buffer_len)) };
        // SAFETY: noted above.
        let described = unsafe { describe(&tables, &mut work)? };
        with_set(&tables, &described, &mut work, |set| {
            let at = set.emit(buffer, Gpa(base))?;
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
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

fn note(lent: &mut Lent, tables: &HvgTables) -> Result<(), Fault> {
    let distances = u64::from(tables.nr_distances);
    lent.input(tables.processors, tables.nr_processors.into())?;
    lent.input(tables.memory, tables.nr_memory.into())?;
    lent.input(tables.distance_pxm, distances)?;
    lent.input(tables.distances, distances.saturating_mul(distances))?;
    lent.input(tables.io_apics, tables.nr_io_apics.into())?;
    lent.input(tables.overrides, tables.nr_overrides.into())?;
    lent.input(tables.nmis, tables.nr_nmis.into())?;
    lent.input(tables.foreign, tables.nr_foreign.into())
}

/// The description, and the further tables' addresses.
struct Described<'a> {
    description: Description<'a>,
    foreign: &'a [Gpa],
}

/// # Safety
/// [`note`] has passed these tables in this call.
unsafe fn describe<'a>(tables: &HvgTables, work: &mut Work<'a>) -> Result<Described<'a>, Fault> {
    let squared = tables.nr_distances.saturating_mul(tables.nr_distances);
    // SAFETY: by this function's contract.
    let (processors, memory, pxms, distances, io_apics, overrides, nmis, foreign) = unsafe {
        (
            slice(tables.processors, tables.nr_processors),
            slice(tables.memory, tables.nr_memory),
            slice(tables.distance_pxm, tables.nr_distances),
            slice(tables.distances, squared),
            slice(tables.io_apics, tables.nr_io_apics),
            slice(tables.overrides, tables.nr_overrides),
            slice(tables.nmis, tables.nr_nmis),
            slice(tables.foreign, tables.nr_foreign),
        )
    };
    let description = Description {
        processors: convert(processors, work, processor)?,
        memory: convert(memory, work, memory_range)?,
        distances: Distances {
            domains: convert(pxms, work, |_, pxm| Ok(ProximityDomain(*pxm)))?,
            matrix: convert(distances, work, |_, value| Ok(Distance::clamped(*value)))?,
        },
        io_apics: convert(io_apics, work, io_apic)?,
        overrides: convert(overrides, work, interrupt_override)?,
        nmis: convert(nmis, work, nmi)?,
        entries: if tables.flags & HVG_TABLES_HYBRID == 0 {
            Entries::X2Apic
        } else {
            Entries::Hybrid
        },
        revisions: revisions(tables)?,
        pcat_compat: tables.flags & HVG_TABLES_PCAT != 0,
        oem: Oem {
            id: tables.oem_id,
            table_id: tables.oem_table_id,
            revision: tables.oem_revision,
        },
    };
    let foreign = convert(foreign, work, |_, address| Ok(Gpa(*address)))?;
    Ok(Described { description, foreign })
}

/// Each element in the library's form. `T` has no default, so the first element
/// fills the slots until they are converted.
fn convert<'a, F, T: Copy>(
    from: &[F],
    work: &mut Work<'a>,
    element: impl Fn(usize, &F) -> Result<T, Fault>,
) -> Result<&'a [T], Fault> {
    let Some(first) = from.first() else { return Ok(&[]) };
    let into = work.take(from.len(), element(0, first)?)?;
    for ((index, slot), value) in into.iter_mut().enumerate().zip(from) {
        *slot = element(index, value)?;
    }
    Ok(into)
}

fn processor(index: usize, from: &HvgProcessor) -> Result<Processor, Fault> {
    Ok(Processor {
        uid: ProcessorUid(u32::try_from(index).unwrap_or(u32::MAX)),
        apic_id: ApicId(from.apic_id),
        domain: (from.pxm != HVG_NONE).then_some(ProximityDomain(from.pxm)),
        state: match from.flags {
            0 => ProcessorState::Enabled,
            HVG_PROCESSOR_ONLINE_CAPABLE => ProcessorState::OnlineCapable,
            other => return Err(bad_element(index, other)),
        },
    })
}

fn memory_range(index: usize, from: &HvgMemory) -> Result<MemoryRange, Fault> {
    if from.flags & !(HVG_MEMORY_HOTPLUG | HVG_MEMORY_NONVOLATILE) != 0 {
        return Err(bad_element(index, from.flags));
    }
    Ok(MemoryRange {
        range: range(index, from.start, from.end)?,
        domain: ProximityDomain(from.pxm),
        hot_pluggable: from.flags & HVG_MEMORY_HOTPLUG != 0,
        non_volatile: from.flags & HVG_MEMORY_NONVOLATILE != 0,
    })
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

fn revisions(tables: &HvgTables) -> Result<Revisions, Fault> {
    match u8::try_from(tables.madt_revision) {
        Ok(0) => Ok(Revisions::Acpi(AcpiVersion::V6_5)),
        Ok(revision) => Ok(Revisions::MadtOf(revision)),
        Err(_) => Err(Fault::invalid(What::StructField, 0, tables.madt_revision.into())),
    }
}

fn bad_element(index: usize, value: u32) -> Fault {
    Fault::invalid(What::ElementField, wide(index), value.into())
}

fn with_set<T>(
    tables: &HvgTables,
    described: &Described<'_>,
    work: &mut Work<'_>,
    then: impl FnOnce(TableSet<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let scratch = work.take(Topology::scratch_len(&described.description), 0_u32)?;
    let topology = Topology::new(described.description, scratch)?;
    let set = if tables.flags & HVG_TABLES_COMPLETE == 0 {
        TableSet::new(&topology)
    } else {
        TableSet::complete(&topology)?
    };
    then(set.with_tables(described.foreign))
}
