//! Calls every public function of pvh-loader, each by its path, so that a check can
//! find it here by name.
#![cfg_attr(target_os = "none", no_std, no_main)]

use core::{fmt::Write, hint::black_box};

use acpi_gen::{
    ApicId, Description, Gpa, GpaRange, Processor, ProcessorState, ProcessorUid, TableSet, Topology,
};
use pvh_loader::{
    E820Entry, E820Type, Error, Guest, GuestMemory, Kernel, Lists, Map, Module, Payload, Plan,
    SliceMemory, StartInfo, map_len, memory_map,
};

use panic_check::{Sink, see};

panic_check::program!(run);

fn run() {
    let mut file = [0_u8; 8192];
    let mut memory = [0_u8; 4096];
    if let Err(error) = load(black_box(&mut file), black_box(&mut memory)) {
        see(write!(Sink, "{error}"));
    }
}

fn load(file: &mut [u8], memory: &mut [u8]) -> Result<(), Error> {
    see(Payload::is_bzimage(file));
    match Payload::find(file) {
        Ok(payload) => see(write!(Sink, "{}", payload.compression)),
        Err(error) => see(write!(Sink, "{error}")),
    }
    see(StartInfo::parse(file));

    let kernel = Kernel::parse(file)?;
    see((Kernel::entry(&kernel), Kernel::span(&kernel), Kernel::relocation(&kernel)));
    Kernel::segments(&kernel).for_each(see);
    see(write!(Sink, "{kernel:?}"));

    let range = GpaRange::new(Gpa(black_box(0)), Gpa(black_box(1 << 30)))?;
    let regions = [E820Entry { range, kind: black_box(E820Type::RAM) }; 2];
    let regions = black_box(&regions[..]);
    let mut list = [None; 8];
    let list = black_box(&mut list[..]);
    see(map_len(regions.len()));
    let map = memory_map(regions, black_box(Some(range)), list)?;
    see((Map::len(map), Map::is_empty(map)));
    Map::regions(map).for_each(|region| see(write!(Sink, "{region}")));
    place(kernel, regions, memory)
}

fn place(kernel: Kernel<'_>, regions: &[E820Entry], bytes: &mut [u8]) -> Result<(), Error> {
    let processors = [Processor {
        uid: ProcessorUid(black_box(0)),
        apic_id: ApicId(black_box(0)),
        domain: None,
        state: ProcessorState::Enabled,
    }];
    let mut scratch = [0; 4];
    let description = Description { processors: black_box(&processors), ..Description::EMPTY };
    let topology = Topology::new(description, black_box(&mut scratch))?;
    let modules = [Module { bytes: b"module", command_line: b"line" }; 2];
    let reserved = [GpaRange::new(Gpa(black_box(1)), Gpa(black_box(2)))?; 2];
    let guest = Guest {
        kernel,
        modules: black_box(&modules[..]),
        command_line: black_box(&b"console=ttyS0"[..]),
        memory: regions,
        reserved: black_box(&reserved[..]),
        busy: black_box(&reserved[..]),
        tables: TableSet::complete(&topology)?,
    };
    let (mut places, mut map, mut other) = ([None; 4], [None; 8], [None; 8]);
    let lists = Lists { modules: black_box(&mut places), map: black_box(&mut map) };
    let plan = Plan::new(guest, lists)?;
    see((Plan::kernel(&plan), Plan::kernel_waits(&plan), Plan::entry(&plan)));
    see((Plan::tables(&plan), Plan::tables_len(&plan)));
    Plan::modules(&plan).for_each(see);
    Plan::ranges(&plan).for_each(|(item, _)| see(write!(Sink, "{item}")));
    see(Plan::map(&plan));
    see(write!(Sink, "{plan}"));

    let mut buffer = [0; 1024];
    let mut memory = SliceMemory::new(Gpa(black_box(0)), bytes);
    see(memory.has(black_box(plan.kernel())));
    see(Plan::write_guest(&plan, black_box(&mut buffer), &mut memory)?);
    Plan::replace_map(&plan, regions, black_box(&mut other), &mut memory)
}
