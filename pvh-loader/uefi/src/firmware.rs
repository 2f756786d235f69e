//! What the application asks of the firmware: tables, memory, and to be left alone.

extern crate alloc;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ptr::NonNull;

use acpi_gen::{Gpa, GpaRange};
use pvh_boot::metal::Trampoline;
use pvh_boot::{MemoryMap, Platform, Staging};
use pvh_loader::{E820Entry, E820Type, EntryState};
use uefi::boot::{self, AllocateType, MemoryDescriptor, MemoryType};
use uefi::mem::memory_map::MemoryMap as _;
use uefi::prelude::*;
use uefi::system;
use uefi::table::cfg::ConfigTableEntry;

use crate::console::Console;
use crate::failure::Failure;

/// The last address that a 32-bit entry can reach.
const LAST_BELOW_4_GIB: u64 = 0xFFFF_FFFF;
/// Bytes of UEFI's pages.
const PAGE: u64 = 4096;
/// Memory descriptors that may come up between two calls.
const GROWTH: usize = 64;

/// The address of the RSDP of ACPI 2.0 and later. The configuration table may list
/// that of ACPI 1.0 too, even before it.
pub(crate) fn rsdp() -> Result<Gpa, Failure> {
    let address = system::with_config_table(|entries| {
        let entry = entries.iter().find(|entry| entry.guid == ConfigTableEntry::ACPI2_GUID)?;
        u64::try_from(entry.address.expose_provenance()).ok()
    });
    address.map(Gpa).ok_or_else(|| {
        Failure::new(Status::NOT_FOUND, "the firmware has no ACPI 2.0 tables, so no MADT")
    })
}

/// Pages of the firmware's, given back where the program returns.
pub(crate) struct Pages {
    first: NonNull<u8>,
    count: usize,
}

impl Pages {
    /// Takes as many pages as `size` bytes need.
    fn take(place: AllocateType, kind: MemoryType, size: u64) -> Result<Self, String> {
        let count = usize::try_from(size.div_ceil(PAGE)).unwrap_or(usize::MAX);
        boot::allocate_pages(place, kind, count)
            .map(|first| Self { first, count })
            .map_err(|error| format!("the firmware does not give {count} pages: {error}"))
    }

    /// A page for code below 4 GiB.
    pub(crate) fn for_code() -> Result<Self, Failure> {
        let place = AllocateType::MaxAddress(LAST_BELOW_4_GIB);
        Self::take(place, MemoryType::LOADER_CODE, PAGE)
            .map_err(|sentence| Failure::new(Status::OUT_OF_RESOURCES, sentence))
    }

    /// Their address.
    pub(crate) fn address(&self) -> u64 {
        u64::try_from(self.first.as_ptr().expose_provenance()).unwrap_or(u64::MAX)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the pages were allocated by `take`, and only what is written to them by
        // their addresses uses them: a guest that is given up, and a trampoline that is.
        let freed = unsafe { boot::free_pages(self.first, self.count) };
        debug_assert!(freed.is_ok());
    }
}

/// The machine under UEFI.
pub(crate) struct Uefi<'a> {
    pub(crate) console: &'a mut Console,
    pub(crate) trampoline: Trampoline,
    /// The trampoline's page and the plan's ranges, with room for the latter.
    pub(crate) pages: Vec<Pages>,
}

impl Platform for Uefi<'_> {
    fn print(&mut self, line: &str) {
        self.console.line(line);
    }

    fn memory_map(&mut self) -> Result<MemoryMap, String> {
        let get = || {
            boot::memory_map(MemoryType::LOADER_DATA)
                .map_err(|error| format!("the firmware gives no memory map: {error}"))
        };
        // First the lists, then the map that fills them: what the lists take up is in it.
        let room = get()?.len().saturating_add(GROWTH);
        let list = || Vec::with_capacity(room);
        let mut map =
            MemoryMap { regions: Vec::with_capacity(room), reserved: list(), busy: list() };
        let descriptors = get()?;
        fill(&mut map.regions, descriptors.entries());
        for descriptor in descriptors.entries().take(room) {
            // What boot services use is free once they are left, but for this program's
            // own; their stack, on which it runs, is not needed by the trampoline.
            let list = match descriptor.ty {
                MemoryType::BOOT_SERVICES_CODE | MemoryType::BOOT_SERVICES_DATA => &mut map.busy,
                MemoryType::LOADER_CODE | MemoryType::LOADER_DATA => &mut map.reserved,
                _ => continue,
            };
            list.extend(range(descriptor));
        }
        Ok(map)
    }

    fn claim(&mut self, range: GpaRange) -> Result<(), String> {
        let start = range.start().0;
        let pages =
            Pages::take(AllocateType::Address(start), MemoryType::LOADER_DATA, range.size());
        self.pages.push(pages.map_err(|sentence| format!("{start:#x}: {sentence}"))?);
        Ok(())
    }

    fn stage(&mut self, size: u64) -> Result<Gpa, String> {
        let place = AllocateType::MaxAddress(LAST_BELOW_4_GIB);
        let pages = Pages::take(place, MemoryType::LOADER_DATA, size)?;
        let at = pages.address();
        self.pages.push(pages);
        Ok(Gpa(at))
    }

    fn leave(&mut self, regions: &mut Vec<E820Entry>) -> bool {
        self.console.close();
        // SAFETY: what this program still uses is memory of its own: no protocol is open,
        // and nothing allocates or frees from here on.
        let map = unsafe { boot::exit_boot_services(None) };
        let fits = fill(regions, map.entries());
        // Freeing it would call the firmware.
        core::mem::forget(map);
        fits
    }

    fn enter(self, staged: Option<Staging>, state: &EntryState) -> ! {
        // SAFETY: `load` comes here after `leave`: boot services are gone, so this program is
        // alone, in 64-bit mode at level 0. The guest was written to claimed pages, apart from
        // this program, its stack and the trampoline.
        unsafe { self.trampoline.enter(staged, state) }
    }
}

/// The map as the guest is told it. False where the list's room does not suffice.
fn fill<'d>(
    regions: &mut Vec<E820Entry>,
    descriptors: impl Iterator<Item = &'d MemoryDescriptor>,
) -> bool {
    regions.clear();
    for descriptor in descriptors {
        let Some(range) = range(descriptor) else { continue };
        if regions.len() == regions.capacity() {
            return false;
        }
        regions.push(E820Entry { range, kind: kind(descriptor) });
    }
    true
}

fn range(descriptor: &MemoryDescriptor) -> Option<GpaRange> {
    let size = descriptor.page_count.checked_mul(PAGE)?;
    GpaRange::with_size(Gpa(descriptor.phys_start), size).ok()
}

/// UEFI 2.10, table 7.10 (after ExitBootServices), and ACPI 6.5, table 15.6.
fn kind(descriptor: &MemoryDescriptor) -> E820Type {
    match descriptor.ty {
        MemoryType::CONVENTIONAL
        | MemoryType::LOADER_CODE
        | MemoryType::LOADER_DATA
        | MemoryType::BOOT_SERVICES_CODE
        | MemoryType::BOOT_SERVICES_DATA => E820Type::RAM,
        MemoryType::ACPI_RECLAIM => E820Type::ACPI,
        MemoryType::ACPI_NON_VOLATILE => E820Type::NVS,
        MemoryType::UNUSABLE => E820Type::UNUSABLE,
        MemoryType::PERSISTENT_MEMORY => E820Type::PMEM,
        _ => E820Type::RESERVED,
    }
}
