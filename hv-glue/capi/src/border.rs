//! The border: a C caller's pointers become references here, each of them checked before
//! anything is written.

use core::mem::{MaybeUninit, align_of, size_of};

use acpi_gen::Violation;

use crate::error::{Border, wide};
use crate::types::{HVG_VERSION, HvgError, Versioned};
use crate::work::Work;

/// The memory of one call's arguments, checked for null, alignment, length and overlap.
/// Inputs may share memory with inputs, outputs with nothing.
pub(crate) struct Arguments {
    regions: [Region; Self::MOST],
    used: usize,
}

#[derive(Clone, Copy)]
struct Region {
    start: usize,
    end: usize,
    written: bool,
}

/// What the methods that return references promise rests on: the C function's caller promises
/// that the elements are there and initialised, and that nothing else uses them during the
/// call; [`Arguments::note`] has refused null, misaligned, too long and overlapping ones.
impl Arguments {
    /// Of any call: `hvg_plan_make`'s.
    const MOST: usize = 12;

    pub(crate) const fn new() -> Self {
        Self { regions: [Region { start: 0, end: 0, written: false }; Self::MOST], used: 0 }
    }

    /// Checks memory of `len` elements of `size` bytes each.
    #[inline(never)]
    fn note(
        &mut self,
        start: usize,
        (align, size): (usize, usize),
        len: u64,
        written: bool,
    ) -> Result<(), Violation> {
        let argument = wide(self.used);
        let broken = |rule: Border, value| Err(rule.broken(argument, value));
        let bytes = usize::try_from(len).ok().and_then(|len| len.checked_mul(size));
        // A slice is at most isize::MAX bytes.
        let Some(bytes) = bytes.filter(|bytes| isize::try_from(*bytes).is_ok()) else {
            return broken(Border::ArgumentTooLong, len);
        };
        let address = wide(start);
        if start == 0 && bytes > 0 {
            return broken(Border::ArgumentNull, len);
        }
        if !start.is_multiple_of(align) {
            return broken(Border::ArgumentMisaligned, address);
        }
        let Some(end) = start.checked_add(bytes) else {
            return broken(Border::ArgumentTooLong, len);
        };
        let overlaps =
            |other: &Region| (written || other.written) && start < other.end && other.start < end;
        if self.regions.iter().take(self.used).any(overlaps) {
            return broken(Border::ArgumentOverlap, address);
        }
        let Some(region) = self.regions.get_mut(self.used) else {
            return broken(Border::ArgumentTooLong, argument);
        };
        *region = Region { start, end, written };
        self.used = self.used.saturating_add(1);
        Ok(())
    }

