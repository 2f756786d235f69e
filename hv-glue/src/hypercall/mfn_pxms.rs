//! `XENMEM_get_mfn_pxms`: the proximity domains of host frames.

use acpi_gen::ProximityDomain;

use crate::hypercall::{Errno, Fault, GuestInput, GuestOutput};
use crate::memblk::{self, MemoryBlocks};
use crate::units::index;
use crate::{Error, Frames, Pfn};

/// What stands for a frame in no memory block: `XEN_INVALID_NUMA_ID`, ~0U.
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

impl PxmRange {
    /// What the slots of a slice to lend may hold.
    pub const UNUSED: Self = Self { start: Pfn(0), end: Pfn(0), domain: ProximityDomain(0) };
}

/// The host's memory blocks as a lookup table, which outlives the boot data that
/// it was made from. Not the frame table: that answers for holes, too.
#[derive(Clone, Copy, Debug)]
pub struct PxmMap<'a> {
    ranges: &'a [PxmRange],
}

impl<'a> PxmMap<'a> {
    /// A table in `lent`, one slot for each block. `node_to_pxm` is by node number.
    ///
    /// # Errors
    /// [`Error::OutputTooSmall`], [`Error::NodeWithoutDomain`],
    /// [`Error::FramesNotAscending`] where blocks overlap.
    pub fn new<B: MemoryBlocks + ?Sized>(
        blocks: &B,
        node_to_pxm: &[Option<ProximityDomain>],
        lent: &'a mut [PxmRange],
    ) -> Result<Self, Error> {
        let (needed, have) = (blocks.count(), lent.len());
        let Some((ranges, _)) = lent.split_at_mut_checked(needed) else {
            return Err(Error::OutputTooSmall { needed, have });
        };
        let mut filled = 0_usize;
        for block in memblk::iter(blocks) {
            let node = block.node;
            let domain = node_to_pxm.get(index(node.0)).copied().flatten();
            let domain = domain.ok_or(Error::NodeWithoutDomain { node })?;
            let Frames { start, end } = Frames::inside(block.range);
            let (sorted, _) = ranges.split_at_checked(filled).unwrap_or_default();
            let at = sorted.partition_point(|earlier| earlier.start < start);
            if let Some(slots) = ranges.get_mut(at..=filled) {
                crate::host::shift_in(slots, PxmRange { start, end, domain });
            }
            filled = filled.saturating_add(1);
        }
        Self::over(ranges)
    }

    /// A table that was made before.
    ///
    /// # Errors
    /// [`Error::FramesNotAscending`].
    pub fn over(ranges: &'a [PxmRange]) -> Result<Self, Error> {
        for (index, pair) in (1_usize..).zip(ranges.windows(2)) {
            if let [previous, this] = pair
                && this.start < previous.end
            {
                return Err(Error::FramesNotAscending {
                    index,
                    start: this.start,
                    previous_end: previous.end,
                });
            }
        }
        Ok(Self { ranges })
    }

    /// A frame's proximity domain; `None` in no block. O(log blocks).
    #[must_use]
    pub fn domain(&self, mfn: Pfn) -> Option<ProximityDomain> {
        let past = self.ranges.partition_point(|range| range.end <= mfn);
        let range = self.ranges.get(past)?;
        (range.start <= mfn).then_some(range.domain)
    }
}

/// The arguments of the call besides its handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MfnPxms {
    /// Whether the caller is the hardware domain, the only one that may ask:
    /// the answer tells of the host's topology.
    pub hardware_domain: bool,
    /// Frames asked for.
    pub nr: u32,
    /// Must be 0.
    pub pad: u32,
}

/// Answers the domain of each frame, [`INVALID_NUMA_ID`] for frames in no block.
///
/// # Errors
/// `EPERM` for other domains, `EINVAL` for a `pad` other than 0,
/// `E2BIG` above [`MAX_MFNS`], `EFAULT` where a handle cannot be copied.
pub fn get_mfn_pxms<I: GuestInput<u64>, O: GuestOutput<u32>>(
    map: &PxmMap<'_>,
    arguments: MfnPxms,
    mfns: &mut I,
    pxms: &mut O,
) -> Result<(), Errno> {
    let MfnPxms { hardware_domain, nr, pad } = arguments;
    if !hardware_domain {
        return Err(Errno::EPERM);
    }
    if pad != 0 {
        return Err(Errno::EINVAL);
    }
    if nr > MAX_MFNS {
        return Err(Errno::E2BIG);
    }
    for at in 0..nr {
        let mfn = mfns.read(at).map_err(|Fault| Errno::EFAULT)?;
        let domain = map.domain(Pfn(mfn)).map_or(INVALID_NUMA_ID, |domain| domain.0);
        pxms.write(at, domain).map_err(|Fault| Errno::EFAULT)?;
    }
    Ok(())
}
