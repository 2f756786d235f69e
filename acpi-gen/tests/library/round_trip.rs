//! What is emitted reads back as what was described, for any description.

use acpi_gen::{
    AcpiVersion, ApicId, Distance, Entries, FadtView, Gpa, InterruptOverride, IoApic, KnownTable,
    ListedTables, LocalNmi, Madt, MadtEntry, NmiForm, NmiTarget, Oem, Polarity, Processor,
    ProcessorState, ProcessorUid, ProximityDomain, Revisions, Rsdp, Slit, Srat, SratEntry, Table,
    TableSet, Topology, Trigger, madt, slit, srat,
};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use crate::bytes::Shown;
use crate::samples::{self, Machine};

/// Ids and UIDs around every border, and any others.
fn borders() -> impl Strategy<Value = u32> {
    prop_oneof![
        0_u32..8,
        252_u32..260,
        Just(u32::MAX - 1),
        any::<u32>().prop_map(|value| value.min(u32::MAX - 1)),
    ]
}

fn domain() -> impl Strategy<Value = ProximityDomain> {
    prop_oneof![0_u32..6, 254_u32..258].prop_map(ProximityDomain)
}

fn processors() -> impl Strategy<Value = Vec<Processor>> {
    let pairs = (btree_set(borders(), 1..40), btree_set(borders(), 1..40));
    (pairs, vec((proptest::option::of(domain()), any::<bool>()), 40)).prop_map(
        |((uids, ids), rest)| {
            // Ids descend, so that their order is not that of UIDs.
            uids.into_iter()
                .zip(ids.into_iter().rev())
                .zip(rest)
                .enumerate()
                .map(|(index, ((uid, id), (domain, enabled)))| Processor {
                    uid: ProcessorUid(uid),
                    apic_id: ApicId(id),
                    domain,
                    state: if enabled || index == 0 {
                        ProcessorState::Enabled
                    } else {
                        ProcessorState::OnlineCapable
                    },
                })
                .collect()
        },
    )
}

fn polarity() -> impl Strategy<Value = Polarity> {
    prop_oneof![Just(Polarity::Conforming), Just(Polarity::High), Just(Polarity::Low)]
}

fn trigger() -> impl Strategy<Value = Trigger> {
    prop_oneof![Just(Trigger::Conforming), Just(Trigger::Edge), Just(Trigger::Level)]
}

prop_compose! {
    fn interrupts()(
        io_apics in btree_set(any::<u8>(), 0..4),
        address in 1..=u32::MAX,
        gsi in any::<u32>(),
        sources in btree_set(any::<u8>(), 0..6),
        polarity in polarity(),
        trigger in trigger(),
        nmis in vec((0_u8..2, 0_u8..4, any::<prop::sample::Index>()), 0..5),
    ) -> (Vec<IoApic>, Vec<InterruptOverride>, Vec<(LocalNmi, prop::sample::Index)>) {
        let io_apics = io_apics.into_iter().map(|id| IoApic { id, address, gsi_base: gsi }).collect();
        let overrides = sources
            .into_iter()
            .map(|source| InterruptOverride { source, gsi, polarity, trigger })
            .collect();
        let nmis = nmis
            .into_iter()
            .map(|(lint, form, of)| {
                let form = match form {
                    0 => NmiForm::LocalApic,
                    1 => NmiForm::X2Apic,
                    _ => NmiForm::AsProcessors,
                };
                (LocalNmi { target: NmiTarget::All, lint, polarity, trigger, form }, of)
            })
            .collect();
        (io_apics, overrides, nmis)
    }
}

