//! dom0's memory map.

use acpi_gen::{Gpa, GpaRange};
use hv_glue::e820::{E820Entry, E820Type, Piece, Trim};
use hv_glue::{LayoutMemory, MemoryBlocks, Vmemrange, VnodeId};

use crate::fault::{Fault, wide};
use crate::host::{self, Facts, len};
use crate::lend::{Lent, Work, call, read, read_mut, slice, slice_mut};
use crate::types::{HvgE820, HvgError, HvgHost, HvgRange, HvgTrim};
use crate::what::HvgWhat as What;

/// The most pieces that a map falls into: each border of a block may cut one.
fn most_pieces(host: &HvgHost) -> usize {
    len(host.nr_e820).saturating_add(len(host.nr_blocks).saturating_mul(2))
}

/// The most entries that come out before `max_entries` is looked at: each piece
/// in a part that dom0 gets and one that it does not.
fn most_entries(host: &HvgHost) -> usize {
    most_pieces(host).saturating_mul(2).saturating_add(len(host.nr_e820))
}

/// The number of bytes that `hvg_e820_trim` needs for this host and trim.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_e820_work_len(
    host: *const HvgHost,
    trim: *const HvgTrim,
    work_len: *mut u64,
    error: *mut HvgError,
) -> i32 {
    let body = |lent: &mut Lent| {
        // SAFETY: the caller's promise.
        let (host, trim) = unsafe { (read(lent, host)?, read(lent, trim)?) };
        lent.output(work_len, 1)?;
        let rooms = [
            host::facts_room(&host),
            Work::room::<GpaRange>(len(trim.nr_keep)),
            Work::room::<Vmemrange>(len(host.nr_blocks)),
            Work::room::<Piece>(most_pieces(&host)),
            Work::room::<E820Entry>(most_entries(&host)),
        ];
        let total = rooms.iter().fold(0_usize, |sum, room| sum.saturating_add(*room));
        // SAFETY: noted above.
        unsafe { work_len.write(wide(total)) };
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// Trims the host's map to dom0's pages: the ranges to keep first, then each
/// memory block in proportion; what dom0 does not get becomes unusable. Fills in
/// `nr_entries` and `merged`; with `entries` null that is all, and with too few
/// of them the call says -ENOBUFS.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_e820_trim(
    host: *const HvgHost,
    trim: *mut HvgTrim,
    work: *mut u8,
    work_len: u64,
    entries: *mut HvgE820,
    nr_entries: u32,
    error: *mut HvgError,
) -> i32 {
    let body = |lent: &mut Lent| {
        // SAFETY: the caller's promise.
        let (host, out) = unsafe { (read(lent, host)?, read_mut(lent, trim)?) };
        host::note(lent, &host)?;
        lent.input::<HvgRange>(out.keep, out.nr_keep.into())?;
        lent.output(work, work_len)?;
        lent.output_or_null(entries, nr_entries)?;
        // SAFETY: noted above.
        let (mut work, keep, entries) = unsafe {
            (
                Work::new(work, work_len),
                slice(out.keep, out.nr_keep),
                slice_mut(entries, nr_entries),
            )
        };
        // SAFETY: noted above.
        let facts = unsafe { Facts::lent(&host, &mut work)? };
        let keep = host::ranges(keep, &mut work)?;
        let ranges = block_ranges(&facts, &mut work)?;
        let needed = Trim::pieces_needed(facts.map, ranges)?;
        let pieces = work.take(needed, Piece::UNUSED)?;
        let most = len(out.max_entries);
        let trimmed = Trim::by_node(facts.map, ranges, keep, out.nr_pages, most, pieces)?;
        let map = copy_out(&trimmed, &mut work)?;
        out.nr_entries = u32::try_from(map.len()).unwrap_or(u32::MAX);
        out.merged = trimmed.merged();
        if entries.is_empty() {
            return Ok(0);
        }
        if entries.len() < map.len() {
            return Err(Fault::too_short(What::ArrayTooShort, entries.len(), map.len()));
        }
        for (slot, entry) in entries.iter_mut().zip(map) {
            *slot = HvgE820 {
                start: entry.range.start().0,
                end: entry.range.end().0,
                kind: entry.kind.0,
                reserved: 0,
            };
        }
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

/// The blocks as ranges of vnodes that have the nodes' numbers: a trim needs to
/// know borders, not a layout, as it is for hosts too whose gate is not met.
fn block_ranges<'a>(facts: &Facts<'_>, work: &mut Work<'a>) -> Result<&'a [Vmemrange], Fault> {
    let blocks = &facts.blocks;
    let ranges = work.take(blocks.count(), LayoutMemory::UNUSED_RANGE)?;
    for (index, slot) in ranges.iter_mut().enumerate() {
        if let Some(block) = blocks.get(index) {
            let vnode = VnodeId(block.node.0);
            *slot = Vmemrange { range: block.range, vnode, hotplug: block.hotplug };
        }
    }
    Ok(ranges)
}

fn copy_out<'a>(trim: &Trim<'_>, work: &mut Work<'a>) -> Result<&'a [E820Entry], Fault> {
    let Ok(none) = GpaRange::new(Gpa(0), Gpa(1)) else { return Ok(&[]) };
    let map = work.take(trim.len(), E820Entry { range: none, kind: E820Type::RESERVED })?;
    Ok(trim.emit(map)?)
}
