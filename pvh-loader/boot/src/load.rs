//! From files in memory to a guest in place: what every loader does in the same way.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::convert::Infallible;

use acpi_gen::{AcpiVersion, Gpa, GpaRange, Physical, Revisions, TableSet, UncoveredRam};
use pvh_loader::{
    E820Entry, E820Type, EntryState, Guest, GuestMemory, Item, Kernel, Lists, Module, Plan,
    Relocation, map_len,
};

use crate::{Firmware, Staged, Staging, boot_apic_id, decompress, machine};

/// The files that a loader found.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// ELF image or bzImage.
    pub kernel: &'a [u8],
    /// The guest's first module.
    pub initrd: Option<&'a [u8]>,
    /// The guest's command line; white space at its end does not count.
    pub command_line: &'a [u8],
    /// A topology file; without one the firmware's SRAT and MADT describe the machine.
    pub topology: Option<&'a [u8]>,
}

/// Whose tables the guest gets beside MADT, SRAT and SLIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherTables {
    /// The firmware's, all of them.
    Firmware,
    /// Ours: a hardware-reduced FADT, a DSDT with the processors, a FACS.
    Own,
}

/// The machine's memory as a loader knows it at one moment.
#[derive(Clone, Debug, Default)]
pub struct MemoryMap {
    /// What the guest is told.
    pub regions: Vec<E820Entry>,
    /// RAM that the loader uses: nothing may be placed there.
    pub reserved: Vec<GpaRange>,
    /// RAM that is in use until the guest is entered, but not by the loader.
    pub busy: Vec<GpaRange>,
}

/// What loaders do each in their own way.
pub trait Platform {
    /// Shows a line of progress.
    fn print(&mut self, line: &str);

    /// The memory map. No more memory is allocated between this call and `claim`, but
    /// for what the call itself returns.
    ///
    /// # Errors
    /// A sentence.
    fn memory_map(&mut self) -> Result<MemoryMap, String>;

    /// Takes a range of the plan, so that nobody else gets it.
    ///
    /// # Errors
    /// A sentence.
    fn claim(&mut self, range: GpaRange) -> Result<(), String>;

    /// Memory below 4 GiB where `size` bytes can wait until the guest is entered.
    ///
    /// # Errors
    /// A sentence.
    fn stage(&mut self, size: u64) -> Result<Gpa, String>;

    /// Leaves the firmware behind, after the last message. Puts the final memory map
    /// into `regions`, within its capacity, or returns false where it is the one of
    /// `memory_map` still. Nothing is allocated from here on.
    fn leave(&mut self, regions: &mut Vec<E820Entry>) -> bool;

    /// Moves what was staged to its place, and enters the guest with these registers.
    /// Comes after `leave`.
    fn enter(self, staged: Option<Staging>, state: &EntryState) -> !;
}

/// Describes the machine, places the guest, writes it and enters it. This does not
/// return where it succeeds, because even freeing memory would call the firmware.
///
/// # Errors
/// A sentence; the machine is as it was, but for the claimed ranges' contents.
pub fn load<M, P>(
    files: Files<'_>,
    rsdp: Gpa,
    others: OtherTables,
    memory: M,
    mut platform: P,
) -> Result<Infallible, String>
where
    M: Physical + GuestMemory + Copy,
    P: Platform,
{
    let image = decompress::elf_image(files.kernel).map_err(text)?;
    if let Cow::Owned(image) = &image {
        platform.print(&format!("kernel unpacked to {} bytes", image.len()));
    }
    let kernel = Kernel::parse(&image).map_err(text)?;
    platform.print(&describe(&kernel));
    let firmware = Firmware::read(&memory, rsdp).map_err(text)?;
    let mut described = machine(files.topology, &firmware, boot_apic_id()).map_err(text)?;
    if others == OtherTables::Own {
        described.revisions = Revisions::Acpi(AcpiVersion::V6_5);
    }
    let topology = described.topology().map_err(text)?;
    let tables = match others {
        OtherTables::Own => TableSet::complete(&topology).map_err(text)?,
        OtherTables::Firmware => TableSet::new(&topology).with_tables(&firmware.others),
    };
    platform.print(&format!(
        "{} CPUs by {}; {}",
        described.processors.len(),
        if files.topology.is_some() { "topology.toml" } else { "the firmware's MADT and SRAT" },
        match others {
            OtherTables::Own => String::from("all tables are ours"),
            OtherTables::Firmware =>
                format!("{} tables of the firmware kept", firmware.others.len()),
        },
    ));

    let modules: Vec<_> =
        files.initrd.map(|bytes| Module { bytes, command_line: b"" }).into_iter().collect();
    let mut buffer = vec![0; tables.len().map_err(text)?];
    let mut places = vec![None; modules.len()];
    let now = platform.memory_map()?;
    // Room for a map that has grown by the time the firmware is left.
    let room = map_len(now.regions.len()).saturating_mul(2);
    let guest = Guest {
        kernel,
        modules: &modules,
        command_line: files.command_line.trim_ascii_end(),
        memory: &now.regions,
        reserved: &now.reserved,
        busy: &now.busy,
        tables,
    };
    let mut map = vec![None; room];
    let plan = Plan::new(guest, Lists { modules: &mut places, map: &mut map }).map_err(text)?;
    let mut memory = Staged { memory, staging: None };
    // What waits takes any place, so it comes after what needs its own.
    let waits = |item: &Item| *item == Item::Kernel && plan.kernel_waits();
    for (_, range) in plan.ranges().filter(|(item, _)| !waits(item)) {
        platform.claim(range)?;
    }
    for (_, range) in plan.ranges().filter(|(item, _)| waits(item)) {
        let at = platform.stage(range.size())?;
        memory.staging = Some(Staging { range, at });
    }
    for line in plan.to_string().lines() {
        platform.print(line);
    }
    let ram = now.regions.iter().filter(|it| it.kind == E820Type::RAM).map(|it| it.range);
    let covered = described.memory.iter().map(|it| it.range);
    let left_out = UncoveredRam::new(ram, covered).uncovered >> 20;
    if left_out > 0 && !described.memory.is_empty() {
        platform
            .print(&format!("{left_out} MiB of RAM are in no node: above 1, Linux drops the SRAT"));
    }
    if let Some(Staging { at, .. }) = memory.staging {
        platform.print(&format!("the kernel waits at {:#x}, as the firmware uses its place", at.0));
    }
    let entry = plan.write_guest(&mut buffer, &mut memory).map_err(text)?;

    let mut last_regions = Vec::with_capacity(room);
    let mut last_map = vec![None; room];
    platform.print("entering the kernel");
    if platform.leave(&mut last_regions) {
        // Where the final map cannot be passed on, the one of a moment ago stays.
        let _kept = plan.replace_map(&last_regions, &mut last_map, &mut memory);
    }
    platform.enter(memory.staging, &entry)
}

/// What the placement depends on: a kernel that cannot move needs its linked addresses free.
fn describe(kernel: &Kernel<'_>) -> String {
    let (segments, span) = (kernel.segments().count(), kernel.span());
    let place = match kernel.relocation() {
        Some(Relocation { align, min, max }) => {
            format!("can move within {:#x}-{:#x} by multiples of {align:#x}", min.0, max.0)
        }
        None => "cannot move".to_string(),
    };
    let (start, end) = (span.start().0, span.end().0);
    format!("kernel: {segments} segments linked at {start:#x}-{end:#x}, {place}")
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
