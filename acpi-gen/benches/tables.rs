//! The set RSDP, XSDT, MADT, SRAT and SLIT: its wall time beside that of rust-vmm's
//! acpi_tables, whose `Sdt` is used as Cloud Hypervisor uses it (`append` for each entry).
//! Times are printed and never asserted: they depend on the machine and on its load.
//!
//! `tables once CASE SIZE` runs one case one time. CI counts its instructions with
//! callgrind (.ci/judge/instructions.py).
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on fails"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use acpi_gen::check::{Consumer, Tables, check};
use acpi_gen::{
    ApicId, Description, E820Entry, E820Type, Gpa, GpaRange, MemoryRange, Processor,
    ProcessorState, ProcessorUid, ProximityDomain, TableSet, Topology,
};
use acpi_tables::rsdp::Rsdp;
use acpi_tables::sdt::Sdt;
use criterion::{BenchmarkId, Criterion, Throughput};
use zerocopy::{FromBytes, Immutable, IntoBytes};

const CPUS: [u32; 4] = [64, 512, 4096, 16_384];
const NODES: u32 = 64;
const BASE: u64 = 0xFC00_0000;
/// The parts of a machine, from which both sides build tables.
struct Machine {
    processors: Vec<Processor>,
    memory: Vec<MemoryRange>,
}

impl Machine {
    /// CPUs and memory ranges of 1 GiB are spread evenly over [`NODES`] nodes.
    fn new(cpus: u32, ranges: u32) -> Self {
        let range = |n| GpaRange::with_size(Gpa(u64::from(n) << 30), 1 << 30).unwrap();
        let processor = |cpu| Processor {
            uid: ProcessorUid(cpu),
            apic_id: ApicId(cpu),
            domain: Some(ProximityDomain(cpu / (cpus / NODES))),
            state: ProcessorState::Enabled,
        };
        let memory = |n| MemoryRange {
            range: range(n),
            domain: ProximityDomain(n / (ranges / NODES)),
            hot_pluggable: false,
            non_volatile: false,
        };
        Self {
            processors: (0..cpus).map(processor).collect(),
            memory: (0..ranges).map(memory).collect(),
        }
    }

    fn description(&self) -> Description<'_> {
        Description { processors: &self.processors, memory: &self.memory, ..Description::EMPTY }
    }

    /// Scratch space and a buffer for each function here.
    fn room(&self) -> (Vec<u32>, Vec<u8>) {
        let (cpus, ranges) = (self.processors.len(), self.memory.len());
        (vec![0; 2 * cpus + 4 * ranges], vec![0; 256 * cpus + 64 * ranges + 16_384])
    }
}

/// Validation, sizes and emission, into caller-provided memory.
#[inline(never)]
fn counted_set(machine: &Machine, scratch: &mut [u32], buffer: &mut [u8]) -> usize {
    let topology = Topology::new(machine.description(), scratch).unwrap();
    TableSet::new(&topology).emit(buffer, Gpa(BASE)).unwrap().len()
}

/// The same for a PVH guest: also FADT, DSDT and FACS.
#[inline(never)]
fn counted_complete(machine: &Machine, scratch: &mut [u32], buffer: &mut [u8]) -> usize {
    let topology = Topology::new(machine.description(), scratch).unwrap();
    TableSet::complete(&topology).unwrap().emit(buffer, Gpa(BASE)).unwrap().len()
}

/// The rules of each consumer for a set of tables; returns the number of findings.
#[inline(never)]
fn counted_check(tables: &Tables<'_>, scratch: &mut [u32]) -> usize {
    let mut findings = 0;
    for consumer in Consumer::ALL {
        check(tables, consumer, scratch, |_| findings += 1).unwrap();
    }
    findings
}

/// Emits the machine's complete set, which is not counted, and checks it.
fn checked(machine: &Machine, scratch: &mut [u32], buffer: &mut [u8]) -> usize {
    let topology = Topology::new(machine.description(), scratch).unwrap();
    let placed = TableSet::complete(&topology).unwrap().emit(buffer, Gpa(BASE)).unwrap();
    let table = |signature: &[u8; 4]| {
        let place = placed.table(*signature)?;
        buffer.get(place.offset..place.offset + place.len)
    };
    let ram = |memory: &MemoryRange| E820Entry { range: memory.range, kind: E820Type::RAM };
    let map: Vec<_> = machine.memory.iter().map(ram).collect();
    let tables = Tables {
        rsdp: table(b"RSDP"),
        xsdt: table(b"XSDT"),
        fadt: table(b"FACP"),
        dsdt: table(b"DSDT"),
        madt: table(b"APIC"),
        srat: table(b"SRAT"),
        slit: table(b"SLIT"),
        memory_map: Some(&map),
        ..Tables::default()
    };
    counted_check(&tables, scratch)
}

/// A function to count, with scratch space and a buffer.
type Run = fn(&Machine, &mut [u32], &mut [u8]) -> usize;