prop_compose! {
    fn machine()(
        processors in processors(),
        cuts in btree_set(any::<u64>(), 0..12),
        ranges in vec((domain(), any::<bool>(), any::<bool>()), 12),
        (io_apics, overrides, nmis) in interrupts(),
        cells in vec(11_u32..=400, 100),
        hybrid in any::<bool>(),
        version in 0_usize..8,
        pcat_compat in any::<bool>(),
        oem in (any::<[u8; 6]>(), any::<[u8; 8]>(), any::<u32>()),
    ) -> Machine {
        let mut processors = processors;
        if hybrid {
            // A type 0 entry has no room for more.
            processors.retain(|p| p.uid.0 <= 255 || p.apic_id > ApicId::MAX_XAPIC);
            if let Some(first) = processors.first_mut() {
                first.state = ProcessorState::Enabled;
            }
        }
        if processors.is_empty() {
            processors = Machine::plain(1, 1).processors;
        }
        // Every second piece between the cuts is memory.
        let cuts: Vec<u64> = cuts.into_iter().collect();
        let memory: Vec<_> = cuts
            .chunks_exact(2)
            .zip(ranges)
            .map(|(cut, (domain, hot_pluggable, non_volatile))| acpi_gen::MemoryRange {
                range: acpi_gen::GpaRange::new(Gpa(cut[0]), Gpa(cut[1])).unwrap(),
                domain,
                hot_pluggable,
                non_volatile,
            })
            .collect();
        let mut domains: Vec<_> = processors
            .iter()
            .filter_map(|p| p.domain)
            .chain(memory.iter().map(|m| m.domain))
            .collect();
        domains.sort();
        domains.dedup();
        let n = domains.len();
        let distances = (0..n * n)
            .map(|cell| match (cell / n == cell % n, cells[cell]) {
                (true, _) => Distance::LOCAL,
                (_, 255) => Distance::UNREACHABLE,
                (_, value) => Distance::clamped(value),
            })
            .collect();
        let nmis = nmis
            .into_iter()
            .map(|(nmi, of)| {
                let uid = processors[of.index(processors.len())].uid;
                // UIDs that the form cannot hold stay "all".
                let target = if uid.0 < 255 { NmiTarget::Uid(uid) } else { NmiTarget::All };
                LocalNmi { target, ..nmi }
            })
            .collect();
        let revisions = match AcpiVersion::ALL.get(version) {
            Some(version) => Revisions::Acpi(*version),
            None => Revisions::MadtOf(4),
        };
        Machine {
            processors,
            memory,
            domains,
            distances,
            io_apics,
            overrides,
            nmis,
            entries: if hybrid { Entries::Hybrid } else { Entries::X2Apic },
            revisions,
            pcat_compat,
            oem: Oem { id: oem.0, table_id: oem.1, revision: oem.2 },
        }
    }
}

fn is_type0(machine: &Machine, processor: &Processor) -> bool {
    machine.entries == Entries::Hybrid && processor.apic_id.0 < 255
}

fn inti(polarity: Polarity, trigger: Trigger) -> u16 {
    let polarity = match polarity {
        Polarity::Conforming => 0,
        Polarity::High => 1,
        Polarity::Low => 3,
    };
    polarity
        | match trigger {
            Trigger::Conforming => 0,
            Trigger::Edge => 4,
            Trigger::Level => 12,
        }
}

/// The entries that ACPI 6.5, 5.2.12 asks for.
fn madt_entries(machine: &Machine) -> Vec<MadtEntry<'static>> {
    let processors = machine.processors.iter().map(|processor| {
        let flags = match processor.state {
            ProcessorState::Enabled => 1,
            ProcessorState::OnlineCapable if machine.revisions.madt() >= 5 => 2,
            ProcessorState::OnlineCapable => 0,
        };
        let (uid, apic_id) = (processor.uid, processor.apic_id);
        if is_type0(machine, processor) {
            let (uid, apic_id) = (uid.0.try_into().unwrap(), apic_id.0.try_into().unwrap());
            return MadtEntry::LocalApic { uid, apic_id, flags };
        }
        MadtEntry::X2Apic { uid, apic_id, flags }
    });
    let overrides = machine.overrides.iter().map(|over| MadtEntry::InterruptOverride {
        bus: 0,
        source: over.source,
        gsi: over.gsi,
        flags: inti(over.polarity, over.trigger),
    });
    let nmis = machine.nmis.iter().map(|nmi| {
        let (flags, lint) = (inti(nmi.polarity, nmi.trigger), nmi.lint);
        let of_processors = |uid: Option<ProcessorUid>| {
            let mut of = machine.processors.iter().filter(|p| uid.is_none_or(|uid| p.uid == uid));
            of.all(|p| is_type0(machine, p))
        };
        let uid = match nmi.target {
            NmiTarget::All => None,
            NmiTarget::Uid(uid) => Some(uid),
        };
        let type4 = match nmi.form {
            NmiForm::LocalApic => true,
            NmiForm::X2Apic => false,
            NmiForm::AsProcessors => of_processors(uid),
        };
        if type4 {
            let uid = uid.map_or(255, |uid| uid.0.try_into().unwrap());
            return MadtEntry::LocalApicNmi { uid, flags, lint };
        }
        MadtEntry::X2ApicNmi { uid: uid.unwrap_or(ProcessorUid(u32::MAX)), flags, lint }
    });
    let io_apics = machine
        .io_apics
        .iter()
        .map(|&IoApic { id, address, gsi_base }| MadtEntry::IoApic { id, address, gsi_base });
    processors.chain(io_apics).chain(overrides).chain(nmis).collect()
}

