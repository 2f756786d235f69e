//! What the loader in front, QEMU, passes to the stage. All of it is read before
//! there is a heap, which is put where nothing else lies.

use acpi_gen::{Gpa, GpaRange};
use pvh_boot::Received;
use pvh_boot::metal::IdentityMapped;
use pvh_loader::{E820Entry, E820Type};

const FOUR_GIB: u64 = 1 << 32;

unsafe extern "C" {
    static stage_image_start: u8;
    static stage_image_end: u8;
}

/// The stage's start info, taken apart.
pub(crate) struct BootInfo<'m> {
    received: Received<'m>,
    /// The stage itself, its stack and its page tables.
    pub(crate) image: GpaRange,
    /// Where the archive lies.
    pub(crate) module: GpaRange,
    /// The archive.
    pub(crate) archive: &'static [u8],
    /// Where the heap goes.
    pub(crate) heap: GpaRange,
}

impl<'m> BootInfo<'m> {
    /// Takes the received start info apart.
    pub(crate) fn of(received: Received<'m>, memory: IdentityMapped) -> Result<Self, &'static str> {
        let module = received.modules.first();
        let module = module.ok_or("no module: an archive with the kernel is needed")?;
        let module = GpaRange::with_size(Gpa(module.paddr.get()), module.size.get())
            .map_err(|_| "the module is empty")?;
        let image = GpaRange::new(
            Gpa(address(&raw const stage_image_start)),
            Gpa(address(&raw const stage_image_end)),
        )
        .map_err(|_| "the stage is linked wrongly")?;
        Ok(Self {
            received,
            image,
            module,
            archive: memory
                .get(module.start().0, module.size())
                .ok_or("the module is not below 4 GiB")?,
            heap: heap(received.regions(), image, module).ok_or("no RAM for a heap")?,
        })
    }

    /// The machine's memory map.
    pub(crate) fn regions(&self) -> impl Iterator<Item = E820Entry> {
        self.received.regions()
    }

    /// The stage's own command line.
    pub(crate) const fn command_line(&self) -> &'m [u8] {
        self.received.command_line
    }

    /// The firmware's RSDP.
    pub(crate) const fn rsdp(&self) -> Gpa {
        Gpa(self.received.info.rsdp_paddr.get())
    }
}

/// The upper half of the largest piece of RAM below 4 GiB that is free, so that the
/// guest has the lower half. Loaders put modules at the end of RAM.
fn heap(
    regions: impl Iterator<Item = E820Entry>,
    image: GpaRange,
    module: GpaRange,
) -> Option<GpaRange> {
    let free = regions.filter(|region| region.kind == E820Type::RAM).filter_map(|region| {
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

fn address(symbol: *const u8) -> u64 {
    u64::try_from(symbol.expose_provenance()).unwrap_or(u64::MAX)
}
