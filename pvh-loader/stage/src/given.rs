//! What the loader in front, QEMU, passes to the stage. All of it is read before
//! there is a heap, which is put where nothing else lies.

use acpi_gen::{Gpa, GpaRange};
use pvh_loader::{MapEntry, ModuleEntry, Region, RegionKind, StartInfo};
use pvh_metal::IdentityMapped;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

const FOUR_GIB: u64 = 1 << 32;
/// The longest command line that is read.
const MAX_STRING: u64 = 4096;

unsafe extern "C" {
    static stage_image_start: u8;
    static stage_image_end: u8;
}

/// The stage's start info, taken apart.
pub(crate) struct Given {
    map: &'static [MapEntry],
    /// The stage itself, its stack and its page tables.
    pub(crate) image: GpaRange,
    /// Where the archive lies.
    pub(crate) module: GpaRange,
    /// The archive.
    pub(crate) archive: &'static [u8],
    /// Where the heap goes.
    pub(crate) heap: GpaRange,
    /// The stage's own command line.
    pub(crate) command_line: &'static [u8],
    /// The firmware's RSDP.
    pub(crate) rsdp: Gpa,
}

impl Given {
    /// Reads the start info at `at`.
    pub(crate) fn read(memory: IdentityMapped, at: u64) -> Result<Self, &'static str> {
        let info = memory.get(at, 56).ok_or("the start info is not below 4 GiB")?;
        let info =
            StartInfo::parse(info).map_err(|_| "EBX is not a start info with a memory map")?;
        let map: &[MapEntry] =
            array(memory, info.memmap_paddr.get(), info.memmap_entries.get(), "the memory map")?;
        let modules: &[ModuleEntry] =
            array(memory, info.modlist_paddr.get(), info.nr_modules.get(), "the module list")?;
        let module = modules.first().ok_or("no module: an archive with the kernel is needed")?;
        let module = GpaRange::with_size(Gpa(module.paddr.get()), module.size.get())
            .map_err(|_| "the module is empty")?;
        let image = GpaRange::new(
            Gpa(address(&raw const stage_image_start)),
            Gpa(address(&raw const stage_image_end)),
        )
        .map_err(|_| "the stage is linked wrongly")?;
        Ok(Self {
            map,
            image,
            module,
            archive: memory
                .get(module.start().0, module.size())
                .ok_or("the module is not below 4 GiB")?,
            heap: heap(map, image, module).ok_or("no RAM for a heap")?,
            command_line: string(memory, info.cmdline_paddr.get()),
            rsdp: Gpa(info.rsdp_paddr.get()),
        })
    }

    /// The machine's memory map.
    pub(crate) fn regions(&self) -> impl Iterator<Item = Region> {
        regions(self.map)
    }
}

fn regions(map: &[MapEntry]) -> impl Iterator<Item = Region> {
    map.iter().filter_map(|entry| {
        let range = GpaRange::with_size(Gpa(entry.addr.get()), entry.size.get()).ok()?;
        Some(Region { range, kind: RegionKind(entry.kind.get()) })
    })
}

/// The upper half of the largest piece of RAM below 4 GiB that is free, so that the
/// guest has the lower half. Loaders put modules at the end of RAM.
fn heap(map: &[MapEntry], image: GpaRange, module: GpaRange) -> Option<GpaRange> {
    let free = regions(map).filter(|region| region.kind == RegionKind::RAM).filter_map(|region| {
        let start = region.range.start().max(if region.range.overlaps(image) {
            image.end()
        } else {
            Gpa(0)
        });
        let mut end = region.range.end().min(Gpa(FOUR_GIB));
        if region.range.overlaps(module) {
            end = end.min(module.start());
        }
        GpaRange::new(start, end).ok()
    });
    let largest = free.max_by_key(|range| range.size())?;
    let middle = largest.start().0.checked_add(largest.size() / 2)?.next_multiple_of(4096);
    GpaRange::new(Gpa(middle), largest.end()).ok()
}

fn array<T: FromBytes + Immutable + KnownLayout + Unaligned>(
    memory: IdentityMapped,
    at: u64,
    count: u32,
    what: &'static str,
) -> Result<&'static [T], &'static str> {
    if count == 0 {
        return Ok(&[]);
    }
    let size = u64::try_from(size_of::<T>()).unwrap_or(u64::MAX).saturating_mul(count.into());
    let bytes = memory.get(at, size).ok_or(what)?;
    <[T]>::ref_from_bytes(bytes).map_err(|_| what)
}

/// A string that ends with a zero, without it; empty where there is none.
fn string(memory: IdentityMapped, at: u64) -> &'static [u8] {
    let bytes = memory.get(at, MAX_STRING).unwrap_or_default();
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn address(symbol: *const u8) -> u64 {
    u64::try_from(symbol.expose_provenance()).unwrap_or(u64::MAX)
}