    /// An array that the call reads; a null pointer has no elements.
    ///
    /// # Safety
    /// As above.
    pub(crate) unsafe fn slice<'a, T>(
        &mut self,
        pointer: *const T,
        len: u32,
    ) -> Result<&'a [T], Violation> {
        self.note(pointer.addr(), layout::<T>(), len.into(), false)?;
        let len = index(len);
        // SAFETY: as above; not null where there are elements.
        Ok(if len == 0 { &[] } else { unsafe { core::slice::from_raw_parts(pointer, len) } })
    }

    /// An array that the call writes.
    ///
    /// # Safety
    /// As above.
    pub(crate) unsafe fn slice_mut<'a, T>(
        &mut self,
        pointer: *mut T,
        len: u32,
    ) -> Result<&'a mut [T], Violation> {
        self.note(pointer.addr(), layout::<T>(), len.into(), true)?;
        let len = index(len);
        if len == 0 {
            return Ok(&mut []);
        }
        // SAFETY: as above.
        Ok(unsafe { core::slice::from_raw_parts_mut(pointer, len) })
    }

    /// An array that the call writes unless it is null.
    ///
    /// # Safety
    /// As above.
    pub(crate) unsafe fn optional_mut<'a, T>(
        &mut self,
        pointer: *mut T,
        len: u32,
    ) -> Result<&'a mut [T], Violation> {
        // SAFETY: by this function's contract.
        unsafe { self.slice_mut(pointer, if pointer.is_null() { 0 } else { len }) }
    }

    /// A value that the call writes, and that may have none yet.
    ///
    /// # Safety
    /// As above, but for the value.
    pub(crate) unsafe fn place<'a, T>(
        &mut self,
        pointer: *mut T,
    ) -> Result<&'a mut MaybeUninit<T>, Violation> {
        self.note(pointer.addr(), layout::<T>(), 1, true)?;
        // SAFETY: as above.
        Ok(unsafe { &mut *pointer.cast() })
    }

    /// Memory that plans and their arrays are made in.
    ///
    /// # Safety
    /// As above, but for the value, and for as long as `'a`.
    pub(crate) unsafe fn work<'a>(
        &mut self,
        pointer: *mut u8,
        len: u64,
    ) -> Result<Work<'a>, Violation> {
        self.note(pointer.addr(), layout::<u8>(), len, true)?;
        let len = usize::try_from(len).unwrap_or(0);
        if len == 0 {
            return Ok(Work::over(&mut []));
        }
        // SAFETY: as above.
        Ok(Work::over(unsafe { core::slice::from_raw_parts_mut(pointer.cast(), len) }))
    }

    /// A structure that begins with its size and version, and that the call reads.
    ///
    /// # Safety
    /// As above; or it is an older structure whose size field says so.
    pub(crate) unsafe fn read<T: Versioned + Copy>(
        &mut self,
        pointer: *const T,
    ) -> Result<T, Violation> {
        // SAFETY: by this function's contract.
        unsafe { self.check::<T>(pointer, false)? };
        // SAFETY: the size field says that a whole T is there.
        Ok(unsafe { pointer.read() })
    }

    /// As [`Arguments::read`], for a structure that the call writes in the end.
    ///
    /// # Safety
    /// As [`Arguments::read`].
    pub(crate) unsafe fn read_mut<'a, T: Versioned>(
        &mut self,
        pointer: *mut T,
    ) -> Result<&'a mut T, Violation> {
        // SAFETY: by this function's contract.
        unsafe { self.check::<T>(pointer, true)? };
        // SAFETY: as in `read`, and exclusive by the check for overlap.
        Ok(unsafe { &mut *pointer })
    }

    unsafe fn check<T: Versioned>(
        &mut self,
        pointer: *const T,
        written: bool,
    ) -> Result<(), Violation> {
        self.note(pointer.addr(), layout::<T>(), 1, written)?;
        // SAFETY: not null and aligned; every such structure begins with two words, whatever
        // its size.
        let [size, version] = unsafe { pointer.cast::<[u32; 2]>().read() };
        if wide(size_of::<T>()) != u64::from(size) || version != HVG_VERSION {
            return Err(Border::StructVersion.broken(size.into(), version.into()));
        }
        Ok(())
    }
}

const fn layout<T>() -> (usize, usize) {
    (align_of::<T>(), size_of::<T>())
}

/// A number of elements; every target of this library has 64 or 32 bits.
pub(crate) fn index(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

pub(crate) fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Runs a call and reports its failure: errno as the result, the rest into `error`.
///
/// # Safety
/// `error` is null, or points at an initialised structure that nothing else uses.
pub(crate) unsafe fn call(
    error: *mut HvgError,
    body: impl FnOnce(&mut Arguments) -> Result<i32, Violation>,
) -> i32 {
    // SAFETY: by this function's contract.
    unsafe { call_with_reason(error, |arguments| Ok((body(arguments)?, None))) }
}

/// As [`call`]; a call that succeeds may also report why it did less than it could.
///
/// # Safety
/// As [`call`].
pub(crate) unsafe fn call_with_reason(
    error: *mut HvgError,
    body: impl FnOnce(&mut Arguments) -> Result<(i32, Option<hv_glue::Error>), Violation>,
) -> i32 {
    let mut arguments = Arguments::new();
    // SAFETY: by this function's contract.
    match unsafe { report(&mut arguments, error) } {
        Ok(place) => finish(body(&mut arguments), place),
        Err(broken) => finish(Err(broken), None),
    }
}

/// The place for a report. Not inlined, as every call has it.
///
/// # Safety
/// As [`call`].
#[inline(never)]
unsafe fn report<'a>(
    arguments: &mut Arguments,
    error: *mut HvgError,
) -> Result<Option<&'a mut HvgError>, Violation> {
    if error.is_null() {
        return Ok(None);
    }
    // SAFETY: by this function's contract.
    unsafe { arguments.read_mut(error).map(Some) }
}

#[inline(never)]
fn finish(
    result: Result<(i32, Option<hv_glue::Error>), Violation>,
    place: Option<&mut HvgError>,
) -> i32 {
    let (status, broken) = match result {
        Ok((status, reason)) => (status, reason.map(Violation::from)),
        Err(broken) => (0_i32.saturating_sub(broken.errno.number()), Some(broken)),
    };
    if let Some((place, broken)) = place.zip(broken) {
        place.what = broken.code;
        place.index = broken.index;
        place.value = broken.value;
    }
    status
}
