//! `XENMEM_get_mfn_pxms`: the proximity domains of host frames.

use acpi_gen::ProximityDomain;

use crate::{Error, Pfn};

/// The answer for a frame in no memory block: `XEN_INVALID_NUMA_ID`, ~0U.
pub const INVALID_NUMA_ID: u32 = u32::MAX;

/// The most frames of a call.
pub const MAX_MFNS: u32 = 1024;

/// Frames of one proximity domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct PxmRange {
    /// The first frame.
    pub start: Pfn,
    /// The first frame past them.
    pub end: Pfn,
    /// Their domain.
    pub domain: ProximityDomain,
}

/// The arguments of the call besides its arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MfnPxms {
    /// Whether the caller is the hardware domain, the only one that may ask:
    /// the answer shows the host's topology.
    pub hardware_domain: bool,
    /// Frames asked for.
    pub nr: u32,
    /// Must be 0.
    pub pad: u32,
}

/// Makes one of ranges that overlap and are the same domain's: Xen and Linux accept an SRAT
/// with such entries, and [`get_mfn_pxms`] needs ranges that ascend. Returns how many are left,
/// at the front.
pub fn merge_pxm_ranges(ranges: &mut [PxmRange]) -> usize {
    crate::units::join(ranges, |last, next| {
        let same = last.domain == next.domain && last.start <= next.start && next.start < last.end;
        if same {
            last.end = last.end.max(next.end);
        }
        same
    })
}

/// Answers the domain of each frame, [`INVALID_NUMA_ID`] for frames in no block. `ranges` is
/// the host's memory blocks, which outlive the boot data that they came from: not the frame
/// table, which answers for holes, too. O(log ranges) a frame.
///
/// # Errors
/// [`Error::NotHardwareDomain`], [`Error::PadNotZero`], [`Error::TooManyFrames`] above
/// [`MAX_MFNS`], [`Error::FramesNotAscending`], [`Error::OutputTooSmall`].
pub fn get_mfn_pxms(
    ranges: &[PxmRange],
    arguments: MfnPxms,
    mfns: &[u64],
    pxms: &mut [u32],
) -> Result<(), Error> {
    let MfnPxms { hardware_domain, nr, pad } = arguments;
    if !hardware_domain {
        return Err(Error::NotHardwareDomain);
    }
    if pad != 0 {
        return Err(Error::PadNotZero { pad });
    }
    if nr > MAX_MFNS {
        return Err(Error::TooManyFrames { frames: nr, max: MAX_MFNS });
    }
    for (index, pair) in (1_usize..).zip(ranges.windows(2)) {
        if let [previous, this] = pair
            && this.start < previous.end
        {
            let (start, previous_end) = (this.start, previous.end);
            return Err(Error::FramesNotAscending { index, start, previous_end });
        }
    }
    let (needed, have) = (crate::units::index(nr), mfns.len().min(pxms.len()));
    if have < needed {
        return Err(Error::OutputTooSmall { needed, have });
    }
    for (pxm, &mfn) in pxms.iter_mut().zip(mfns).take(needed) {
        let past = ranges.partition_point(|range| range.end.0 <= mfn);
        let range = ranges.get(past).filter(|range| range.start.0 <= mfn);
        *pxm = range.map_or(INVALID_NUMA_ID, |range| range.domain.0);
    }
    Ok(())
}