/// Runs one case and prints its result, which CI compares as well.
///
/// # Panics
/// For an unknown case.
fn once(case: &str, size: u32) {
    let (run, of_ranges): (Run, _) = match case {
        "set" => (counted_set, false),
        "set-ranges" => (counted_set, true),
        "complete" => (counted_complete, false),
        "check" => (checked, false),
        "check-ranges" => (checked, true),
        _ => panic!("unknown case: {case}"),
    };
    let machine = if of_ranges { Machine::new(NODES, size) } else { Machine::new(size, NODES) };
    let (mut scratch, mut buffer) = machine.room();
    println!("{}", run(&machine, &mut scratch, &mut buffer));
}

#[repr(C, packed)]
#[derive(Clone, Copy, IntoBytes, Immutable, FromBytes)]
struct LocalX2Apic {
    kind: u8,
    length: u8,
    reserved: u16,
    apic_id: u32,
    flags: u32,
    uid: u32,
}

#[repr(C, packed)]
#[derive(Clone, Copy, IntoBytes, Immutable, FromBytes)]
struct X2ApicAffinity {
    kind: u8,
    length: u8,
    reserved: u16,
    domain: u32,
    apic_id: u32,
    flags: u32,
    clock_domain: u32,
    reserved2: u32,
}

#[repr(C, packed)]
#[derive(Clone, Copy, IntoBytes, Immutable, FromBytes)]
struct MemoryAffinity {
    kind: u8,
    length: u8,
    domain: u32,
    reserved: u16,
    base: u64,
    size: u64,
    reserved2: u32,
    flags: u32,
    reserved3: u64,
}

fn sdt(signature: &[u8; 4], length: u32, revision: u8) -> Sdt {
    Sdt::new(*signature, length, revision, *b"XEN\0\0\0", *b"VNUMA\0\0\0", 1)
}

/// The same tables by acpi_tables.
fn acpi_tables(machine: &Machine) -> usize {
    let mut madt = sdt(b"APIC", 44, 6);
    madt.write_u32(36, 0xFEE0_0000);
    let mut srat = sdt(b"SRAT", 36, 3);
    srat.append_slice(&[0; 12]);
    for processor in &machine.processors {
        let (apic_id, uid) = (processor.apic_id.0, processor.uid.0);
        madt.append(LocalX2Apic { kind: 9, length: 16, reserved: 0, apic_id, flags: 1, uid });
        srat.append(X2ApicAffinity {
            kind: 2,
            length: 24,
            reserved: 0,
            domain: processor.domain.unwrap().0,
            apic_id,
            flags: 1,
            clock_domain: 0,
            reserved2: 0,
        });
    }
    for memory in &machine.memory {
        srat.append(MemoryAffinity {
            kind: 1,
            length: 40,
            domain: memory.domain.0,
            reserved: 0,
            base: memory.range.start().0,
            size: memory.range.size(),
            reserved2: 0,
            flags: 1,
            reserved3: 0,
        });
    }
    let mut slit = sdt(b"SLIT", 36, 1);
    slit.append(u64::from(NODES));
    for from in 0..NODES {
        for to in 0..NODES {
            slit.append(if from == to { 10_u8 } else { 20 });
        }
    }
    let mut xsdt = sdt(b"XSDT", 36, 1);
    let mut address = BASE;
    for table in [&madt, &srat, &slit] {
        xsdt.append(address);
        address += table.len() as u64;
    }
    let rsdp = Rsdp::new(*b"XEN\0\0\0", address);
    let tables = [&madt, &srat, &slit, &xsdt].map(|table| black_box(table.as_slice()).len());
    tables.iter().sum::<usize>() + black_box(rsdp).as_bytes().len()
}

/// The fastest of several runs, which other work on the machine disturbs least.
fn fastest(runs: u32, mut run: impl FnMut() -> usize) -> Duration {
    (0..runs)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed()
        })
        .min()
        .unwrap()
}

/// Prints the times of both and their ratio, one after the other for each size.
fn ratios() {
    println!(
        "\n{:>7} {:>14} {:>9} {:>14} {:>8}",
        "CPUs", "acpi-gen", "per CPU", "acpi_tables", "ratio"
    );
    for cpus in CPUS {
        let machine = Machine::new(cpus, NODES);
        let (mut scratch, mut buffer) = machine.room();
        let ours = fastest(200, || counted_set(black_box(&machine), &mut scratch, &mut buffer));
        let theirs = fastest(5, || acpi_tables(black_box(&machine)));
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        let each = ours.as_secs_f64() * 1e9 / f64::from(cpus);
        println!("{cpus:>7} {ours:>14.1?} {each:>6.1} ns {theirs:>14.1?} {ratio:>7.0}x");
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [mode, case, size] = &arguments[..]
        && mode == "once"
    {
        return once(case, size.parse().unwrap());
    }
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let mut group = criterion.benchmark_group("whole set");
    for cpus in CPUS {
        let machine = Machine::new(cpus, NODES);
        let (mut scratch, mut buffer) = machine.room();
        group.throughput(Throughput::Elements(cpus.into()));
        group.bench_function(BenchmarkId::new("acpi-gen", cpus), |bencher| {
            bencher.iter(|| counted_set(black_box(&machine), &mut scratch, &mut buffer));
        });
        group.bench_function(BenchmarkId::new("acpi_tables", cpus), |bencher| {
            bencher.iter(|| acpi_tables(black_box(&machine)));
        });
    }
    group.finish();
    criterion.final_summary();
    ratios();
}
