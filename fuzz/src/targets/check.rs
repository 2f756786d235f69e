//! A valid set, then mutated, through `check` for every consumer.

use acpi_gen::check::{Consumer, Finding, Kind, Tables, check};
use acpi_gen::*;
use arbitrary::{Arbitrary, Unstructured};

use crate::{Interest, encode, machine::Machine};

/// A machine, what is done to its tables, and the memory map.
#[derive(Arbitrary, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Judge as a PVH dom0.
    pub pvh_dom0: bool,
    /// Make the sums right again after the mutations.
    pub resum: bool,
    /// Mutations in order.
    pub mutations: Vec<Mutation>,
    /// The memory map.
    pub map: Vec<MapEntry>,
    /// The machine.
    pub machine: Machine,
}
encode::encode_fields!(Input { pvh_dom0, resum, mutations, map, machine });

/// One change to one table.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// RSDP, XSDT, FADT, MADT, SRAT, SLIT, DSDT.
    pub table: u8,
    /// 0: set a byte, 1: cut here, 2: insert, 3: remove, 4: the table is gone,
    /// 5: the length field follows the bytes.
    pub kind: u8,
    /// Where, modulo the length.
    pub at: u16,
    /// The byte.
    pub value: u8,
}
encode::encode_fields!(Mutation { table, kind, at, value });

/// A range of the memory map behind the one before.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapEntry {
    /// From the end of the range before, wrapping.
    pub gap: u64,
    /// Size in bytes.
    pub size: u64,
    /// E820 type.
    pub kind: u8,
}
encode::encode_fields!(MapEntry { gap, size, kind });

const TABLES: usize = 7;

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else { return Interest::Reject };
    let Some(mut set) = emitted(&input.machine) else { return Interest::Reject };
    let map = memory_map(&input.map);
    judge_untouched(&set, &input.machine);
    for mutation in &input.mutations {
        mutate(&mut set, *mutation);
    }
    if input.resum {
        set.iter_mut().flatten().for_each(|table| resum(table));
    }
    let memory_map = (!map.is_empty()).then_some(map.as_slice());
    let pvh_dom0 = input.pvh_dom0;
    let tables = Tables { memory_map, pvh_dom0, ..tables(&set) };
    for consumer in Consumer::ALL {
        let findings = findings(&tables, consumer);
        for finding in &findings {
            assert_eq!(finding.consumer, consumer);
            let text = finding.to_string();
            assert!(!text.is_empty() && !text.contains('\n'), "{text:?}");
        }
        if input.resum {
            let sums = |finding: &Finding| matches!(finding.kind, Kind::Checksum { signature, .. } if signature != *b"RSDP");
            assert!(!findings.iter().any(sums), "{findings:?}");
        }
        // Without the tables there is nothing to find.
        let nothing = Tables { memory_map, pvh_dom0, ..Tables::default() };
        assert_eq!(self::findings(&nothing, consumer), []);
    }
    Interest::Keep
}

/// All findings; the same twice, and none where a word of scratch is missing.
fn findings(tables: &Tables<'_>, consumer: Consumer) -> Vec<Finding> {
    let words = tables.scratch_len();
    let judge = |words: usize, fill: u32| {
        let mut findings = Vec::new();
        let result = check(tables, consumer, &mut vec![fill; words], |f| findings.push(f));
        (result, findings)
    };
    let (result, findings) = judge(words, 0);
    assert_eq!(result, Ok(()));
    assert_eq!(judge(words, u32::MAX), (Ok(()), findings.clone()));
    if let Some(short) = words.checked_sub(1) {
        let error = Err(Error::ScratchTooSmall { needed: words, have: short });
        assert_eq!(judge(short, 0), (error, Vec::new()));
    }
    findings
}

fn tables(set: &[Option<Vec<u8>>; TABLES]) -> Tables<'_> {
    let [rsdp, xsdt, fadt, madt, srat, slit, dsdt] = set.each_ref().map(Option::as_deref);
    Tables { rsdp, xsdt, fadt, madt, srat, slit, dsdt, ..Tables::default() }
}

