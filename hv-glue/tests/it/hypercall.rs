//! The hypercall bodies against guests that lend every kind of buffer.

use acpi_gen::{ApicId, ProximityDomain};
use hv_glue::hypercall::*;
use hv_glue::*;

use crate::support::{GIB, block, domains, ram, range};

/// A guest's array: null, or readable and writable up to an index.
struct Guest<T> {
    values: Vec<T>,
    null: bool,
    faults_at: u32,
}

impl<T: Copy> Guest<T> {
    fn of(values: &[T]) -> Self {
        Self { values: values.to_vec(), null: false, faults_at: u32::MAX }
    }
}

impl<T: Copy> GuestInput<T> for Guest<T> {
    fn read(&mut self, index: u32) -> Result<T, Fault> {
        if index >= self.faults_at {
            return Err(Fault);
        }
        Ok(self.values[index as usize])
    }
}

impl<T: Copy> GuestOutput<T> for Guest<T> {
    fn is_null(&self) -> bool {
        self.null
    }

    fn write(&mut self, index: u32, value: T) -> Result<(), Fault> {
        if index >= self.faults_at {
            return Err(Fault);
        }
        self.values[index as usize] = value;
        Ok(())
    }
}

const POISON: u32 = 0xA5A5_A5A5;

#[test]
fn apic_ids_are_copied_and_counted() {
    let ids = [20, 22, 0, 2, 8, 10].map(ApicId);
    let mut guest = Guest::of(&[POISON; 8]);
    let answer = get_vcpu_apicids(&ids, 6, 8, &mut guest);
    assert_eq!(answer, VcpuApicIds { nr_filled: 6, result: Ok(()) });
    assert_eq!(guest.values, [20, 22, 0, 2, 8, 10, POISON, POISON]);
}

#[test]
fn a_null_handle_or_no_room_asks_for_the_number() {
    let ids = [ApicId(0); 6];
    let query = VcpuApicIds { nr_filled: 6, result: Ok(()) };
    let mut guest = Guest::of(&[POISON; 6]);
    assert_eq!(get_vcpu_apicids(&ids, 6, 0, &mut guest), query);
    guest.null = true;
    assert_eq!(get_vcpu_apicids(&ids, 6, 0, &mut guest), query);
    assert_eq!(get_vcpu_apicids(&ids, 6, 6, &mut guest), query);
    assert_eq!(guest.values, [POISON; 6]);
}

#[test]
fn too_short_a_buffer_gets_enobufs_and_the_number() {
    let ids = [ApicId(0); 6];
    for have in 1..6 {
        let mut guest = Guest::of(&vec![POISON; have as usize]);
        let answer = get_vcpu_apicids(&ids, 6, have, &mut guest);
        assert_eq!(answer, VcpuApicIds { nr_filled: 6, result: Err(Errno::ENOBUFS) });
        assert!(guest.values.iter().all(|&value| value == POISON));
    }
}

#[test]
fn apic_ids_without_the_opt_in_are_twice_the_vcpu() {
    let mut guest = Guest::of(&[POISON; 3]);
    let answer = get_vcpu_apicids(&[], 3, 3, &mut guest);
    assert_eq!(answer, VcpuApicIds { nr_filled: 3, result: Ok(()) });
    assert_eq!(guest.values, [0, 2, 4]);
}

#[test]
fn a_buffer_that_faults_gets_efault() {
    let ids = [ApicId(7); 6];
    let mut guest = Guest { faults_at: 2, ..Guest::of(&[POISON; 6]) };
    let answer = get_vcpu_apicids(&ids, 6, 6, &mut guest);
    assert_eq!(answer, VcpuApicIds { nr_filled: 2, result: Err(Errno::EFAULT) });
}

// ---- get_mfn_pxms ----

const HARDWARE: MfnPxms = MfnPxms { hardware_domain: true, nr: 0, pad: 0 };

