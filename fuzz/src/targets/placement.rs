//! Placement: nothing overlaps, all is RAM between 1 MiB and 4 GiB that nobody
//! reserved, and nothing is written elsewhere. Writes fail at any call, and the error
//! says what that was to write.

use acpi_gen::{
    Description, Gpa, GpaRange, Processor, ProcessorState, ProcessorUid, ProximityDomain, Rsdp,
    TableSet, Topology,
};
use arbitrary::{Arbitrary, Unstructured};
use pvh_loader::{
    Content, E820Entry, E820Type, Error, Guest, Item, Kernel, Lists, Module, Plan, map_len,
};

use crate::ranges::{Cursor, Size};
use crate::writes::Memory;
use crate::{Interest, encode};

/// E820_MAX_ENTRIES_ZEROPAGE: Linux's PVH entry takes no more.
const LINUX_MAP_ENTRIES: usize = 128;

/// A guest.
#[derive(Arbitrary, Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Segments of the kernel.
    pub segments: Vec<LoadSegment>,
    /// The entry, in bytes from the first segment.
    pub entry: u16,
    /// Words of PHYS32_RELOC.
    pub relocation: Option<Vec<u32>>,
    /// The machine's memory.
    pub memory: Vec<MapEntry>,
    /// Where nothing may be placed.
    pub reserved: Vec<MapEntry>,
    /// Modules: contents and command line.
    pub modules: Vec<ModuleOf>,
    /// The kernel's command line.
    pub command_line: Vec<u8>,
    /// Processors that the tables have; 0 stands for one.
    pub processors: u8,
    /// The call of the guest's memory that fails.
    pub fail_at: u8,
    /// What is in use until the guest is entered.
    pub busy: Vec<MapEntry>,
}
encode::encode_fields!(Input {
    segments,
    entry,
    relocation,
    memory,
    reserved,
    modules,
    command_line,
    processors,
    fail_at,
    busy,
});

/// A loadable segment.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadSegment {
    /// From the end of the one before.
    pub gap: Size,
    /// In memory.
    pub size: Size,
    /// Of that in the file.
    pub file: u8,
}
encode::encode_fields!(LoadSegment { gap, size, file });

/// A region.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapEntry {
    /// From the end of the one before.
    pub gap: Size,
    /// Its size.
    pub size: Size,
    /// Its kind; 0 stands for RAM.
    pub kind: u8,
}
encode::encode_fields!(MapEntry { gap, size, kind });

/// A module.
#[derive(Arbitrary, Clone, Debug, PartialEq, Eq)]
pub struct ModuleOf {
    /// Its length.
    pub len: u16,
    /// Its command line.
    pub command_line: Vec<u8>,
}
encode::encode_fields!(ModuleOf { len, command_line });

/// An ELF64 file of these segments, as a linker would write it.
pub fn elf(input: &Input) -> Vec<u8> {
    let mut cursor = Cursor::default();
    let segments: Vec<_> = input
        .segments
        .iter()
        .filter_map(|s| Some((cursor.next(s.gap, s.size)?, u64::from(s.file))))
        .map(|(range, file)| (range, file.min(range.size())))
        .collect();
    let first = segments.first().map_or(0, |(range, _)| range.start().0);
    let entry = first.wrapping_add(input.entry.into()) as u32;
    let mut notes = Vec::new();
    let mut note = |kind: u32, desc: &[u8]| {
        for word in [4, desc.len() as u32, kind] {
            notes.extend(word.to_le_bytes());
        }
        notes.extend(b"Xen\0");
        notes.extend(desc);
    };
    note(18, &entry.to_le_bytes());
    if let Some(words) = &input.relocation {
        note(19, &words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>());
    }
    let headers = segments.len() as u64 + 1;
    let mut offset = 64 + 56 * headers;
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    for half in [2_u16, 62] {
        file.extend(half.to_le_bytes());
    }
    file.extend(1_u32.to_le_bytes());
    for word in [u64::from(entry), 64, 0] {
        file.extend(word.to_le_bytes());
    }
    file.extend(0_u32.to_le_bytes());
    for half in [64_u16, 56, headers as u16, 0, 0, 0] {
        file.extend(half.to_le_bytes());
    }
    let mut program_header = |kind: u32, address: u64, in_file: u64, size: u64| {
        file.extend(kind.to_le_bytes());
        file.extend(7_u32.to_le_bytes());
        for word in [offset, address, address, in_file, size, 1] {
            file.extend(word.to_le_bytes());
        }
        offset += in_file;
    };
    for (range, in_file) in &segments {
        program_header(1, range.start().0, *in_file, range.size());
    }
    program_header(4, 0, notes.len() as u64, notes.len() as u64);
    for (index, (_, in_file)) in segments.iter().enumerate() {
        file.extend(vec![index as u8 + 1; *in_file as usize]);
    }
    file.extend(notes);
    file
}

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else { return Interest::Reject };
    let planned = with_plan(&input, |plan, guest| {
        places_are_free(plan, guest);
        map_is_the_machines(plan, guest.memory);
        write_guest(plan, guest, input.fail_at.into());
    });
    match planned {
        Some(Ok(())) => Interest::Keep,
        Some(Err(error)) => {
            assert!(!error.to_string().is_empty());
            assert!(!matches!(error, Error::ListTooShort { .. }));
            Interest::Keep
        }
        None => Interest::Reject,
    }
}

