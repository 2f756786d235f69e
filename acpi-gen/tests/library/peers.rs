//! The defects that other builders and readers of these tables have, or had.

use acpi_gen::{
    ApicId, Distance, Error, Gpa, Madt, MadtEntry, ProcessorUid, ProximityDomain, Slit, Srat,
    SratEntry, TableSet, madt, slit, srat,
};

use crate::bytes::{fix_sum, u32_at, u64_at};
use crate::samples::{self, Machine, processor};

fn emitted_slit(machine: &Machine) -> Vec<u8> {
    samples::table(&machine.valid(), slit::len, slit::emit)
}

/// acpi_tables starts with 10 in every cell: all nodes equally near.
#[test]
fn pairs_without_a_distance_are_20() {
    let slit = emitted_slit(&Machine::plain(3, 3));
    assert_eq!(slit[44..], [10, 20, 20, 20, 10, 20, 20, 20, 10]);
}

/// acpi_tables: setting a diagonal cell breaks the checksum.
#[test]
fn the_slit_sums_to_0_whatever_is_set() {
    let mut machine = Machine::plain(3, 3);
    machine.domains = [0, 1, 2].map(ProximityDomain).to_vec();
    machine.distances = [10, 11, 200, 30, 10, 254, 20, 13, 10].map(Distance::clamped).to_vec();
    let slit = emitted_slit(&machine);
    assert_eq!(samples::byte_sum(&slit), 0);
    assert_eq!(slit[44..], [10, 11, 200, 30, 10, 254, 20, 13, 10]);
}

/// acpi_tables stores values below 10, which the specification reserves.
#[test]
fn distances_below_10_are_refused() {
    for value in 0..10 {
        let mut machine = Machine::plain(2, 2);
        machine.domains = [0, 1].map(ProximityDomain).to_vec();
        machine.distances = [10, value, 20, 10].map(Distance::clamped).to_vec();
        assert!(matches!(machine.topology(), Err(Error::DistanceReserved { .. })), "{value}");
    }
}

/// acpi_tables: with 65,536 localities the length wraps to 44 bytes.
#[test]
fn the_largest_slit_has_its_length_and_the_next_is_refused() {
    let mut machine = Machine::plain(1, 1);
    machine.processors[0].domain = Some(ProximityDomain(65_534));
    assert_eq!(slit::len(&machine.valid()), Ok(44 + 65_535 * 65_535));
    machine.processors[0].domain = Some(ProximityDomain(65_535));
    assert!(matches!(machine.topology(), Err(Error::TooManyLocalities { .. })));
}

/// acpi_tables: SRAT revision 1, with which Linux reads 8 bits of a domain.
#[test]
fn the_srat_has_revision_3_and_whole_domains() {
    let mut machine = Machine::plain(1, 1);
    machine.processors[0].domain = Some(ProximityDomain(0x1FF));
    let srat = samples::table(&machine.valid(), srat::len, srat::emit);
    assert_eq!(srat[8], 3);
    assert_eq!(u32_at(&srat, 48 + 4), 0x1FF);
}

/// acpi_tables and libacpi: ids and UIDs of 8 bits wrap at 256.
#[test]
fn ids_and_uids_above_255_are_whole() {
    let mut machine = Machine::plain(1, 1);
    machine.processors.push(processor(256, 512, 0));
    let topology = machine.valid();
    let madt = samples::table(&topology, madt::len, madt::emit);
    assert_eq!((u32_at(&madt, 60 + 4), u32_at(&madt, 60 + 12)), (512, 256));
    let srat = samples::table(&topology, srat::len, srat::emit);
    assert_eq!(u32_at(&srat, 72 + 8), 512);
}

/// acpi_tables' own tests assert only that the sum is 0, and miss all of the
/// above. Here the bytes of a whole MADT, written down from ACPI 6.5, 5.2.12.
#[test]
fn a_whole_madt_byte_for_byte() {
    let madt = samples::table(&Machine::plain(1, 1).valid(), madt::len, madt::emit);
    let expected = [
        b"APIC" as &[u8],
        &[60, 0, 0, 0],            // length
        &[6, madt[9]],             // revision of ACPI 6.5, checksum
        b"XEN\0\0\0VNUMA\0\0\0",   // OEM ID and table ID
        &[1, 0, 0, 0],             // OEM revision
        &madt[28..36],             // creator, which says nothing of the machine
        &[0, 0, 0xE0, 0xFE],       // local APIC address
        &[0, 0, 0, 0],             // flags
        &[9, 16, 0, 0],            // local x2APIC
        &[0, 0, 0, 0, 1, 0, 0, 0], // id 0, enabled
        &[0, 0, 0, 0],             // UID 0
    ];
    assert_eq!(madt, expected.concat());
    assert_eq!(madt.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)), 0);
}

/// acpi_tables' `append` sums the table anew for each entry, so that time grows
/// with the square. Lengths here come from counts, without a byte being written.
#[test]
fn the_length_of_a_million_cpus_is_known_without_writing() {
    let machine = Machine::plain(1_000_000, 64);
    assert_eq!(madt::len(&machine.valid()), Ok(44 + 16_000_000));
}

