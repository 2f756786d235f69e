//! The plan of a guest, and the tables of any plan.

use super::*;

pub(super) fn run(input: &Input) {
    let parts = input.machine.parts();
    let described = parts.description();
    let processors: Vec<_> = described
        .processors
        .iter()
        .map(|p| HvgProcessor {
            pxm: p.domain.map_or(0, |domain| domain.0),
            flags: u32::from(p.state == acpi_gen::ProcessorState::OnlineCapable)
                | u32::from(input.numbers[4] & 0xF0),
        })
        .collect();
    let ids: Vec<u32> = described.processors.iter().map(|p| p.apic_id.0).collect();
    let memory: Vec<_> = described
        .memory
        .iter()
        .map(|m| HvgMemory {
            start: m.range.start().0,
            end: if input.numbers[5] == 1 { m.range.start().0 } else { m.range.end().0 },
            pxm: m.domain.0,
            flags: u32::from(m.hot_pluggable) | u32::from(m.non_volatile) << 1,
        })
        .collect();
    let domains: Vec<u32> = described.distances.domains.iter().map(|domain| domain.0).collect();
    let matrix: Vec<u32> = (0..domains.len() * domains.len())
        .map(|at| described.distances.matrix.get(at).map_or(20, |d| d.get().into()))
        .collect();
    let mut arguments = Arguments::new(&input.how);
    let error = arguments.value(input.error());
    let value = HvgGuest {
        size: input.size::<HvgGuest>(),
        version: input.version(),
        processors: arguments.array(&processors),
        memory: arguments.array(&memory),
        distance_pxm: arguments.array(&domains),
        distances: arguments.array(&matrix),
        pnodes: std::ptr::null(),
        nr_processors: processors.len() as u32,
        nr_memory: memory.len() as u32,
        nr_distances: domains.len() as u32,
        nr_pnodes: 0,
        max_elements: 8 * u32::from(input.numbers[3]),
        reserved: 0,
    };
    let guest = arguments.value(value);
    let memory_len = arguments.value(0_u64);
    // SAFETY: as in `apic_ids`.
    let status = unsafe { hvg_guest_len(guest, memory_len, error) };
    check(&arguments, status, error);
    if status != 0 {
        return;
    }
    // SAFETY: the call was good, so the pointer was.
    let room = input.work(unsafe { read(memory_len, 1) }[0]);
    let room_at = arguments.array(&room);
    let made = arguments.value(std::ptr::null_mut::<HvgPlan>());
    // SAFETY: as in `apic_ids`.
    let status = unsafe { hvg_guest_make(guest, room_at, room.len() as u64, made, error) };
    check(&arguments, status, error);
    if arguments.wrong || status != 0 {
        return;
    }
    // SAFETY: every argument is right.
    let plan = unsafe { read(made, 1) }[0];
    let ids_at = if input.numbers[6] == 0 { std::ptr::null_mut() } else { arguments.array(&ids) };
    // SAFETY: as in `apic_ids`; the plan was just made.
    let status = unsafe { hvg_guest_ids(plan, ids_at, ids.len() as u32, error) };
    check(&arguments, status, error);
    tables(input, plan, arguments.rest());
}

