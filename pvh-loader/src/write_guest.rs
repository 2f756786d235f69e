//! Writing a planned guest into its memory.

use acpi_gen::{E820Entry, Gpa, GpaRange};
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U32, U64};

use crate::bytes::len64;
use crate::region::{MAX_MAP_ENTRIES, memory_map};
use crate::start_info::{MapEntry, ModuleEntry, START_MAGIC, StartInfo};
use crate::{Content, EntryState, Error, GuestMemory, Item, NotWritten, Plan};

/// The version of `hvm_start_info` that is written: the first with a memory map.
const VERSION: u32 = 1;

/// Where the parts of the start info's pages stand.
struct Layout {
    info: Gpa,
    modules: Gpa,
    map: Gpa,
    strings: Gpa,
}

impl Layout {
    /// The map has room for as many entries as it may have, so that one of another
    /// length moves nothing. Every structure's size is a multiple of 8, so all
    /// addresses in them are aligned.
    fn of(plan: &Plan<'_>) -> Self {
        let info = plan.start_info.start();
        let modules = after(info, size_of::<StartInfo>(), 1);
        let map = after(modules, size_of::<ModuleEntry>(), plan.guest.modules.len());
        let strings = after(map, size_of::<MapEntry>(), MAX_MAP_ENTRIES);
        Self { info, modules, map, strings }
    }
}

/// The address behind `count` structures of `size` bytes at `start`.
fn after(start: Gpa, size: usize, count: usize) -> Gpa {
    Gpa(start.0.saturating_add(len64(size).saturating_mul(len64(count))))
}

