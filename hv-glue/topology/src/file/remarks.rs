//! What a description may have but is hardly meant.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use acpi_gen::{ApicId, Gpa, GpaRange, MemoryRange};

use super::place::Places;
use super::schema::DistanceValue;
use crate::source::{Source, Span};
use crate::{FileError, Machine};

const PAGE: u64 = 4096;
/// Where every x86 processor has the registers of its local APIC, a page.
const LOCAL_APIC: u64 = 0xFEE0_0000;
/// Inputs that an I/O APIC usually has.
const USUAL_INPUTS: u32 = 24;

/// A place and what is to be said of it.
pub(super) type Remark = (Span, String);

/// All remarks, by their place in the file.
pub(super) fn all(source: &Source, machine: &Machine, places: &Places) -> Vec<FileError> {
    let mut found = Vec::new();
    for (memory, span) in machine.memory.iter().zip(&places.memory) {
        unaligned(memory, span, &mut found);
    }
    covered(machine, places, &mut found);
    io_apics(machine, places, &mut found);
    one_direction(machine, places, &mut found);
    found.extend(places.clamped.iter().cloned());
    found.sort_by_key(|(span, _)| span.start);
    found.into_iter().map(|(span, what)| source.fail(&span, what)).collect()
}

/// Borders inside a page: kernels and hypervisors cut the page off.
fn unaligned(memory: &MemoryRange, span: &Span, found: &mut Vec<Remark>) {
    let (start, end) = (memory.range.start().0, memory.range.end().0);
    if start % PAGE == 0 && end % PAGE == 0 {
        return;
    }
    let hint = match end.checked_add(1) {
        Some(next) if next % PAGE == 0 => {
            format!("the end is excluded, so {next:#x} is probably meant")
        }
        _ => "numbers without a unit are bytes".into(),
    };
    found.push((span.clone(), format!("memory {} is not on 4 KiB: {hint}", memory.range)));
}

/// RAM at addresses that are registers.
fn covered(machine: &Machine, places: &Places, found: &mut Vec<Remark>) {
    let page = |address: u64| GpaRange::with_size(Gpa(address & !PAGE.saturating_sub(1)), PAGE);
    let io_apics = machine.io_apics.iter().map(|it| ("an I/O APIC", u64::from(it.address)));
    for (what, address) in [("the local APICs", LOCAL_APIC)].into_iter().chain(io_apics) {
        let Ok(registers) = page(address) else { continue };
        if let Some((memory, span)) = over(machine, places, registers) {
            let what =
                format!("memory {} is over the registers of {what} at {address:#x}", memory.range);
            found.push((span, what));
        }
    }
}

/// The first memory range that shares addresses with `range`, and its place.
pub(super) fn over<'m>(
    machine: &'m Machine,
    places: &Places,
    range: GpaRange,
) -> Option<(&'m MemoryRange, Span)> {
    let mut all = machine.memory.iter().zip(&places.memory);
    let (memory, span) = all.find(|(memory, _)| memory.range.overlaps(range))?;
    Some((memory, span.clone()))
}

/// I/O APICs that Linux does not use beside one before them.
fn io_apics(machine: &Machine, places: &Places, found: &mut Vec<Remark>) {
    for (index, (io_apic, place)) in machine.io_apics.iter().zip(&places.io_apics).enumerate() {
        let before = || machine.io_apics.iter().take(index);
        if let Some(other) = before().find(|other| other.address == io_apic.address) {
            let (id, address) = (other.id, other.address);
            let what = format!("I/O APIC {id} has the address {address:#x} too");
            found.push((place.address.clone(), what));
        }
        let close =
            |other: &&acpi_gen::IoApic| other.gsi_base.abs_diff(io_apic.gsi_base) < USUAL_INPUTS;
        if let Some(other) = before().find(close) {
            let what = format!(
                "gsi_base {} is less than {USUAL_INPUTS} from {} of I/O APIC {}: their interrupts overlap if an I/O APIC has as many inputs as usual",
                io_apic.gsi_base, other.gsi_base, other.id
            );
            found.push((place.gsi_base.clone(), what));
        }
    }
}

/// Distances that the file has in one direction only.
fn one_direction(machine: &Machine, places: &Places, found: &mut Vec<Remark>) {
    for (&(from, to), span) in &places.distances {
        if from == to || places.distances.contains_key(&(to, from)) {
            continue;
        }
        let row = machine.domains.binary_search(&to).ok();
        let column = machine.domains.binary_search(&from).ok();
        let cell = row.zip(column).and_then(|(row, column)| {
            let at = row.checked_mul(machine.domains.len())?.checked_add(column)?;
            machine.distances.get(at)
        });
        let value = cell.map_or(0, |distance| distance.get());
        let what = format!(
            "distance from {} to {} is given, but none from {} to {}: it is {value}",
            from.0, to.0, to.0, from.0
        );
        found.push((span.clone(), what));
    }
}

/// CPUs whose ids do not fit the 8 bits of xAPIC mode.
pub(super) fn high_ids(machine: &Machine, places: &Places) -> Option<Remark> {
    let all = machine.processors.iter().zip(&places.processors);
    let mut high = all.filter(|(processor, _)| processor.apic_id > ApicId::MAX_XAPIC);
    let (first, span) = high.next()?;
    let ids = high.map(|(processor, _)| processor.apic_id);
    let (count, highest) =
        ids.fold((1_usize, first.apic_id), |(n, most), id| (n.saturating_add(1), most.max(id)));
    let what = format!(
        "{count} of {} CPUs have APIC ids above {} (the highest: {}): they need interrupt remapping or extended destination ids",
        machine.processors.len(),
        ApicId::MAX_XAPIC.0,
        highest.0
    );
    Some((span.clone(), what))
}

/// A remark on a distance that does not fit the SLIT's byte.
pub(super) fn clamped(value: &toml::Spanned<DistanceValue>) -> Option<Remark> {
    match *value.get_ref() {
        DistanceValue::Number(number) if number > 254 => Some((
            value.span(),
            format!(
                "distance {number} is above 254 and becomes 254; the word \"unreachable\" gives 255"
            ),
        )),
        _ => None,
    }
}