fn blocks() -> Vec<MemoryBlock> {
    vec![block(6 * GIB, 7 * GIB, 2), block(0, 2 * GIB, 0), block(4 * GIB, 6 * GIB, 1)]
}

fn ask(mfns: &[u64]) -> Vec<u32> {
    let mut table = [PxmRange::UNUSED; 3];
    let map = PxmMap::new(blocks().as_slice(), &domains(&[5, 0, 2]), &mut table).unwrap();
    let (mut input, mut output) = (Guest::of(mfns), Guest::of(&vec![POISON; mfns.len()]));
    let arguments = MfnPxms { nr: mfns.len() as u32, ..HARDWARE };
    get_mfn_pxms(&map, arguments, &mut input, &mut output).unwrap();
    output.values
}

#[test]
fn frames_get_the_domain_of_their_block_and_holes_get_none() {
    let gib = GIB / 4096;
    assert_eq!(
        ask(&[
            0,
            2 * gib - 1,
            2 * gib,
            4 * gib - 1,
            4 * gib,
            6 * gib,
            7 * gib - 1,
            7 * gib,
            u64::MAX
        ]),
        [5, 5, !0, !0, 0, 2, 2, !0, !0]
    );
    assert_eq!(INVALID_NUMA_ID, !0);
    assert_eq!(ask(&[]), []);
    assert_eq!(ask(&[4 * gib; 1024]), [0; 1024]);
}

#[test]
fn who_asks_wrongly_gets_the_errno_and_nothing_else() {
    let mut table = [PxmRange::UNUSED; 3];
    let map = PxmMap::new(blocks().as_slice(), &domains(&[5, 0, 2]), &mut table).unwrap();
    let refused = |arguments, input_faults_at, output_faults_at| {
        let mut input = Guest { faults_at: input_faults_at, ..Guest::of(&[0; 4]) };
        let mut output = Guest { faults_at: output_faults_at, ..Guest::of(&[POISON; 4]) };
        let errno = get_mfn_pxms(&map, arguments, &mut input, &mut output).unwrap_err();
        (errno, output.values)
    };
    let four = MfnPxms { nr: 4, ..HARDWARE };
    let never = u32::MAX;
    let untouched = vec![POISON; 4];
    let other = MfnPxms { hardware_domain: false, ..four };
    assert_eq!(refused(other, never, never), (Errno::EPERM, untouched.clone()));
    let padded = MfnPxms { pad: 1, ..four };
    assert_eq!(refused(padded, never, never), (Errno::EINVAL, untouched.clone()));
    let many = MfnPxms { nr: 1025, ..HARDWARE };
    assert_eq!(refused(many, never, never), (Errno::E2BIG, untouched.clone()));
    assert_eq!(refused(four, 0, never), (Errno::EFAULT, untouched));
    assert_eq!(refused(four, never, 3), (Errno::EFAULT, vec![5, 5, 5, POISON]));
}

#[test]
fn a_map_that_cannot_be_made_is_refused() {
    let pxms = domains(&[5, 0, 2]);
    let mut table = [PxmRange::UNUSED; 2];
    let refused = PxmMap::new(blocks().as_slice(), &pxms, &mut table).err();
    assert_eq!(refused, Some(Error::OutputTooSmall { needed: 3, have: 2 }));
    let mut table = [PxmRange::UNUSED; 3];
    let refused = PxmMap::new(blocks().as_slice(), &pxms[..2], &mut table).err();
    assert_eq!(refused, Some(Error::NodeWithoutDomain { node: NodeId(2) }));
    let overlapping = [block(0, GIB, 0), block(GIB - 4096, 2 * GIB, 0)];
    let refused = PxmMap::new(overlapping.as_slice(), &pxms, &mut table).err();
    let gib = GIB / 4096;
    assert_eq!(
        refused,
        Some(Error::FramesNotAscending { index: 1, start: Pfn(gib - 1), previous_end: Pfn(gib) })
    );
    let over = PxmMap::over(&[PxmRange { start: Pfn(4), end: Pfn(5), domain: ProximityDomain(3) }])
        .map(|map| [3, 4, 5].map(|pfn| map.domain(Pfn(pfn))));
    assert_eq!(over, Ok([None, Some(ProximityDomain(3)), None]));
}