/// Cloud Hypervisor: a dense SLIT where the domains are sparse.
#[test]
fn the_slit_is_indexed_by_domain_number() {
    let mut machine = Machine::plain(2, 2);
    machine.processors[1].domain = Some(ProximityDomain(5));
    machine.memory[1].domain = ProximityDomain(5);
    machine.domains = [0, 5].map(ProximityDomain).to_vec();
    machine.distances = [10, 28, 33, 10].map(Distance::clamped).to_vec();
    let bytes = emitted_slit(&machine);
    assert_eq!((u64_at(&bytes, 36), bytes.len()), (6, 44 + 36));
    assert_eq!((bytes[44 + 5], bytes[44 + 30], bytes[44 + 6], bytes[44 + 7]), (28, 33, 20, 10));
}

/// Cloud Hypervisor: boot CPUs with flags 3, a combination that is reserved.
#[test]
fn enabled_cpus_are_not_online_capable() {
    let machine = Machine::varied(8);
    let madt = samples::table(&machine.valid(), madt::len, madt::emit);
    for entry in Madt::parse(&madt).unwrap().entries() {
        if let MadtEntry::LocalApic { flags, .. } | MadtEntry::X2Apic { flags, .. } = entry.unwrap()
        {
            assert!(flags == 1 || flags == 2, "{flags}");
        }
    }
}

/// Cloud Hypervisor: distance 256 becomes 0. libacpi: no clamping at all.
#[test]
fn distances_above_254_become_254_and_never_unreachable() {
    for value in [255, 256, 266, 65_536, u32::MAX] {
        assert_eq!(Distance::clamped(value).get(), 254, "{value}");
    }
    assert_eq!(Distance::UNREACHABLE.get(), 255);
}

/// OpenVMM's MADT parser hangs on an unknown entry of length 0, crosvm's and the
/// `acpi` crate's loop on any.
#[test]
fn a_length_of_0_ends_the_list() {
    let mut madt = samples::table(&Machine::plain(2, 1).valid(), madt::len, madt::emit);
    for kind in [0x7F, 9] {
        madt[60..62].copy_from_slice(&[kind, 0]);
        fix_sum(&mut madt);
        let entries: Vec<_> = Madt::parse(&madt).unwrap().entries().collect();
        assert_eq!(entries.len(), 2);
        assert!(entries[0].is_ok() && entries[1].is_err(), "{entries:?}");
    }
}

/// OpenVMM's MADT parser panics on tables of 36 to 43 bytes.
#[test]
fn a_madt_without_its_fixed_part_is_an_error() {
    let whole = samples::table(&Machine::plain(1, 1).valid(), madt::len, madt::emit);
    for len in 36..44 {
        let mut madt = whole[..len].to_vec();
        madt[4] = u8::try_from(len).unwrap();
        fix_sum(&mut madt);
        assert!(Madt::parse(&madt).is_err(), "{len} bytes");
    }
}

/// OpenVMM's MADT parser panics on UID 0; crosvm's x2APIC UIDs are off by one.
#[test]
fn uid_0_is_a_uid_and_each_is_its_own() {
    let madt = samples::table(&Machine::plain(3, 1).valid(), madt::len, madt::emit);
    let pairs: Vec<_> = Madt::parse(&madt)
        .unwrap()
        .entries()
        .map(|entry| match entry.unwrap() {
            MadtEntry::X2Apic { uid, apic_id, .. } => (uid, apic_id),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(pairs, [(0, 0), (1, 2), (2, 4)].map(|(uid, id)| (ProcessorUid(uid), ApicId(id))));
}

/// OpenVMM's SRAT parser rejects the x2APIC entries that its builder emits; the
/// `acpi` crate reads an entry's length as 16 bits.
#[test]
fn the_srat_reader_takes_what_the_emitter_writes() {
    let srat = samples::table(&Machine::plain(2, 2).valid(), srat::len, srat::emit);
    let entries: Vec<_> = Srat::parse(&srat).unwrap().entries().collect();
    assert_eq!(entries.len(), 4);
    assert!(matches!(entries[0], Ok(SratEntry::X2Apic { .. })));
    assert!(matches!(entries[3], Ok(SratEntry::Memory { .. })));
}

/// The `acpi` crate's SLIT has no rows for two localities and more.
#[test]
fn the_slit_reader_has_every_cell() {
    let bytes = emitted_slit(&Machine::plain(3, 3));
    let slit = Slit::parse(&bytes).unwrap();
    let pxm = ProximityDomain;
    assert_eq!(slit.rows().count(), 3);
    assert_eq!(
        (slit.distance(pxm(2), pxm(2)), slit.distance(pxm(0), pxm(2))),
        (Some(10), Some(20))
    );
    assert_eq!((slit.distance(pxm(3), pxm(0)), slit.distance(pxm(0), pxm(3))), (None, None));
}

/// crosvm: the RSDP's first checksum covers 19 bytes instead of 20.
#[test]
fn the_rsdp_sums_to_0_over_20_and_over_36_bytes() {
    let machine = Machine::plain(1, 1);
    let topology = machine.valid();
    let bytes = samples::emitted(&TableSet::new(&topology), Gpa(0xFC00_0000));
    assert_eq!((samples::byte_sum(&bytes[..20]), samples::byte_sum(&bytes[..36])), (0, 0));
}

/// libxl allocates as many distances as nodes, and the hypervisor copies their
/// square out.
#[test]
fn a_distance_matrix_has_a_cell_for_each_pair() {
    for cells in [0, 2, 3, 5] {
        let mut machine = Machine::plain(2, 2);
        machine.domains = [0, 1].map(ProximityDomain).to_vec();
        machine.distances = vec![Distance::LOCAL; cells];
        let expected = Error::DistancesNotSquare { domains: 2, entries: cells };
        assert_eq!(machine.topology().map(|_| ()), Err(expected));
    }
}
