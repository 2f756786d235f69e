//! Topology → tables → read back == description, byte for byte as [`spec`] has
//! it, into buffers of every size.

use acpi_gen::*;
use arbitrary::{Arbitrary, Unstructured};

use crate::{Interest, encode, machine::Machine, spec};

/// A machine and the buffer that its tables go into.
#[derive(Arbitrary, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Also FADT, DSDT and FACS.
    pub complete: bool,
    /// Bytes that the buffer has beyond what is needed; the high half is negative.
    pub slack: u8,
    /// The base address in steps of 16 bytes.
    pub base: u64,
    /// Addresses of tables that somebody else made.
    pub foreign: Vec<u64>,
    /// The FADT's hypervisor vendor.
    pub vendor: [u8; 8],
    /// The machine.
    pub machine: Machine,
}
encode::encode_fields!(Input { complete, slack, base, foreign, vendor, machine });

/// The largest set that is worth writing for each input.
const MAX_LEN: usize = 1 << 16;

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else { return Interest::Reject };
    let parts = input.machine.parts();
    let description = parts.description();
    let words = Topology::scratch_len(&description);
    if let Some(short) = words.checked_sub(1) {
        let error = Topology::new(description, &mut vec![0; short]).map(drop);
        assert_eq!(error, Err(Error::ScratchTooSmall { needed: words, have: short }));
    }
    let mut scratch = vec![0; words];
    let topology = match Topology::new(description, &mut scratch) {
        Ok(topology) => topology,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Interest::Keep;
        }
    };
    let set = match input.complete {
        false => TableSet::new(&topology),
        true => match TableSet::complete(&topology) {
            Ok(set) => set,
            Err(error) => {
                assert_eq!(error, Error::FadtNotOurs);
                assert!(matches!(description.revisions, Revisions::MadtOf(_)));
                TableSet::new(&topology)
            }
        },
    };
    let foreign: Vec<_> = input.foreign.iter().copied().map(Gpa).collect();
    let set = set.with_tables(&foreign).with_hypervisor_vendor(input.vendor);
    let len = set.len().expect("sets of this size have a length");
    if len > MAX_LEN {
        return Interest::Keep;
    }
    emit(&input, &set, len, &description);
    Interest::Keep
}

fn emit(input: &Input, set: &TableSet<'_>, len: usize, description: &Description<'_>) {
    let base = Gpa(input.base.wrapping_mul(16));
    let slack = isize::from(i8::from_le_bytes([input.slack]));
    let have = len.saturating_add_signed(slack);
    let (mut buffer, mut other) = (vec![0xA5; have], vec![0x5A; have]);
    match set.emit(&mut buffer, base) {
        Ok(placed) => {
            assert_eq!(set.emit(&mut other, base), Ok(placed.clone()));
            assert_eq!(set.place(base), Ok(placed.clone()));
            assert_eq!(placed.len(), len);
            assert_eq!(buffer[..len], other[..len], "a byte was left as it was");
            assert!(buffer[len..].iter().all(|byte| *byte == 0xA5), "wrote past its length");
            read_back(input, &buffer[..len], &placed, description);
        }
        Err(error) => {
            assert!(buffer.iter().all(|byte| *byte == 0xA5), "wrote before it failed");
            match error {
                Error::BufferTooSmall { .. } => {
                    assert_eq!(error, Error::BufferTooSmall { needed: len, have });
                    assert!(have < len);
                }
                Error::BaseMisaligned { align, .. } => assert_ne!(base.0 % align, 0),
                Error::RangePastEnd { start, size } => {
                    assert!(start.0.checked_add(size).is_none());
                }
                other => panic!("{other}"),
            }
        }
    }
}