// ---- setvnumainfo ----

#[test]
fn strict_mode_refuses_what_guests_refuse_later() {
    let at = |start, end, vnode| Vmemrange {
        range: range(start, end),
        vnode: VnodeId(vnode),
        hotplug: false,
    };
    let check = |distances: &[u32], vcpus: &[u32], ranges: &[Vmemrange]| {
        let vcpus: Vec<_> = vcpus.iter().copied().map(VnodeId).collect();
        let info = VnumaInfo { vnodes: 2, distances, vcpu_to_vnode: &vcpus, ranges };
        let map = [ram(0, GIB), ram(4 * GIB, 5 * GIB)];
        check_vnumainfo(&info, Some(&map)).err()
    };
    let good = [at(0, GIB, 0), at(4 * GIB, 5 * GIB, 1)];
    assert_eq!(check(&[10, 20, 20, 10], &[0, 1], &good), None);
    assert_eq!(check(&[10, 300, 20, 10], &[0, 1], &good), None, "tables clamp it");
    let invalid = |from, to, value| {
        Some(Error::DistanceInvalid { from: VnodeId(from), to: VnodeId(to), value })
    };
    assert_eq!(check(&[10, 10, 20, 10], &[0, 1], &good), invalid(0, 1, 10));
    assert_eq!(check(&[10, 20, 20, 266], &[0, 1], &good), invalid(1, 1, 266));
    assert_eq!(check(&[10, 20, 20, 0], &[0, 1], &good), invalid(1, 1, 0));
    assert_eq!(
        check(&[10, 20, 20], &[0, 1], &good),
        Some(Error::DistancesNotSquare { nodes: 2, entries: 3 })
    );
    assert_eq!(
        check(&[10, 20, 20, 10], &[0, 2], &good),
        Some(Error::VcpuOnUnknownVnode { vcpu: VcpuId(1), vnode: VnodeId(2), vnodes: 2 })
    );
    let overlapping = [at(0, 2 * GIB, 0), at(GIB, 5 * GIB, 1)];
    assert_eq!(
        check(&[10, 20, 20, 10], &[0, 1], &overlapping),
        Some(Error::RangesOverlap {
            first: range(0, 2 * GIB),
            first_vnode: VnodeId(0),
            second: range(GIB, 5 * GIB),
            second_vnode: VnodeId(1),
        })
    );
    assert_eq!(
        check(&[10, 20, 20, 10], &[0, 1], &good[..1]),
        Some(Error::RamNotCovered {
            start: Pfn(4 * GIB / 4096),
            uncovered: GIB / 4096,
            total: 2 * GIB / 4096,
        })
    );
    let info =
        VnumaInfo { vnodes: 1, distances: &[10], vcpu_to_vnode: &[VnodeId(0)], ranges: &good[..1] };
    assert_eq!(check_vnumainfo(&info, None), Ok(()), "no map known, no coverage asked");
}

#[test]
fn errors_map_to_xens_numbers() {
    let limit = ApicId(254);
    let no = Error::NoEncodingFits { vcpus: 128, max_per_node: 97, highest: 3968, limit };
    assert_eq!(no.errno(), Errno(34));
    let above = Error::ApicIdAboveLimit { vnode: VnodeId(0), id: 256, limit };
    assert_eq!(above.errno(), Errno::ERANGE);
    assert_eq!(Error::OutputTooSmall { needed: 2, have: 1 }.errno(), Errno(12));
    assert_eq!(Error::NoVcpus.errno(), Errno(22));
    let numbers = [Errno::EPERM, Errno::E2BIG, Errno::EFAULT, Errno::ENOBUFS];
    assert_eq!(numbers.map(|errno| errno.0), [1, 7, 14, 105]);
}