/// The entries that ACPI 6.5, 5.2.16 asks for.
fn srat_entries(machine: &Machine) -> Vec<SratEntry<'static>> {
    let processors = machine.processors.iter().filter_map(|processor| {
        let (domain, flags, clock_domain) = (processor.domain?, 1, 0);
        let apic_id = processor.apic_id;
        Some(if is_type0(machine, processor) {
            let apic_id = apic_id.0.try_into().unwrap();
            SratEntry::LocalApic { domain, apic_id, flags, clock_domain }
        } else {
            SratEntry::X2Apic { domain, apic_id, flags, clock_domain }
        })
    });
    let memory = machine.memory.iter().map(|memory| SratEntry::Memory {
        domain: memory.domain,
        base: memory.range.start().0,
        length: memory.range.size(),
        flags: 1 | u32::from(memory.hot_pluggable) << 1 | u32::from(memory.non_volatile) << 2,
    });
    processors.chain(memory).collect()
}

fn check_headers(machine: &Machine, table: &Table<'_>, revision: u8) {
    assert_eq!(table.sum(), 0);
    assert_eq!(table.oem(), machine.oem);
    assert_eq!(table.revision(), revision);
}

fn check_tables(machine: &Machine, topology: &Topology<'_>) {
    let bytes = samples::table(topology, madt::len, madt::emit);
    let read = Madt::parse(&bytes).unwrap();
    check_headers(machine, read.table(), machine.revisions.madt());
    let shown = Shown::of(KnownTable::Madt, &bytes).unwrap();
    assert_eq!(shown.fields["local_apic_address"], 0xFEE0_0000);
    assert_eq!(read.pcat_compat(), machine.pcat_compat);
    let entries: Vec<_> = read.entries().map(Result::unwrap).collect();
    assert_eq!(entries, madt_entries(machine));

    let bytes = samples::table(topology, srat::len, srat::emit);
    let read = Srat::parse(&bytes).unwrap();
    check_headers(machine, read.table(), 3);
    let entries: Vec<_> = read.entries().map(Result::unwrap).collect();
    assert_eq!(entries, srat_entries(machine));

    let bytes = samples::table(topology, slit::len, slit::emit);
    let read = Slit::parse(&bytes).unwrap();
    check_headers(machine, read.table(), 1);
    let highest = machine.domains.iter().max().map(|domain| domain.0);
    assert_eq!(read.rows().count(), highest.map_or(0, |highest| highest as usize + 1));
    for (from, row) in (0..).map(ProximityDomain).zip(read.rows()) {
        for (to, &cell) in (0..).map(ProximityDomain).zip(row) {
            let place = |of| machine.domains.binary_search(&of).ok();
            let expected = match (place(from), place(to)) {
                (Some(i), Some(j)) => machine.distances[i * machine.domains.len() + j].get(),
                _ if from == to => 10,
                _ => 20,
            };
            assert_eq!(cell, expected, "{from:?} {to:?}");
        }
    }
}

