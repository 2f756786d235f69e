//! Calls every public function of acpi-gen, each by its path, so that a check can
//! find it here by name.
#![cfg_attr(target_os = "none", no_std, no_main)]

use core::{fmt::Write, hint::black_box};

use acpi_gen::{
    AcpiVersion, ApicId, Description, Distance, Distances, E820Entry, E820Type, Entries, Errno,
    Error, FadtView, FoundTable, Gpa, GpaRange, InterruptOverride, IntiFlags, IoApic, KnownTable,
    ListedTables, LocalNmi, Madt, MadtEntry, MemoryRange, NmiForm, NmiTarget, Physical, Placed,
    Polarity, Processor, ProcessorState, ProcessorUid, ProximityDomain, Revisions, Rsdp, Show,
    Slit, Srat, SratEntry, SubTable, Table, TableSet, TableWalk, Topology, Trigger, UncoveredRam,
    Value, Violation, WalkError,
    check::{self, Consumer},
    madt, slit, srat,
};

use panic_check::{Sink, see};

panic_check::program!(run);

fn run() {
    let mut buffer = [0_u8; 4096];
    let mut scratch = [0_u32; 64];
    read(black_box(&buffer));
    see(units());
    if let Err(error) = describe(black_box(&mut buffer), black_box(&mut scratch)) {
        see(write!(Sink, "{error}"));
        let Violation { errno, .. } = Violation::from(error);
        see((Errno::number(errno), Error::text(black_box(0x100))));
    }
    read(black_box(&buffer));
    walk(black_box(&buffer));
    judge(black_box(&buffer), black_box(&mut scratch));
}

fn units() -> Result<(), Error> {
    let one = GpaRange::new(Gpa(black_box(0)), Gpa(black_box(4096)))?;
    let other = GpaRange::with_size(Gpa(black_box(4096)), black_box(4096))?;
    see((GpaRange::start(one), GpaRange::end(one), GpaRange::size(one)));
    see((GpaRange::overlaps(one, other), GpaRange::contains(one, Gpa(black_box(1)))));
    see(Distance::get(Distance::clamped(black_box(300))));
    let version = black_box(AcpiVersion::V6_5);
    see((AcpiVersion::minor(version), AcpiVersion::madt(version)));
    let revisions = black_box(Revisions::Acpi(version));
    see(Revisions::madt(revisions));
    see(IntiFlags::from_bits(black_box(5)));
    see(Processor::on(ProximityDomain(black_box(1)), ProcessorUid(black_box(1))));
    Ok(())
}

fn describe(buffer: &mut [u8], scratch: &mut [u32]) -> Result<(), Error> {
    let processor = |uid, domain, state| Processor {
        uid: ProcessorUid(uid),
        apic_id: ApicId(uid),
        domain,
        state,
    };
    let domain = Some(ProximityDomain(1));
    let processors = [
        processor(0, domain, ProcessorState::Enabled),
        processor(1, None, ProcessorState::OnlineCapable),
    ];
    let memory = [MemoryRange {
        range: GpaRange::with_size(Gpa(0), black_box(4096))?,
        domain: ProximityDomain(1),
        hot_pluggable: false,
        non_volatile: true,
    }];
    let description = black_box(Description {
        processors: black_box(&processors),
        memory: black_box(&memory),
        distances: Distances {
            domains: black_box(&[ProximityDomain(1)]),
            matrix: black_box(&[Distance::LOCAL]),
        },
        io_apics: black_box(&[IoApic { id: 0, address: 0xFEC0_0000, gsi_base: 0 }]),
        overrides: black_box(&[InterruptOverride {
            source: 0,
            gsi: 2,
            polarity: Polarity::High,
            trigger: Trigger::Edge,
        }]),
        nmis: black_box(&[LocalNmi {
            target: NmiTarget::All,
            lint: 1,
            polarity: Polarity::Conforming,
            trigger: Trigger::Conforming,
            form: NmiForm::AsProcessors,
        }]),
        entries: Entries::Hybrid,
        ..Description::EMPTY
    });
    see(Topology::scratch_len(&description));
    let topology = black_box(Topology::new(description, scratch)?);
    see(Topology::description(&topology));
    tables(&topology, buffer)?;
    set(black_box(TableSet::new(&topology)), buffer)?;
    set(black_box(TableSet::complete(&topology)?), buffer)
}

fn tables(topology: &Topology<'_>, buffer: &mut [u8]) -> Result<(), Error> {
    see((madt::len(topology)?, madt::emit(topology, buffer)?));
    see((srat::len(topology)?, srat::emit(topology, buffer)?));
    see((slit::len(topology)?, slit::emit(topology, buffer)?));
    Ok(())
}