/// Plans the guest and hands the plan to `with`; `None` where there is no kernel.
pub fn with_plan<R>(
    input: &Input,
    with: impl FnOnce(&Plan<'_>, &Guest<'_>) -> R,
) -> Option<Result<R, Error>> {
    let file = elf(input);
    let kernel = Kernel::parse(&file).ok()?;
    let regions = |entries: &[MapEntry]| -> Vec<E820Entry> {
        let mut cursor = Cursor::default();
        let region = |entry: &MapEntry| {
            let kind = E820Type(if entry.kind == 0 { 1 } else { entry.kind.into() });
            Some(E820Entry { range: cursor.next(entry.gap, entry.size)?, kind })
        };
        entries.iter().filter_map(region).collect()
    };
    let memory = regions(&input.memory);
    let reserved: Vec<_> = regions(&input.reserved).iter().map(|region| region.range).collect();
    let busy: Vec<_> = regions(&input.busy).iter().map(|region| region.range).collect();
    let contents: Vec<Vec<u8>> = (0..=u8::MAX)
        .cycle()
        .zip(&input.modules)
        .map(|(n, module)| vec![n ^ 0xA5; module.len.into()])
        .collect();
    let modules: Vec<_> = contents
        .iter()
        .zip(&input.modules)
        .map(|(bytes, module)| Module { bytes, command_line: &module.command_line })
        .collect();
    let processors: Vec<_> = (0..u32::from(input.processors.max(1)))
        .map(|n| Processor {
            uid: ProcessorUid(n),
            apic_id: acpi_gen::ApicId(2 * n),
            domain: Some(ProximityDomain(n % 4)),
            state: ProcessorState::Enabled,
        })
        .collect();
    let mut scratch = vec![0; processors.len()];
    let description = Description { processors: &processors, ..Description::EMPTY };
    let topology = Topology::new(description, &mut scratch).expect("a valid machine");
    let guest = Guest {
        kernel,
        modules: &modules,
        command_line: &input.command_line,
        memory: &memory,
        reserved: &reserved,
        busy: &busy,
        tables: TableSet::complete(&topology).expect("a set"),
    };
    let (mut places, mut map) = (vec![None; modules.len()], vec![None; map_len(memory.len())]);
    let plan = Plan::new(guest, Lists { modules: &mut places, map: &mut map });
    Some(plan.map(|plan| with(&plan, &guest)))
}

/// Where an item is.
pub fn place(plan: &Plan<'_>, item: Item) -> GpaRange {
    plan.ranges().find(|(other, _)| *other == item).expect("an item of every plan").1
}

fn places_are_free(plan: &Plan<'_>, guest: &Guest<'_>) {
    let ranges: Vec<_> = plan.ranges().collect();
    for (index, (item, range)) in ranges.iter().enumerate() {
        assert!(range.start().0 >= 1 << 20 && range.end().0 <= 1 << 32, "{item} at {range:?}");
        for (_, other) in &ranges[..index] {
            assert!(!range.overlaps(*other), "{item} overlaps");
        }
        assert!(!guest.reserved.iter().any(|reserved| reserved.overlaps(*range)));
        // Only the kernel may have to wait for memory that is in use.
        let waits = guest.busy.iter().any(|busy| busy.overlaps(*range));
        assert_eq!(waits, *item == Item::Kernel && plan.kernel_waits(), "{item} in busy memory");
        let ram: u64 = guest
            .memory
            .iter()
            .filter(|region| region.kind == E820Type::RAM && region.range.overlaps(*range))
            .map(|region| {
                let start = region.range.start().max(range.start()).0;
                region.range.end().min(range.end()).0 - start
            })
            .sum();
        assert_eq!(ram, range.size(), "{item} is not all RAM");
    }
    let linked = guest.kernel.span();
    assert_eq!(plan.kernel().size(), linked.size());
    if plan.kernel() != linked {
        let relocation = guest.kernel.relocation().expect("a kernel that may be moved");
        let (start, end) = (plan.kernel().start().0, plan.kernel().end().0);
        assert_eq!(start % relocation.align, 0);
        assert!(relocation.min.0 <= start && end - 1 <= relocation.max.0);
    }
    assert!(plan.tables().size() >= plan.tables_len() as u64);
    assert_eq!(plan.tables().start().0 % 4096, 0);
}