/// The tables of a plan: dom0's, or a guest's.
pub(super) fn tables(input: &Input, plan: *mut HvgPlan, how: &[Form]) {
    let parts = input.machine.parts();
    let described = parts.description();
    let io_apics: Vec<_> = described
        .io_apics
        .iter()
        .map(|io| HvgIoApic { id: io.id.into(), address: io.address, gsi_base: io.gsi_base })
        .collect();
    let numbers = |at: usize| input.words.get(at).copied().unwrap_or_default();
    let overrides: Vec<_> = described
        .overrides
        .iter()
        .map(|o| HvgOverride { source: o.source.into(), gsi: o.gsi, flags: numbers(0) })
        .collect();
    let nmis: Vec<_> = described
        .nmis
        .iter()
        .map(|n| HvgNmi { uid: HVG_NONE, lint: n.lint.into(), flags: numbers(1) })
        .collect();
    let further: Vec<u64> = input.words.iter().map(|word| (*word).into()).collect();

    let mut arguments = Arguments::new(how);
    let error = arguments.value(input.error());
    let value = HvgTables {
        size: input.size::<HvgTables>(),
        version: input.version(),
        io_apics: arguments.array(&io_apics),
        overrides: arguments.array(&overrides),
        nmis: arguments.array(&nmis),
        tables: arguments.array(&further),
        nr_io_apics: io_apics.len() as u32,
        nr_overrides: overrides.len() as u32,
        nr_nmis: nmis.len() as u32,
        nr_tables: further.len() as u32,
        flags: input.flags.into(),
        madt_revision: u32::from(input.numbers[6]) << (input.numbers[2] % 3),
        oem_revision: described.oem.revision,
        oem_id: described.oem.id,
        oem_table_id: described.oem.table_id,
        reserved: [0; 6],
    };
    let tables = arguments.value(value);
    let tables_len = arguments.value(u64::MAX);
    let plan = arguments.existing(plan);
    // SAFETY: as in `apic_ids`; the plan is one, or refused by its first word.
    let status = unsafe { hvg_plan_tables_len(plan, tables, tables_len, error) };
    check(&arguments, status, error);
    if status != 0 {
        return;
    }
    // SAFETY: the call was good, so the pointer was.
    let len = unsafe { read(tables_len, 1) }[0];
    if len > 1 << 16 {
        return;
    }
    let have = len.saturating_add_signed(i8::from_le_bytes([input.numbers[7]]).into());
    let buffer = vec![POISON; have as usize];
    let buffer_at = arguments.array(&buffer);
    let placed = HvgPlaced {
        size: input.size::<HvgPlaced>(),
        version: input.version(),
        rsdp: 1,
        madt: 1,
        len: 1,
        tables: [HvgTable { signature: [1; 4], len: 1, address: 1 }; HVG_MAX_TABLES],
        nr_tables: 1,
        reserved: 0,
    };
    let placed_at = arguments.value(placed);
    let base = u64::from(numbers(2)) << 4;
    // SAFETY: as in `apic_ids`; the plan is one, or refused by its first word.
    let status = unsafe {
        hvg_plan_tables_emit(plan, tables, buffer_at, have as u32, base, placed_at, error)
    };
    check(&arguments, status, error);
    if !arguments.wrong {
        // SAFETY: every argument is right.
        let (bytes, placed) = unsafe { (read(buffer_at, buffer.len()), read(placed_at, 1)[0]) };
        if status == 0 {
            assert_eq!((placed.len, placed.rsdp), (len, base));
            let tables = &placed.tables[..placed.nr_tables as usize];
            let named = tables.iter().map(|table| (table.signature, table.address, table.len));
            let found = named_tables(&bytes[..len as usize], base);
            assert!(named.eq(found.iter().copied()), "{tables:?}; expected {found:?}");
            assert!(
                bytes.starts_with(b"RSD PTR ")
                    && bytes[len as usize..].iter().all(|b| *b == POISON)
            );
        } else {
            assert_eq!(
                (bytes, placed.len, placed.nr_tables),
                (buffer, 1, 1),
                "wrote before it failed"
            );
        }
    }
}

/// Signature, address and length of the tables in `bytes` from `base` on,
/// by their own headers: on 8 bytes, with zeros in between.
fn named_tables(bytes: &[u8], base: u64) -> Vec<([u8; 4], u64, u32)> {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
    // ACPI 6.5, 5.2.5.3: an RSDP of revision 2 has 36 bytes, its length at 20.
    let mut found = vec![(*b"RSDP", base, word(20))];
    let mut at = 40;
    while at < bytes.len() {
        if bytes[at] == 0 {
            at += 8;
        } else {
            let signature = word(at).to_le_bytes();
            found.push((signature, base + at as u64, word(at + 4)));
            at += (word(at + 4) as usize).next_multiple_of(8);
        }
    }
    found
}
