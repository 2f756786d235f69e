//! What a dom0's trim keeps whatever the nodes' shares are.

use acpi_gen::{Gpa, GpaRange};

use crate::e820::{E820Entry, E820Type};
use crate::{Frames, Pfn};

const MIB: u64 = 1 << 20;
const LOW_END: Gpa = Gpa(4 << 30);
const MOST_LOW_PAGES: u64 = (2 << 30) / crate::PAGE_SIZE;

/// The ranges that a trim keeps where the host's RAM has them:
///
/// - The first MiB, and from 16 MiB on, where Linux is linked to run, room for the kernel and
///   its modules: the kernel's load address is not known yet. Twice the modules, since Xen
///   counts the kernel in them as it unpacks it, and Linux unpacks its initrd beside itself.
/// - The lowest other RAM, until dom0 has [`low_floor`] pages below 4 GiB.
pub(crate) fn ranges_to_keep(map: &[E820Entry], modules: u64, nr_pages: u64) -> [GpaRange; 2] {
    let [low, load] = LEAST_TO_KEEP;
    let room = modules.saturating_mul(2);
    let room = room.checked_next_multiple_of(crate::PAGE_SIZE).unwrap_or(room);
    let load = GpaRange::with_size(load.start(), room.max(load.size())).unwrap_or(load);
    let (low_frames, load_frames) = (Frames::inside(low), Frames::inside(load));

    let below = |frames: Frames| ram_below_4_gib(map).map(move |ram| ram.intersection(frames));
    let kept = below(low_frames).chain(below(load_frames));
    let kept = kept.fold(0, |sum: u64, ram| sum.saturating_add(ram.pages()));
    let mut missing = low_floor(nr_pages).saturating_sub(kept);
    let mut grown = |frames: Frames, limit: Pfn| {
        let mut end = frames.end;
        for ram in below(Frames { start: end, end: limit }) {
            let taken = ram.pages().min(missing);
            missing = missing.saturating_sub(taken);
            if taken > 0 {
                end = ram.start.up(taken);
            }
        }
        Frames { end, ..frames }.range()
    };
    let low = grown(low_frames, load_frames.start).unwrap_or(low);
    let load = grown(load_frames, Pfn::containing(LOW_END)).unwrap_or(load);
    [low, load]
}

/// What [`ranges_to_keep`] keeps of any map.
pub(crate) const LEAST_TO_KEEP: [GpaRange; 2] =
    [fixed_range(0, MIB), fixed_range(16 << 20, 144 << 20)];

const fn fixed_range(start: u64, end: u64) -> GpaRange {
    match GpaRange::new(Gpa(start), Gpa(end)) {
        Ok(range) => range,
        Err(_) => unreachable!(),
    }
}

/// The least pages of RAM below 4 GiB of a dom0 of `nr_pages`, where the host has as many:
/// half of them, at most 2 GiB.
///
/// DMA buffers, 32-bit devices and a crash kernel need RAM there. 2 GiB is what most firmware
/// has below 4 GiB. All of it is on one node as a rule, so a small dom0 that got no other RAM
/// would have none on the other nodes.
pub(crate) const fn low_floor(nr_pages: u64) -> u64 {
    let half = nr_pages / 2;
    if half < MOST_LOW_PAGES { half } else { MOST_LOW_PAGES }
}

/// Whole pages of RAM below 4 GiB.
pub(crate) fn low_pages(map: &[E820Entry]) -> u64 {
    ram_below_4_gib(map).fold(0, |sum, frames| sum.saturating_add(frames.pages()))
}

fn ram_below_4_gib(map: &[E820Entry]) -> impl Iterator<Item = Frames> + '_ {
    map.iter().filter(|entry| entry.kind == E820Type::RAM).map(below_4_gib)
}

fn below_4_gib(entry: &E820Entry) -> Frames {
    let below = Frames { start: Pfn(0), end: Pfn::containing(LOW_END) };
    Frames::inside(entry.range).intersection(below)
}

/// What is asked of a trimmed map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// Bytes of the largest region of RAM above the first MiB: Xen loads kernel and initrd
    /// each into one region.
    pub(crate) largest: u64,
    /// Whole pages of RAM below 4 GiB.
    pub(crate) low_pages: u64,
}

impl Survey {
    pub(crate) fn of(entries: impl Iterator<Item = E820Entry>) -> Self {
        let ram = entries.filter(|entry| entry.kind == E820Type::RAM);
        ram.fold(Self::default(), |seen, entry| {
            let start = entry.range.start().0.max(MIB);
            let size = entry.range.end().0.saturating_sub(start);
            Self {
                largest: seen.largest.max(size),
                low_pages: seen.low_pages.saturating_add(below_4_gib(&entry).pages()),
            }
        })
    }

    /// Whether one region has room for the modules.
    pub(crate) const fn has_room(self, modules: u64) -> bool {
        self.largest > 0 && self.largest >= modules
    }
}
