//! Where a plan puts things, and what it refuses.
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test may fail")]

mod common;

use acpi_gen::{Gpa, GpaRange};
use common::*;
use proptest::prelude::*;
use pvh_loader::*;

/// Plans the image with one module of `module` bytes, and gives what the plan says.
fn plan<T>(
    name: &str,
    memory: &[E820Entry],
    reserved: &[GpaRange],
    module: usize,
    look: impl FnOnce(&Plan<'_>) -> T,
) -> Result<T, Error> {
    let file = image(name);
    let bytes = vec![1; module];
    let modules = [Module { bytes: &bytes, command_line: b"" }];
    with_tables(|tables| {
        let guest = Guest {
            kernel: Kernel::parse(&file).unwrap(),
            modules: &modules,
            command_line: b"quiet",
            memory,
            reserved,
            busy: &[],
            tables,
        };
        let (mut places, mut map) = ([None; 1], vec![None; map_len(memory.len())]);
        Plan::new(guest, Lists { modules: &mut places, map: &mut map }).map(|plan| look(&plan))
    })
}

fn start_info(plan: &Plan<'_>) -> GpaRange {
    plan.ranges().find(|(item, _)| *item == Item::StartInfo).unwrap().1
}

#[test]
fn a_plan_prints_every_part_and_the_map() {
    let printed =
        plan("elf64.elf", &machine(64 * MIB), &[], 4097, |plan| plan.to_string()).unwrap();
    assert_eq!(
        printed,
        "0x1000000-0x1002000 the kernel\n\
         0x100000-0x101000 the start info\n\
         0x3fff000-0x4000000 the ACPI tables\n\
         0x3ffd000-0x3fff000 module 0\n\
         entry point 0x1000010\n\
         map 0x0-0x9fc00 RAM\n\
         map 0x9fc00-0xa0000 reserved\n\
         map 0xf0000-0x100000 reserved\n\
         map 0x100000-0x3fff000 RAM\n\
         map 0x3fff000-0x4000000 ACPI\n\
         map 0xfffc0000-0x100000000 reserved\n\
         map 0x100000000-0x180000000 RAM\n"
    );
}

#[test]
fn the_highest_memory_is_taken_where_it_is_just_long_enough() {
    let mut memory = machine(64 * MIB);
    memory.push(region(128 * MIB, 128 * MIB + 0x1000, E820Type::RAM));
    let tables = plan("elf64.elf", &memory, &[], 1, |plan| plan.tables());
    assert_eq!(tables, Ok(range(128 * MIB, 128 * MIB + 0x1000)));
}

#[test]
fn a_kernel_that_cannot_move_needs_its_place() {
    let kernel = range(0x100_0000, 0x100_2000);
    let memory = machine(64 * MIB);
    let taken = range(0x100_1FFF, 0x100_2000);
    assert_eq!(
        plan("elf64.elf", &memory, &[taken], 1, |_| ()),
        Err(Error::KernelNotFree { kernel, taken_by: Some(taken) })
    );
    assert_eq!(
        plan("elf64.elf", &machine(0x100_1000), &[], 1, |_| ()),
        Err(Error::KernelNotFree { kernel, taken_by: None })
    );
    let beside = [range(0x100_2000, 0x100_2001), range(0xFF_FFFF, 0x100_0000)];
    assert_eq!(plan("elf64.elf", &memory, &beside, 1, |plan| plan.kernel()), Ok(kernel));
}

#[test]
fn a_kernel_that_can_move_does_so_within_its_notes_limits() {
    let memory = machine(0x5000_0000);
    let move_it =
        |reserved| plan("relocatable.elf", &memory, reserved, 1, |p| (p.kernel(), p.entry()));
    assert_eq!(move_it(&[]), Ok((range(0x100_0000, 0x100_2000), Gpa(0x100_0010))));
    // Aligned to 2 MiB, and not below 16 MiB, where there would be room.
    let taken = [range(0x100_1000, 0x120_0001)];
    assert_eq!(move_it(&taken), Ok((range(0x140_0000, 0x140_2000), Gpa(0x140_0010))));
    // The last byte may lie at 0x3FFFFFFF: 0x3FE00000 is the last place.
    let taken = [range(0x100_1000, 0x3FE0_0000)];
    assert_eq!(move_it(&taken), Ok((range(0x3FE0_0000, 0x3FE0_2000), Gpa(0x3FE0_0010))));
    let taken = [range(0x100_1000, 0x3FE0_0001)];
    assert_eq!(
        move_it(&taken),
        Err(Error::NoRoom {
            item: Item::Kernel,
            size: 0x2000,
            align: 0x20_0000,
            from: Gpa(0x100_0000),
            limit: Gpa(0x4000_0000),
        })
    );
}

#[test]
fn busy_memory_is_for_a_kernel_that_fits_nowhere_else() {
    let memory = machine(64 * MIB);
    // All from 1 MiB on but the last MiB is busy, as under firmware.
    let busy = [range(MIB, 63 * MIB)];
    let place = |name, reserved: &[GpaRange]| {
        let file = image(name);
        with_tables(|tables| {
            let kernel = Kernel::parse(&file).unwrap();
            let command_line = &b""[..];
            let guest = Guest {
                kernel,
                modules: &[],
                command_line,
                memory: &memory,
                reserved,
                busy: &busy,
                tables,
            };
            let mut map = [None; 8];
            let plan = Plan::new(guest, Lists { modules: &mut [], map: &mut map })?;
            assert!(plan.ranges().skip(1).all(|(_, it)| it.start().0 >= 63 * MIB));
            Ok((plan.kernel(), plan.kernel_waits()))
        })
    };
    let linked = range(0x100_0000, 0x100_2000);
    assert_eq!(place("elf64.elf", &[]), Ok((linked, true)));
    let reserved = [range(0x100_0000, 0x100_0001)];
    let taken_by = Some(reserved[0]);
    assert_eq!(
        place("elf64.elf", &reserved),
        Err(Error::KernelNotFree { kernel: linked, taken_by })
    );
    // One that may be moved takes free memory instead.
    assert_eq!(
        place("relocatable-by-default.elf", &[]),
        Ok((range(63 * MIB, 63 * MIB + 0x2000), false))
    );
    // At 2 MiB's alignment there is none, so it stays.
    assert_eq!(place("relocatable.elf", &[]), Ok((linked, true)));
}

#[test]
fn what_does_not_fit_is_named() {
    // RAM for the kernel alone.
    let memory = [region(0x100_0000, 0x100_2000, E820Type::RAM)];
    assert!(matches!(
        plan("elf64.elf", &memory, &[], 1, |_| ()),
        Err(Error::NoRoom { item: Item::StartInfo, size: 0x1000, .. })
    ));
    // And a page more, for the start info.
    let memory = [region(0x100_0000, 0x100_3000, E820Type::RAM)];
    assert!(matches!(
        plan("elf64.elf", &memory, &[], 1, |_| ()),
        Err(Error::NoRoom { item: Item::Tables, .. })
    ));
    let refused = plan("elf64.elf", &machine(32 * MIB), &[], 17 << 20, |_| ()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "no room for module 0: 0x1100000 bytes, aligned to 0x1000, between 0x100000 and 0x100000000"
    );
    assert_eq!(
        plan("elf64.elf", &machine(32 * MIB), &[], 0, |_| ()),
        Err(Error::EmptyModule { index: 0 })
    );
}

#[test]
fn low_memory_and_memory_from_4_gib_are_never_used() {
    // The only RAM beside the kernel's own is below 1 MiB and above 4 GiB.
    let memory = [
        region(0, 0xA_0000, E820Type::RAM),
        region(0x100_0000, 0x100_2000, E820Type::RAM),
        region(0x1_0000_0000, 0x2_0000_0000, E820Type::RAM),
    ];
    assert!(matches!(
        plan("elf64.elf", &memory, &[], 1, |_| ()),
        Err(Error::NoRoom { item: Item::StartInfo, .. })
    ));
    // RAM that passes 1 MiB and 4 GiB is used in between.
    let memory = [region(0, 0x2_0000_0000, E820Type::RAM)];
    let (low, high) = plan("elf64.elf", &memory, &[], 1, |p| (start_info(p), p.tables())).unwrap();
    assert_eq!((low.start(), high.end()), (Gpa(0x10_0000), Gpa(0x1_0000_0000)));
}

#[test]
fn command_lines_end_at_a_zero_and_so_must_have_none() {
    let file = image("elf64.elf");
    with_tables(|tables| {
        let modules = [Module { bytes: b"x", command_line: b"a\0b" }];
        let memory = machine(64 * MIB);
        let mut guest = Guest {
            kernel: Kernel::parse(&file).unwrap(),
            modules: &modules,
            command_line: b"abc\0",
            memory: &memory,
            reserved: &[],
            busy: &[],
            tables,
        };
        let refused = |guest| {
            let (mut places, mut map) = ([None; 1], [None; 8]);
            Plan::new(guest, Lists { modules: &mut places, map: &mut map }).err()
        };
        assert_eq!(refused(guest), Some(Error::ZeroInCommandLine { module: None, offset: 3 }));
        guest.command_line = b"";
        assert_eq!(refused(guest), Some(Error::ZeroInCommandLine { module: Some(0), offset: 1 }));
        guest.modules = &[];
        assert_eq!(refused(guest), None);
    });
}

#[test]
fn lists_that_are_too_short_say_what_is_needed() {
    let file = image("elf64.elf");
    let memory = machine(64 * MIB);
    with_tables(|tables| {
        let modules = [Module { bytes: b"x", command_line: b"" }; 2];
        let kernel = Kernel::parse(&file).unwrap();
        let (command_line, reserved, busy) = (&b""[..], &[][..], &[][..]);
        let guest = Guest {
            kernel,
            modules: &modules,
            command_line,
            memory: &memory,
            reserved,
            busy,
            tables,
        };
        for (places, entries) in (0..4).flat_map(|n| (0..12).map(move |m| (n, m))) {
            let (mut places, mut map) = (vec![None; places], vec![None; entries]);
            let lists = Lists { modules: &mut places, map: &mut map };
            let error = Plan::new(guest, lists).err();
            let short = |list, needed, have| Some(Error::ListTooShort { list, needed, have });
            match (places.len(), entries) {
                (have @ 0..2, _) => assert_eq!(error, short("modules", 2, have)),
                (_, have @ 0..8) => assert_eq!(error, short("memory map", 8, have)),
                _ => assert_eq!(error, None),
            }
        }
    });
}

#[test]
fn nothing_is_written_where_the_guest_memory_lacks_a_range() {
    let file = image("elf64.elf");
    let memory = machine(64 * MIB);
    with_tables(|tables| {
        let kernel = Kernel::parse(&file).unwrap();
        let (command_line, reserved, busy) = (&b""[..], &[][..], &[][..]);
        let guest =
            Guest { kernel, modules: &[], command_line, memory: &memory, reserved, busy, tables };
        let mut map = [None; 8];
        let plan = Plan::new(guest, Lists { modules: &mut [], map: &mut map }).unwrap();
        // All but the last page, which the tables take.
        let mut bytes = vec![0xA5; 63 * (1 << 20) - 4096];
        let mut buffer = vec![0; plan.tables_len()];
        let mut short = SliceMemory::new(Gpa(MIB), &mut bytes);
        let refused = plan.write_guest(&mut buffer, &mut short);
        assert_eq!(refused, Err(Error::NotGuestMemory { range: plan.tables() }));
        let mut bytes = vec![0xA5; 63 << 20];
        let refused =
            plan.write_guest(&mut buffer[1..], &mut SliceMemory::new(Gpa(MIB), &mut bytes));
        let (needed, have) = (plan.tables_len(), plan.tables_len() - 1);
        let too_small = acpi_gen::Error::BufferTooSmall { needed, have };
        assert_eq!(refused, Err(Error::Tables(too_small)));
        assert!(bytes.iter().all(|byte| *byte == 0xA5));
    });
}

#[test]
fn overlapping_regions_and_maps_that_linux_would_cut_are_refused() {
    let (first, second) = (region(0, 0x2000, E820Type::RAM), region(0x1FFF, 0x3000, E820Type::NVS));
    let mut list = vec![None; 300];
    assert_eq!(
        memory_map(&[second, first], None, &mut list),
        Err(Error::RegionsOverlap { first, second })
    );
    // Of two that start together the error names the one given first as the first.
    let longer = region(0, 0x3000, E820Type::NVS);
    for (first, second) in [(first, longer), (longer, first)] {
        assert_eq!(
            memory_map(&[first, second], None, &mut list),
            Err(Error::RegionsOverlap { first, second })
        );
    }
    assert_eq!(memory_map(&[], None, &mut list).map(Map::is_empty), Ok(true));
    assert_eq!(memory_map(&[first], None, &mut list).map(Map::is_empty), Ok(false));
    // Pages of RAM with holes between: 128 entries pass, 129 do not.
    let holes: Vec<_> =
        (0..129).map(|n| region(n * 0x2000, n * 0x2000 + 0x1000, E820Type::RAM)).collect();
    assert_eq!(memory_map(&holes[..128], None, &mut list).map(Map::len), Ok(128));
    assert_eq!(
        memory_map(&holes, None, &mut list),
        Err(Error::MapTooLong { entries: 129, max: 128 })
    );
}

#[test]
fn a_map_can_be_replaced_after_the_guest_is_in_place() {
    let file = image("elf64.elf");
    let memory = machine(64 * MIB);
    with_tables(|tables| {
        let kernel = Kernel::parse(&file).unwrap();
        let (command_line, reserved, busy) = (&b"quiet"[..], &[][..], &[][..]);
        let guest =
            Guest { kernel, modules: &[], command_line, memory: &memory, reserved, busy, tables };
        let mut map = [None; 8];
        let plan = Plan::new(guest, Lists { modules: &mut [], map: &mut map }).unwrap();
        let mut bytes = vec![0; 63 << 20];
        let mut buffer = vec![0; plan.tables_len()];
        let mut guest_memory = SliceMemory::new(Gpa(MIB), &mut bytes);
        plan.write_guest(&mut buffer, &mut guest_memory).unwrap();
        let other = [region(MIB, 64 * MIB, E820Type::RAM)];
        plan.replace_map(&other, &mut [None; 3], &mut guest_memory).unwrap();
        assert_eq!(
            plan.replace_map(&[], &mut [None; 3], &mut guest_memory),
            Err(Error::NotGuestMemory { range: plan.tables() })
        );
        // The start info is at 1 MiB, the memory's first byte.
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!(u32_at(48), 2, "RAM and the tables");
        let map = usize::try_from(u32_at(40)).unwrap() - (1 << 20);
        assert_eq!((u32_at(map), u32_at(map + 16)), (0x10_0000, 1));
        assert_eq!((u32_at(map + 24), u32_at(map + 40)), (0x3FF_F000, 3));
    });
}

/// Regions of any kind that do not overlap, in any order, with gaps or without.
fn any_memory() -> impl Strategy<Value = Vec<E820Entry>> {
    let step = (0_u64..3, 1_u64..0x3000, 1_u32..4);
    (0_u64..0x2000, prop::collection::vec(step, 1..12))
        .prop_map(|(mut at, steps)| {
            let mut regions = vec![];
            for (gap, pages, kind) in steps {
                let start = at + gap * 0x1000;
                at = start + pages * 0x1000;
                regions.push(region(start, at, E820Type(kind)));
            }
            regions
        })
        .prop_shuffle()
}

proptest! {
    /// Whatever the machine: a plan's parts do not overlap, are RAM from 1 MiB to
    /// 4 GiB, and avoid what is reserved.
    #[test]
    fn parts_lie_in_free_ram_and_apart(
        memory in any_memory(),
        reserved in prop::collection::vec((0_u64..0x800_0000, 1_u64..0x40_0000), 0..6),
        module in 1_usize..0x10_0000,
        name in prop::sample::select(vec!["elf64.elf", "relocatable-by-default.elf"]),
    ) {
        let reserved: Vec<_> =
            reserved.into_iter().map(|(start, size)| range(start, start + size)).collect();
        let parts = plan(name, &memory, &reserved, module, |plan| {
            let map: Vec<_> = plan.map().regions().collect();
            (plan.ranges().collect::<Vec<_>>(), map, plan.tables())
        });
        let Ok((parts, map, tables)) = parts else { return Ok(()) };
        for (index, (item, part)) in parts.iter().enumerate() {
            prop_assert!(part.start().0 >= 0x10_0000 && part.end().0 <= 0x1_0000_0000);
            prop_assert!(reserved.iter().all(|it| !it.overlaps(*part)), "{item} is in a reserved range");
            prop_assert!(parts[..index].iter().all(|(_, it)| !it.overlaps(*part)), "{item} overlaps");
            let ram: u64 = memory
                .iter()
                .filter(|it| it.kind == E820Type::RAM)
                .map(|it| it.range.end().min(part.end()).0.saturating_sub(it.range.start().max(part.start()).0))
                .sum();
            prop_assert_eq!(ram, part.size(), "{} is not in RAM", item);
        }
        // The map: ascending, merged, and at each address what the machine said, or ACPI.
        for pair in map.windows(2) {
            prop_assert!(pair[0].range.end() <= pair[1].range.start());
            prop_assert!(pair[0].range.end() < pair[1].range.start() || pair[0].kind != pair[1].kind);
        }
        let kind = |map: &[E820Entry], at| map.iter().find(|it| it.range.contains(at)).map(|it| it.kind);
        for border in memory.iter().flat_map(|it| [it.range.start(), it.range.end()]).chain([tables.start(), tables.end()]) {
            for at in [border, Gpa(border.0.saturating_sub(1))] {
                let right = if tables.contains(at) { Some(E820Type::ACPI) } else { kind(&memory, at) };
                prop_assert_eq!(kind(&map, at), right, "at {:#x}", at.0);
            }
        }
    }
}