fn check_set(set: &TableSet<'_>, other_tables: &[Gpa], base: Gpa) {
    let placed = set.place(base).unwrap();
    let bytes = samples::emitted(set, base);
    let at = |address: Gpa| &bytes[usize::try_from(address.0 - base.0).unwrap()..];
    let rsdp = Rsdp::parse(at(placed.rsdp())).unwrap();
    assert_eq!((rsdp.revision(), rsdp.sums()), (2, (0, Some(0))));
    let (xsdt, signature) = rsdp.root();
    assert_eq!(signature, *b"XSDT");
    let xsdt = Table::parse(at(xsdt)).unwrap();
    assert_eq!(xsdt.sum(), 0);
    let addresses: Vec<_> = ListedTables::of(signature, xsdt.bytes()).collect();
    let shown = Shown::of(KnownTable::Xsdt, xsdt.bytes()).unwrap();
    assert!(shown.items.iter().eq(addresses.iter().map(|address| &address.0)));
    let (own, others) = addresses.split_at(addresses.len() - other_tables.len());
    assert_eq!(others, other_tables);
    for address in own {
        let table = Table::parse(at(*address)).unwrap();
        assert!(address.0.is_multiple_of(8));
        assert_eq!(table.sum(), 0);
        assert_eq!(placed.table(table.signature()).unwrap().address, *address);
        if let Ok(fadt) = FadtView::parse(table.bytes()) {
            let shown = Shown::of(KnownTable::Fadt, table.bytes()).unwrap();
            assert_eq!(shown.fields["hardware_reduced"], 1);
            assert_eq!(Table::parse(at(fadt.dsdt().unwrap())).unwrap().sum(), 0);
            let facs = fadt.facs().unwrap();
            assert!(facs.0.is_multiple_of(64));
            Shown::of(KnownTable::Facs, at(facs)).unwrap();
        }
    }
    let described = set.topology().description();
    let has_nodes = !described.memory.is_empty()
        || described.processors.iter().any(|processor| processor.domain.is_some());
    let affinity = usize::from(has_nodes) * 2;
    let fadt = usize::from(placed.table(*b"FACP").is_some());
    assert_eq!(own.len(), 1 + affinity + fadt);
}

proptest! {
    #[test]
    fn any_description_reads_back(machine in machine(), base in 0_u64..1 << 50) {
        let topology = machine.valid();
        check_tables(&machine, &topology);
        let base = Gpa(base << 6);
        let other_tables = [Gpa(0x1234_5678), Gpa(u64::MAX)];
        check_set(&TableSet::new(&topology).with_tables(&other_tables), &other_tables, base);
        match TableSet::complete(&topology) {
            Ok(set) => check_set(&set, &[], base),
            Err(error) => {
                prop_assert_eq!(error, acpi_gen::Error::FadtNotOurs);
                prop_assert_eq!(machine.revisions, Revisions::MadtOf(4));
            }
        }
    }

    #[test]
    fn readers_survive_any_bytes(bytes in vec(any::<u8>(), 0..300), kind in 0_usize..8, fits: bool) {
        let mut bytes = bytes;
        let signatures = [*b"APIC", *b"SRAT", *b"SLIT", *b"XSDT", *b"FACP", *b"FACS", *b"RSD ", *b"DSDT"];
        if bytes.len() >= 8 {
            bytes[..4].copy_from_slice(&signatures[kind]);
            if fits {
                let len = u32::try_from(bytes.len()).unwrap();
                bytes[4..8].copy_from_slice(&len.to_le_bytes());
            }
        }
        crate::bytes::read_all(&bytes);
    }
}

#[test]
fn the_varied_machine_reads_back() {
    let machine = Machine::varied(300);
    let topology = machine.valid();
    check_tables(&machine, &topology);
    let bytes = samples::table(&topology, madt::len, madt::emit);
    let mut types = Shown::of(KnownTable::Madt, &bytes).unwrap().entries;
    types.sort_unstable();
    types.dedup();
    assert_eq!(types, [0, 1, 2, 4, 9, 0xA]);
}