fn read_back(input: &Input, bytes: &[u8], placed: &Placed, description: &Description<'_>) {
    let table = |signature| {
        let table = placed.table(signature)?;
        assert_eq!(table.address.0, placed.base().0 + table.offset as u64);
        Some(&bytes[table.offset..][..table.len])
    };
    let expected = spec::tables(description);
    assert_eq!(table(madt::SIGNATURE), Some(expected.madt.as_slice()));
    let affinity = expected.affinity.as_ref();
    assert_eq!(table(srat::SIGNATURE), affinity.map(|(srat, _)| srat.as_slice()));
    assert_eq!(table(slit::SIGNATURE), affinity.map(|(_, slit)| slit.as_slice()));

    processors(description, Madt::parse(&expected.madt).expect("a MADT"));
    if let Some((srat, slit)) = affinity {
        places(description, Srat::parse(srat).expect("an SRAT"));
        distances(description, Slit::parse(slit).expect("a SLIT"));
    }

    let rsdp = Rsdp::parse(table(*b"RSDP").expect("an RSDP")).expect("an RSDP");
    assert_eq!(placed.rsdp(), placed.base());
    assert_eq!((rsdp.revision(), rsdp.oem_id()), (2, description.oem.id));
    assert_eq!(rsdp.bytes()[16..20], [0; 4], "an RSDT");
    assert_eq!(rsdp.sums(), (0, Some(0)));
    let xsdt = placed.table(xsdt::SIGNATURE).expect("an XSDT");
    assert_eq!(rsdp.root(), (xsdt.address, xsdt::SIGNATURE));
    let xsdt = Table::parse(table(xsdt::SIGNATURE).expect("an XSDT")).expect("an XSDT");
    assert_eq!(xsdt.sum(), 0);
    let own = [fadt::SIGNATURE, madt::SIGNATURE, srat::SIGNATURE, slit::SIGNATURE];
    let own = own.iter().filter_map(|signature| Some(placed.table(*signature)?.address));
    assert!(
        own.chain(input.foreign.iter().copied().map(Gpa))
            .eq(ListedTables::of(xsdt::SIGNATURE, xsdt.bytes()))
    );

    if let Some(fadt) = table(fadt::SIGNATURE) {
        let fadt = FadtView::parse(fadt).expect("a FADT");
        assert_eq!(fadt.table().sum(), 0);
        assert_eq!(fadt.dsdt(), placed.table(dsdt::SIGNATURE).map(|table| table.address));
        assert_eq!(fadt.facs(), placed.table(*b"FACS").map(|table| table.address));
        assert_eq!(fadt.table().bytes()[268..], input.vendor);
        // HW_REDUCED_ACPI is bit 20 of the flags at 112.
        assert_eq!(fadt.table().bytes()[114] >> 4 & 1, 1);
        let facs = table(*b"FACS").expect("a FACS");
        let in_order = [madt::SIGNATURE, srat::SIGNATURE, slit::SIGNATURE, dsdt::SIGNATURE];
        let signed: Vec<u8> =
            in_order.iter().filter_map(|s| table(*s)).flatten().copied().collect();
        assert_eq!(facs[8..12], crc32(&signed).to_le_bytes());
        let dsdt = Table::parse(table(dsdt::SIGNATURE).expect("a DSDT")).expect("a DSDT");
        assert_eq!(
            (dsdt.sum(), dsdt.bytes().len()),
            (0, placed.table(dsdt::SIGNATURE).map_or(0, |t| t.len))
        );
    }
}

fn processors(description: &Description<'_>, madt: Madt<'_>) {
    let read: Vec<_> = madt
        .entries()
        .filter_map(|entry| match entry.expect("entries that can be read") {
            MadtEntry::LocalApic { uid, apic_id, flags } => {
                Some((u32::from(uid), u32::from(apic_id), flags & 1))
            }
            MadtEntry::X2Apic { uid, apic_id, flags } => Some((uid.0, apic_id.0, flags & 1)),
            _ => None,
        })
        .collect();
    let described = description
        .processors
        .iter()
        .map(|cpu| (cpu.uid.0, cpu.apic_id.0, u32::from(cpu.state == ProcessorState::Enabled)));
    assert!(described.eq(read));
    let io_apics = madt.entries().filter_map(|entry| match entry {
        Ok(MadtEntry::IoApic { id, address, gsi_base }) => Some(IoApic { id, address, gsi_base }),
        _ => None,
    });
    assert!(io_apics.eq(description.io_apics.iter().copied()));
    let others = madt.entries().filter(|entry| {
        matches!(
            entry,
            Ok(MadtEntry::InterruptOverride { .. }
                | MadtEntry::LocalApicNmi { .. }
                | MadtEntry::X2ApicNmi { .. })
        )
    });
    assert_eq!(others.count(), description.overrides.len() + description.nmis.len());
    assert_eq!(madt.pcat_compat(), description.pcat_compat);
    assert_eq!(madt.table().oem(), description.oem);
}

fn places(description: &Description<'_>, srat: Srat<'_>) {
    let (mut cpus, mut memory) = (Vec::new(), Vec::new());
    for entry in srat.entries() {
        match entry.expect("entries that can be read") {
            SratEntry::LocalApic { domain, apic_id, flags: 1, clock_domain: 0 } => {
                cpus.push((ApicId(apic_id.into()), domain));
            }
            SratEntry::X2Apic { domain, apic_id, flags: 1, clock_domain: 0 } => {
                cpus.push((apic_id, domain));
            }
            SratEntry::Memory { domain, base, length, flags } => memory.push(MemoryRange {
                range: GpaRange::with_size(Gpa(base), length).expect("a range"),
                domain,
                hot_pluggable: flags & 2 != 0,
                non_volatile: flags & 4 != 0,
            }),
            other => panic!("{other:?}"),
        }
    }
    let described =
        description.processors.iter().filter_map(|cpu| Some((cpu.apic_id, cpu.domain?)));
    assert!(described.eq(cpus));
    assert_eq!(description.memory, memory);
}

fn distances(description: &Description<'_>, slit: Slit<'_>) {
    let domains = description.distances.domains;
    let mut matrix = description.distances.matrix.iter();
    for from in domains {
        for to in domains {
            assert_eq!(slit.distance(*from, *to), matrix.next().map(|distance| distance.get()));
        }
    }
    let beyond = ProximityDomain(u32::try_from(slit.rows().count()).expect("localities"));
    assert_eq!(slit.distance(beyond, ProximityDomain(0)), None);
    assert_eq!(slit.distance(ProximityDomain(0), beyond), None);
}

/// CRC-32 (ISO-HDLC) bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc: u32, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 }
        })
    })
}