impl Plan<'_> {
    /// Writes kernel, modules, tables, start info, memory map and command lines,
    /// and says in which state the kernel is to be entered. The tables are emitted
    /// into `buffer`, of [`tables_len`](Self::tables_len) bytes or more, and copied
    /// from there one by one.
    ///
    /// # Errors
    /// [`Error::NotGuestMemory`] where a range of the plan is not in `memory`, and
    /// those of emitting tables; nothing has been written to `memory` then.
    /// [`Error::WriteFailed`] where `memory` fails after it had said that it has all:
    /// it was not asked for anything more, and what it holds is to be thrown away.
    pub fn write_guest<M: GuestMemory>(
        &self,
        buffer: &mut [u8],
        memory: &mut M,
    ) -> Result<EntryState, Error> {
        for (_, range) in self.ranges() {
            if !memory.has(range) {
                return Err(Error::NotGuestMemory { range });
            }
        }
        // Cannot fail: all of the plan lies below 4 GiB.
        let entry = EntryState::new(self.entry(), self.start_info.start())
            .ok_or(Error::EntryOutside { entry: self.entry() })?;
        let tables = self.guest.tables.emit(buffer, self.tables.start())?;

        zero(memory, Content::Pages(Item::Tables), self.tables)?;
        for table in tables.tables() {
            let end = table.offset.saturating_add(table.len);
            let bytes = buffer.get(table.offset..end).unwrap_or_default();
            write(memory, Content::Table { signature: table.signature }, table.address, bytes)?;
        }
        self.write_kernel(memory)?;
        for ((index, module), place) in self.guest.modules.iter().enumerate().zip(self.modules()) {
            write(memory, Content::Module { index }, place.start(), module.bytes)?;
        }
        self.write_start_info(tables.rsdp(), memory)?;
        Ok(entry)
    }

    /// Replaces the memory map of a guest that has been carried out, where the
    /// machine's memory is known better than at the time of the plan: UEFI gives
    /// the final map when it is left. `list` is as for [`memory_map`].
    ///
    /// # Errors
    /// Those of [`memory_map`] and of `memory`.
    pub fn replace_map<M: GuestMemory>(
        &self,
        regions: &[E820Entry],
        list: &mut [Option<E820Entry>],
        memory: &mut M,
    ) -> Result<(), Error> {
        let map = memory_map(regions, Some(self.tables), list)?;
        write_map(&Layout::of(self), map.regions(), memory)?;
        let count = U32::new(u32::try_from(map.len()).unwrap_or(0));
        let at =
            after(self.start_info.start(), core::mem::offset_of!(StartInfo, memmap_entries), 1);
        write(memory, Content::StartInfo, at, count.as_bytes())
    }

    fn write_kernel<M: GuestMemory>(&self, memory: &mut M) -> Result<(), Error> {
        for segment in self.guest.kernel.segments() {
            let content = Content::Segment { header: segment.header };
            let start = self.moved(segment.range.start());
            write(memory, content, start, segment.bytes)?;
            let file_end = Gpa(start.0.saturating_add(len64(segment.bytes.len())));
            let end = Gpa(start.0.saturating_add(segment.range.size()));
            // Empty where the file holds all of the segment.
            if let Ok(rest) = GpaRange::new(file_end, end) {
                zero(memory, content, rest)?;
            }
        }
        Ok(())
    }

    fn write_start_info<M: GuestMemory>(&self, rsdp: Gpa, memory: &mut M) -> Result<(), Error> {
        let layout = Layout::of(self);
        zero(memory, Content::Pages(Item::StartInfo), self.start_info)?;

        // The pages are zero, so each string has its end already.
        let mut string = layout.strings;
        write(memory, Content::CommandLine { module: None }, string, self.guest.command_line)?;
        let cmdline_paddr = U64::new(string.0);
        string = after(string, self.guest.command_line.len().saturating_add(1), 1);

        let mut entry = layout.modules;
        for ((index, module), place) in self.guest.modules.iter().enumerate().zip(self.modules()) {
            let line = module.command_line;
            write(memory, Content::CommandLine { module: Some(index) }, string, line)?;
            let value = ModuleEntry {
                paddr: U64::new(place.start().0),
                size: U64::new(len64(module.bytes.len())),
                cmdline_paddr: U64::new(if line.is_empty() { 0 } else { string.0 }),
                reserved: U64::ZERO,
            };
            write(memory, Content::ModuleEntry { index }, entry, value.as_bytes())?;
            entry = after(entry, size_of::<ModuleEntry>(), 1);
            string = after(string, line.len().saturating_add(1), 1);
        }
        write_map(&layout, self.map.regions(), memory)?;

        let modules = self.guest.modules.len();
        let info = StartInfo {
            magic: U32::new(START_MAGIC),
            version: U32::new(VERSION),
            flags: U32::ZERO,
            // Both counts fit: the plan has placed them below 4 GiB.
            nr_modules: U32::new(u32::try_from(modules).unwrap_or(0)),
            modlist_paddr: U64::new(if modules == 0 { 0 } else { layout.modules.0 }),
            cmdline_paddr,
            rsdp_paddr: U64::new(rsdp.0),
            memmap_paddr: U64::new(layout.map.0),
            memmap_entries: U32::new(u32::try_from(self.map.len()).unwrap_or(0)),
            reserved: U32::ZERO,
        };
        write(memory, Content::StartInfo, layout.info, info.as_bytes())
    }
}

fn write_map<M: GuestMemory>(
    layout: &Layout,
    regions: impl Iterator<Item = E820Entry>,
    memory: &mut M,
) -> Result<(), Error> {
    let mut at = layout.map;
    for (index, region) in regions.enumerate() {
        let entry = MapEntry {
            addr: U64::new(region.range.start().0),
            size: U64::new(region.range.size()),
            kind: U32::new(region.kind.0),
            reserved: U32::ZERO,
        };
        write(memory, Content::MapEntry { index }, at, entry.as_bytes())?;
        at = after(at, size_of::<MapEntry>(), 1);
    }
    Ok(())
}

fn write<M: GuestMemory>(
    memory: &mut M,
    content: Content,
    at: Gpa,
    bytes: &[u8],
) -> Result<(), Error> {
    // An empty command line, or a segment that is all zeros.
    if bytes.is_empty() {
        return Ok(());
    }
    let len = len64(bytes.len());
    memory.write(at, bytes).map_err(|NotWritten| Error::WriteFailed { content, at, len })
}

fn zero<M: GuestMemory>(memory: &mut M, content: Content, range: GpaRange) -> Result<(), Error> {
    let (at, len) = (range.start(), range.size());
    memory.zero(range).map_err(|NotWritten| Error::WriteFailed { content, at, len })
}
