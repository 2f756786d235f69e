//! The domains of host frames, and calls that are refused.

use std::prelude::rust_2024::*;
use std::vec;

use acpi_gen::{Errno, ProximityDomain, Violation};

use crate::hypercall::*;
use crate::tests::support::GIB;
use crate::*;

const POISON: u32 = 0xA5A5_A5A5;
const PAGES: u64 = GIB / 4096;
const RANGES: [PxmRange; 3] =
    [frames(0, 2 * PAGES, 5), frames(4 * PAGES, 6 * PAGES, 0), frames(6 * PAGES, 7 * PAGES, 2)];

const fn frames(start: u64, end: u64, domain: u32) -> PxmRange {
    PxmRange { start: Pfn(start), end: Pfn(end), domain: ProximityDomain(domain) }
}

fn call(arguments: MfnPxms, mfns: &[u64]) -> (Result<(), Error>, Vec<u32>) {
    let mut pxms = vec![POISON; mfns.len()];
    let result = get_mfn_pxms(&RANGES, arguments, mfns, &mut pxms);
    (result, pxms)
}

fn of_hardware_domain(nr: usize) -> MfnPxms {
    MfnPxms { hardware_domain: true, nr: nr as u32, pad: 0 }
}

#[test]
fn frames_get_the_domain_of_their_block_and_holes_get_none() {
    let ask = |mfns: &[u64]| {
        let (result, pxms) = call(of_hardware_domain(mfns.len()), mfns);
        assert_eq!(result, Ok(()));
        pxms
    };
    let borders = [0, 2, 4, 6, 7].map(|gib| gib * PAGES);
    let before = [2, 4, 7].map(|gib| gib * PAGES - 1);
    assert_eq!(ask(&borders), [5, !0, 0, 2, !0]);
    assert_eq!(ask(&before), [5, !0, 2]);
    assert_eq!(ask(&[u64::MAX]), [INVALID_NUMA_ID]);
    assert!(ask(&[]).is_empty());
    assert_eq!(ask(&[4 * PAGES; 1024]), [0; 1024]);
}

#[test]
fn invalid_calls_get_an_error_and_no_answer() {
    let four = of_hardware_domain(4);
    let refused = |arguments, mfns: &[u64]| {
        let (result, pxms) = call(arguments, mfns);
        assert!(pxms.iter().all(|pxm| *pxm == POISON));
        result.map_err(|error| (error, Violation::from(error).errno)).unwrap_err()
    };
    assert_eq!(
        refused(MfnPxms { hardware_domain: false, ..four }, &[0; 4]),
        (Error::NotHardwareDomain, Errno::EPERM)
    );
    assert_eq!(
        refused(MfnPxms { pad: 1, ..four }, &[0; 4]),
        (Error::PadNotZero { pad: 1 }, Errno::EINVAL)
    );
    assert_eq!(
        refused(of_hardware_domain(1025), &[0; 1025]),
        (Error::TooManyFrames { frames: 1025, max: 1024 }, Errno::E2BIG)
    );
    assert_eq!(
        refused(four, &[0; 3]),
        (Error::OutputTooSmall { needed: 4, have: 3 }, Errno::ENOBUFS)
    );
    let overlapping = [frames(0, 9, 0), frames(8, 10, 1)];
    let error = Error::FramesNotAscending { index: 1, start: Pfn(8), previous_end: Pfn(9) };
    assert_eq!(get_mfn_pxms(&overlapping, four, &[0; 4], &mut [0; 4]), Err(error));
}

#[test]
fn ranges_of_one_domain_that_overlap_or_repeat_are_one() {
    let mut ranges = [
        frames(0, 9, 5),
        frames(0, 4, 5),
        frames(3, 9, 5),
        frames(9, 12, 5),
        frames(20, 30, 0),
        frames(25, 40, 0),
        frames(35, 50, 1),
    ];
    let left = merge_pxm_ranges(&mut ranges);
    // Neighbours stay two, and two domains stay an overlap.
    let expected = [frames(0, 9, 5), frames(9, 12, 5), frames(20, 40, 0), frames(35, 50, 1)];
    assert_eq!(ranges[..left], expected);
    assert_eq!(merge_pxm_ranges(&mut []), 0);
    let (mut pxms, mfns) = ([POISON; 5], [0, 8, 11, 20, 39]);
    assert_eq!(get_mfn_pxms(&ranges[..3], of_hardware_domain(5), &mfns, &mut pxms), Ok(()));
    assert_eq!(pxms, [5, 5, 5, 0, 0]);
}