/// The guest's map says of each address what the machine's does, but for the tables.
fn map_is_the_machines(plan: &Plan<'_>, memory: &[E820Entry]) {
    let map: Vec<_> = plan.map().regions().collect();
    assert!(map.len() <= LINUX_MAP_ENTRIES);
    for pair in map.windows(2) {
        assert!(pair[0].range.end() <= pair[1].range.start());
        assert!(pair[0].range.end() < pair[1].range.start() || pair[0].kind != pair[1].kind);
    }
    let size =
        |regions: &[E820Entry]| regions.iter().map(|r| u128::from(r.range.size())).sum::<u128>();
    assert_eq!(size(&map), size(memory));
    let tables = plan.tables();
    for region in &map {
        for probe in [region.range.start(), Gpa(region.range.end().0 - 1)] {
            let was = memory.iter().find(|machine| machine.range.contains(probe)).expect("memory");
            let kind = if tables.contains(probe) { E820Type::ACPI } else { was.kind };
            assert_eq!(region.kind, kind);
        }
    }
}

/// Writes the guest to memory whose n-th call fails, and looks at the whole of it; what
/// that call would have written, where there was one.
pub fn write_guest(plan: &Plan<'_>, guest: &Guest<'_>, fail_at: usize) -> Option<Content> {
    let mut buffer = vec![0xA5; plan.tables_len()];
    let mut memory = Memory::failing_at(fail_at);
    let state = match plan.write_guest(&mut buffer, &mut memory) {
        Ok(state) => state,
        Err(error) => {
            let Error::WriteFailed { content, at, len } = error else { panic!("{error}") };
            assert_eq!(memory.refused, Some((at, len)), "it went on, or says another place");
            assert_eq!(content, content_at(plan, guest, at, len), "{len} bytes at {:#x}", at.0);
            assert!(error.to_string().contains(&content.to_string()));
            return Some(content);
        }
    };
    assert_eq!(memory.refused, None, "it says nothing of the write that failed");
    let ranges: Vec<_> = plan.ranges().map(|(_, range)| range).collect();
    for (at, write) in &memory.writes {
        let size = write.as_ref().map_or_else(|zeros| *zeros, |bytes| bytes.len() as u64);
        let write = GpaRange::with_size(Gpa(*at), size).expect("a range");
        let inside =
            |range: &GpaRange| range.start() <= write.start() && write.end() <= range.end();
        assert!(ranges.iter().any(inside), "wrote outside of the plan");
    }
    assert_eq!(u64::from(state.eip), plan.entry().0);
    assert_eq!(u64::from(state.ebx), place(plan, Item::StartInfo).start().0);
    assert_eq!((state.cr0, state.cr4, state.eflags & 0x20300), (1, 0, 0));

    for (module, place) in guest.modules.iter().zip(plan.modules()) {
        assert_eq!(memory.read(place.start().0, module.bytes.len()), module.bytes);
    }
    let rsdp = memory.read(plan.tables().start().0, 36);
    let xsdt = Rsdp::parse(&rsdp).expect("an RSDP").root().0;
    assert_eq!(memory.read(xsdt.0, 4), b"XSDT");
    assert!(plan.ranges().any(|(item, range)| item == Item::Tables && range.contains(xsdt)));
    assert!(!plan.to_string().is_empty());
    None
}

/// What belongs to a place of the plan: tables by their addresses, segments by the
/// image, and the start info's pages by the order in which they are laid out.
fn content_at(plan: &Plan<'_>, guest: &Guest<'_>, at: Gpa, len: u64) -> Content {
    let (item, range) =
        plan.ranges().find(|(_, range)| range.contains(at)).expect("a place of the plan");
    let whole = (at, len) == (range.start(), range.size());
    let offset = at.0 - range.start().0;
    match item {
        Item::Tables | Item::StartInfo if whole => Content::Pages(item),
        Item::Tables => {
            let placed = guest.tables.place(range.start()).expect("a place");
            let table = placed.tables().iter().find(|table| table.address == at).expect("a table");
            assert_eq!(table.len as u64, len, "not one table");
            Content::Table { signature: table.signature }
        }
        Item::Kernel => {
            let linked = Gpa(guest.kernel.span().start().0 + offset);
            let mut segments = guest.kernel.segments();
            let segment = segments.find(|it| it.range.contains(linked)).expect("a segment");
            Content::Segment { header: segment.header }
        }
        Item::Module { index } => Content::Module { index },
        Item::StartInfo => {
            let list = 56 + 32 * guest.modules.len() as u64;
            let map = list + 24 * LINUX_MAP_ENTRIES as u64;
            match offset {
                0..56 => Content::StartInfo,
                _ if offset < list => Content::ModuleEntry { index: (offset as usize - 56) / 32 },
                _ if offset < map => Content::MapEntry { index: (offset - list) as usize / 24 },
                _ => {
                    let mut lines = std::iter::once((None, guest.command_line)).chain(
                        guest.modules.iter().enumerate().map(|(n, it)| (Some(n), it.command_line)),
                    );
                    let mut start = map;
                    let line = lines.find(|(_, line)| {
                        let found = start == offset && !line.is_empty();
                        start += line.len() as u64 + 1;
                        found
                    });
                    Content::CommandLine { module: line.expect("a command line").0 }
                }
            }
        }
        other => panic!("a new item: {other}"),
    }
}