/// RSDP, XSDT, FADT, MADT, SRAT, SLIT, DSDT of a machine that the library accepts.
fn emitted(machine: &Machine) -> Option<[Option<Vec<u8>>; TABLES]> {
    let parts = machine.parts();
    let description = parts.description();
    let mut scratch = vec![0; Topology::scratch_len(&description)];
    let topology = Topology::new(description, &mut scratch).ok()?;
    let set = TableSet::complete(&topology).unwrap_or(TableSet::new(&topology));
    let mut bytes = vec![0; set.len().ok().filter(|len| *len <= 1 << 16)?];
    let placed = set.emit(&mut bytes, Gpa(0x1000)).ok()?;
    let signatures = [
        *b"RSDP",
        xsdt::SIGNATURE,
        fadt::SIGNATURE,
        madt::SIGNATURE,
        srat::SIGNATURE,
        slit::SIGNATURE,
        dsdt::SIGNATURE,
    ];
    Some(signatures.map(|signature| {
        placed.table(signature).map(|table| bytes[table.offset..][..table.len].to_vec())
    }))
}

/// What no set of ours has, whatever the machine.
fn judge_untouched(set: &[Option<Vec<u8>>; TABLES], machine: &Machine) {
    for consumer in Consumer::ALL {
        for finding in findings(&tables(set), consumer) {
            let never = match finding.kind {
                Kind::Unreadable(_)
                | Kind::Checksum { .. }
                | Kind::Reserved { .. }
                | Kind::RevisionPair { .. }
                | Kind::NoRevisionPair { .. }
                | Kind::ReservedType { .. }
                | Kind::NotX86 { .. }
                | Kind::InitiatorWithoutNode { .. }
                | Kind::EntryTooLong { .. }
                | Kind::ProcessorFlags { .. }
                | Kind::DuplicateApicId { .. }
                | Kind::X2ApicIgnored { .. }
                | Kind::NoUsableProcessor
                | Kind::Distance { .. }
                | Kind::SlitTooSmall { .. }
                | Kind::EmptyMemory { .. }
                | Kind::MemoryPastEnd { .. }
                | Kind::MemoryOverlap { .. }
                | Kind::NarrowDomains { .. }
                | Kind::SeveralTables { .. }
                | Kind::UidWithoutDevice { .. }
                | Kind::IoApic { .. } => true,
                Kind::HotPluggable { .. } => {
                    machine.memory.iter().all(|memory| !memory.hot_pluggable)
                }
                Kind::ProcessorsWithoutNode { .. } => {
                    machine.processors.iter().all(|cpu| cpu.domain.is_some())
                }
                Kind::NoMemory => !machine.parts().description().memory.is_empty(),
                _ => false,
            };
            assert!(!never, "{finding}");
        }
    }
}

fn mutate(set: &mut [Option<Vec<u8>>; TABLES], mutation: Mutation) {
    let slot = &mut set[usize::from(mutation.table) % TABLES];
    let Some(bytes) = slot else { return };
    let at = usize::from(mutation.at) % bytes.len().max(1);
    match mutation.kind % 6 {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = mutation.value;
            }
        }
        1 => bytes.truncate(at),
        2 => bytes.insert(at, mutation.value),
        3 => {
            if !bytes.is_empty() {
                bytes.remove(at);
            }
        }
        4 => *slot = None,
        _ => {
            let len = u32::try_from(bytes.len()).expect("tables are small");
            if let Some(field) = bytes.get_mut(4..8) {
                field.copy_from_slice(&len.to_le_bytes());
            }
        }
    }
}

/// Mends the sum of a table over the length that its header states.
fn resum(bytes: &mut [u8]) {
    if bytes.starts_with(b"RSD PTR ") || Table::parse(bytes).is_err() {
        return;
    }
    let len = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
    bytes[9] = 0;
    bytes[9] = bytes[..len].iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte));
}

fn memory_map(entries: &[MapEntry]) -> Vec<E820Entry> {
    let mut end = 0_u64;
    let ranges = entries.iter().filter_map(|entry| {
        let range = GpaRange::with_size(Gpa(end.wrapping_add(entry.gap)), entry.size).ok()?;
        end = range.end().0;
        let kind = match entry.kind {
            1 => E820Type::RAM,
            3 => E820Type::ACPI,
            4 => E820Type::NVS,
            5 => E820Type::UNUSABLE,
            _ => E820Type::RESERVED,
        };
        Some(E820Entry { range, kind })
    });
    ranges.collect()
}