fn set(set: TableSet<'_>, buffer: &mut [u8]) -> Result<(), Error> {
    let other_tables = black_box([Gpa(0xFD00_0000)]);
    let set = TableSet::with_tables(set, black_box(&other_tables));
    let set = black_box(TableSet::with_hypervisor_vendor(set, black_box(*b"XenXenXe")));
    see((TableSet::align(&set), TableSet::len(&set)?, TableSet::topology(&set)));
    see(TableSet::place(&set, black_box(Gpa(0xFC00_0000)))?);
    let placed = black_box(TableSet::emit(&set, buffer, black_box(Gpa(0xFC00_0000)))?);
    see((Placed::rsdp(&placed), Placed::base(&placed), Placed::len(&placed)));
    see((Placed::tables(&placed), Placed::table(&placed, black_box(*b"SRAT"))));
    Ok(())
}

fn read(bytes: &[u8]) {
    if let Ok(table) = Table::parse(bytes) {
        header(&table);
    }
    if let Ok(rsdp) = Rsdp::parse(bytes) {
        see((Rsdp::revision(&rsdp), Rsdp::oem_id(&rsdp)));
        see((Rsdp::root(&rsdp), Rsdp::sums(&rsdp), Rsdp::bytes(&rsdp)));
    }
    if let Ok(madt) = Madt::parse(bytes) {
        header(Madt::table(&madt));
        see((Madt::flags(&madt), Madt::pcat_compat(&madt)));
        Madt::entries(&madt).for_each(see);
    }
    if let Ok(srat) = Srat::parse(bytes) {
        header(Srat::table(&srat));
        Srat::entries(&srat).for_each(see);
    }
    if let Ok(slit) = Slit::parse(bytes) {
        header(Slit::table(&slit));
        Slit::rows(&slit).for_each(see);
        let (from, to) = black_box((ProximityDomain(0), ProximityDomain(1)));
        see(Slit::distance(&slit, from, to));
    }
    if let Ok(fadt) = FadtView::parse(bytes) {
        header(FadtView::table(&fadt));
        see((FadtView::version(&fadt), FadtView::dsdt(&fadt), FadtView::facs(&fadt)));
    }
    if let Some(table) = KnownTable::of(bytes) {
        see(KnownTable::has_header(table));
    }
    // Every known table, so that a new one needs no line here.
    for table in black_box(KnownTable::ALL) {
        see((KnownTable::signature(table), KnownTable::show(table, bytes, &mut Decoder)));
    }
    let entry = SubTable { offset: black_box(0), kind: black_box(0), bytes };
    see((MadtEntry::parse(entry), SratEntry::parse(entry)));
}

/// Takes what a table says.
struct Decoder;

impl Show for Decoder {
    fn field(&mut self, name: &'static str, value: Value<'_>) {
        see((name, value));
    }

    fn list(&mut self, name: &'static str) {
        see(name);
    }

    fn item(&mut self, value: Value<'_>) {
        see(value);
    }

    fn entry(&mut self, offset: usize, kind: u8, name: &'static str) {
        see((offset, kind, name));
    }

    fn error(&mut self, error: Error) {
        see(error);
    }
}

/// Memory that starts at address 0.
struct Memory<'a>(&'a [u8]);

impl Physical for Memory<'_> {
    fn bytes(&self, at: Gpa, len: usize) -> Option<&[u8]> {
        self.0.get(usize::try_from(at.0).ok()?..)?.get(..len)
    }
}

fn walk(bytes: &[u8]) {
    let memory = Memory(bytes);
    for found in TableWalk::new(&memory, black_box(Gpa(16))) {
        if let Err(error) = &found {
            see(WalkError::at(error));
            see(write!(Sink, "{error}"));
        }
        see(found);
    }
    see(FoundTable::at(&memory, black_box(Gpa(32))));
    ListedTables::of(black_box(*b"RSDT"), bytes).for_each(see);
}

fn header(table: &Table<'_>) {
    see((Table::signature(table), Table::revision(table), Table::oem(table)));
    see((Table::bytes(table), Table::sum(table)));
}

fn judge(bytes: &[u8], scratch: &mut [u32]) {
    let Ok(range) = GpaRange::with_size(Gpa(0), black_box(4096)) else { return };
    let map = [E820Entry { range, kind: black_box(E820Type::UNUSABLE) }];
    see(write!(Sink, "{}", map[0]));
    let covered = black_box([range]);
    see(UncoveredRam::new(map.iter().map(|entry| entry.range), covered.iter().copied()));
    let bytes = black_box(Some(bytes));
    let repeated = black_box([*b"APIC"]);
    let tables = check::Tables {
        rsdp: bytes,
        xsdt: bytes,
        fadt: bytes,
        madt: bytes,
        srat: bytes,
        slit: bytes,
        dsdt: bytes,
        repeated: &repeated,
        boot_processor: black_box(Some(ApicId(0))),
        memory_map: black_box(Some(&map)),
        pvh_dom0: black_box(true),
    };
    see(check::Tables::scratch_len(&tables));
    let report = |finding: check::Finding| {
        see(write!(Sink, "{finding}"));
        see(write!(Sink, "{}", check::Finding::words(&finding)));
    };
    see(check::check(&tables, black_box(Consumer::Linux), scratch, report));
}
