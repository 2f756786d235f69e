//! The proximity domains of host frames.

use hv_glue::hypercall::{
    Errno, Fault as CopyFault, GuestInput, GuestOutput, MfnPxms, PxmMap, PxmRange, get_mfn_pxms,
};

use crate::fault::{E2BIG, EINVAL, EPERM, Fault};
use crate::host::len;
use crate::lend::{Lent, call, slice, slice_mut};
use crate::types::{HVG_MFN_PXMS_MAX, HvgError, HvgPxmRange};
use crate::what::HvgWhat as What;

// The table is read in place, and the limit is the library's.
const _: () = {
    assert!(HVG_MFN_PXMS_MAX == hv_glue::hypercall::MAX_MFNS);
    assert!(size_of::<HvgPxmRange>() == size_of::<PxmRange>());
    assert!(core::mem::offset_of!(HvgPxmRange, start) == core::mem::offset_of!(PxmRange, start));
    assert!(core::mem::offset_of!(HvgPxmRange, end) == core::mem::offset_of!(PxmRange, end));
    assert!(core::mem::offset_of!(HvgPxmRange, pxm) == core::mem::offset_of!(PxmRange, domain));
};

/// Answers XENMEM_get_mfn_pxms by a table of the host's memory blocks, HVG_NONE
/// for a frame in none. `nr` and `pad` are the hypercall's own; `mfns` and `pxms`
/// have the lesser of `nr` and HVG_MFN_PXMS_MAX elements.
///
/// Errors: -EPERM for another than the hardware domain, -EINVAL for a pad other
/// than 0 or ranges that do not ascend, -E2BIG above HVG_MFN_PXMS_MAX frames.
///
/// # Safety
/// Every pointer is null or points at as many initialised elements as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_mfn_pxms(
    ranges: *const HvgPxmRange,
    nr_ranges: u32,
    hardware_domain: u32,
    nr: u32,
    pad: u32,
    mfns: *const u64,
    pxms: *mut u32,
    error: *mut HvgError,
) -> i32 {
    let body = |lent: &mut Lent| {
        let count = nr.min(HVG_MFN_PXMS_MAX);
        lent.input(ranges, nr_ranges.into())?;
        lent.input(mfns, count.into())?;
        lent.output(pxms, count.into())?;
        // SAFETY: noted above; the two range structures have one layout, as
        // asserted above.
        let (ranges, mfns, pxms) = unsafe {
            (
                slice(ranges.cast::<PxmRange>(), nr_ranges),
                slice(mfns, count),
                slice_mut(pxms, count),
            )
        };
        let map = PxmMap::over(ranges)?;
        let arguments = MfnPxms { hardware_domain: hardware_domain != 0, nr, pad };
        match get_mfn_pxms(&map, arguments, &mut Frames(mfns), &mut Domains(pxms)) {
            Ok(()) => Ok(0),
            Err(Errno::EPERM) => Err(Fault::new(EPERM, What::NotHardwareDomain, 0, 0)),
            Err(Errno::E2BIG) => {
                Err(Fault::new(E2BIG, What::TooManyElements, nr.into(), HVG_MFN_PXMS_MAX.into()))
            }
            Err(_) => Err(Fault::new(EINVAL, What::StructField, 0, pad.into())),
        }
    };
    // SAFETY: the caller's promise.
    unsafe { call(error, body) }
}

struct Frames<'a>(&'a [u64]);

impl GuestInput<u64> for Frames<'_> {
    fn read(&mut self, index: u32) -> Result<u64, CopyFault> {
        self.0.get(len(index)).copied().ok_or(CopyFault)
    }
}

struct Domains<'a>(&'a mut [u32]);

impl GuestOutput<u32> for Domains<'_> {
    fn is_null(&self) -> bool {
        self.0.is_empty()
    }

    fn write(&mut self, index: u32, value: u32) -> Result<(), CopyFault> {
        *self.0.get_mut(len(index)).ok_or(CopyFault)? = value;
        Ok(())
    }
}
