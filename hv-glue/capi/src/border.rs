//! The border: a C caller's pointers become slices here, after every one of them has been
//! checked, and before anything is written.

use core::mem::{MaybeUninit, align_of, size_of};

use crate::rules::{Border, Fault, wide};
use crate::types::{HVG_VERSION, HvgError, Versioned};

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

impl Arguments {
    /// Of any call: `hvg_plan_make`'s.
    const MOST: usize = 12;

    pub(crate) const fn new() -> Self {
        Self { regions: [Region { start: 0, end: 0, written: false }; Self::MOST], used: 0 }
    }

    /// Notes memory that the call reads.
    pub(crate) fn input<T>(&mut self, pointer: *const T, len: u64) -> Result<(), Fault> {
        self.note(pointer.addr(), align_of::<T>(), size_of::<T>(), len, false)
    }

    /// Notes memory that the call writes.
    pub(crate) fn output<T>(&mut self, pointer: *const T, len: u64) -> Result<(), Fault> {
        self.note(pointer.addr(), align_of::<T>(), size_of::<T>(), len, true)
    }

    /// As [`Arguments::output`], for an array that is optional: null has no elements.
    pub(crate) fn output_or_null<T>(&mut self, pointer: *const T, len: u32) -> Result<(), Fault> {
        self.output(pointer, if pointer.is_null() { 0 } else { len.into() })
    }

    fn note(
        &mut self,
        start: usize,
        align: usize,
        size: usize,
        len: u64,
        written: bool,
    ) -> Result<(), Fault> {
        let argument = wide(self.used);
        let fault = |rule, value| Err(Fault::invalid(rule, argument, value));
        let bytes = usize::try_from(len).ok().and_then(|len| len.checked_mul(size));
        // A slice is at most isize::MAX bytes.
        let Some(bytes) = bytes.filter(|bytes| isize::try_from(*bytes).is_ok()) else {
            return fault(Border::ArgumentTooLong, len);
        };
        let address = wide(start);
        if start == 0 && bytes > 0 {
            return fault(Border::ArgumentNull, len);
        }
        if !start.is_multiple_of(align) {
            return fault(Border::ArgumentMisaligned, address);
        }
        let Some(end) = start.checked_add(bytes) else {
            return fault(Border::ArgumentTooLong, len);
        };
        let overlaps =
            |other: &Region| (written || other.written) && start < other.end && other.start < end;
        if self.regions.iter().take(self.used).any(overlaps) {
            return fault(Border::ArgumentOverlap, address);
        }
        let Some(region) = self.regions.get_mut(self.used) else {
            return fault(Border::ArgumentTooLong, argument);
        };
        *region = Region { start, end, written };
        self.used = self.used.saturating_add(1);
        Ok(())
    }
}

/// Reads a structure that begins with its size and version.
///
/// # Safety
/// `pointer` is null, or points at an initialised `T` or at an older structure
/// whose size field says so.
pub(crate) unsafe fn read<T: Versioned + Copy>(
    arguments: &mut Arguments,
    pointer: *const T,
) -> Result<T, Fault> {
    arguments.input(pointer, 1)?;
    // SAFETY: not null and aligned by `Arguments::note`; every such structure begins
    // with two words, whatever its size.
    let [size, version] = unsafe { pointer.cast::<[u32; 2]>().read() };
    check_header::<T>(size, version)?;
    // SAFETY: the size field says that a whole T is there, and the caller that
    // it is initialised.
    Ok(unsafe { pointer.read() })
}

/// As [`read`], for a structure that the call writes in the end.
///
/// # Safety
/// As [`read`], and nobody else has the structure during the call.
pub(crate) unsafe fn read_mut<'a, T: Versioned>(
    arguments: &mut Arguments,
    pointer: *mut T,
) -> Result<&'a mut T, Fault> {
    arguments.output(pointer, 1)?;
    // SAFETY: as in `read`.
    let [size, version] = unsafe { pointer.cast::<[u32; 2]>().read() };
    check_header::<T>(size, version)?;
    // SAFETY: as in `read`, and exclusive by the check for overlap.
    Ok(unsafe { &mut *pointer })
}

fn check_header<T>(size: u32, version: u32) -> Result<(), Fault> {
    if wide(size_of::<T>()) != u64::from(size) || version != HVG_VERSION {
        return Err(Fault::invalid(Border::StructVersion, size.into(), version.into()));
    }
    Ok(())
}

/// Runs a call and reports its failure: errno as the result, the rest into `error`.
///
/// # Safety
/// `error` is null, or points at an initialised structure that nobody else has.
pub(crate) unsafe fn call(
    error: *mut HvgError,
    body: impl FnOnce(&mut Arguments) -> Result<i32, Fault>,
) -> i32 {
    let mut arguments = Arguments::new();
    // SAFETY: by this function's contract.
    match unsafe { report(&mut arguments, error) } {
        Ok(place) => finish(body(&mut arguments), place),
        Err(fault) => fault.errno,
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
) -> Result<Option<&'a mut HvgError>, Fault> {
    if error.is_null() {
        return Ok(None);
    }
    // SAFETY: by this function's contract.
    unsafe { read_mut(arguments, error).map(Some) }
}

#[inline(never)]
fn finish(result: Result<i32, Fault>, place: Option<&mut HvgError>) -> i32 {
    let fault = match result {
        Ok(value) => return value,
        Err(fault) => fault,
    };
    if let Some(place) = place {
        place.what = fault.rule;
        place.index = fault.index;
        place.value = fault.value;
    }
    fault.errno
}

/// The caller's array; a null pointer is an empty one.
///
/// # Safety
/// `pointer` and `len` have passed [`Arguments::input`] in this call, the caller of
/// the C function keeps its promise that `len` initialised elements lie there,
/// and nothing writes them before the slice is gone.
pub(crate) unsafe fn slice<'a, T>(pointer: *const T, len: u32) -> &'a [T] {
    let len = usize::try_from(len).unwrap_or(0);
    if pointer.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: not null, aligned and of at most isize::MAX bytes by `Arguments::note`;
    // initialised and unwritten by this function's own contract.
    unsafe { core::slice::from_raw_parts(pointer, len) }
}

/// The caller's array, to be written; a null pointer is an empty one.
///
/// # Safety
/// As [`slice()`], but through [`Arguments::output`], so that nothing else in this call
/// reads or writes it. The elements are initialised: the C side hands over
/// memory that has a value, or integers, for which the header demands it.
pub(crate) unsafe fn slice_mut<'a, T>(pointer: *mut T, len: u32) -> &'a mut [T] {
    let len = usize::try_from(len).unwrap_or(0);
    if pointer.is_null() || len == 0 {
        return &mut [];
    }
    // SAFETY: as in `slice`, and exclusive by the check for overlap.
    unsafe { core::slice::from_raw_parts_mut(pointer, len) }
}

/// Caller-provided memory, handed out piece by piece.
pub(crate) struct Work<'a> {
    rest: &'a mut [MaybeUninit<u8>],
    taken: usize,
}

impl<'a> Work<'a> {
    /// # Safety
    /// `pointer` and `len` have passed [`Arguments::output`] as bytes in this call.
    pub(crate) unsafe fn new(pointer: *mut u8, len: u64) -> Self {
        let len = usize::try_from(len).unwrap_or(0);
        if pointer.is_null() || len == 0 {
            return Self { rest: &mut [], taken: 0 };
        }
        // SAFETY: not null, of at most isize::MAX bytes and exclusive by
        // `Arguments::note`; bytes need no alignment and MaybeUninit no value.
        let rest = unsafe { core::slice::from_raw_parts_mut(pointer.cast(), len) };
        Self { rest, taken: 0 }
    }

    /// Memory that was handed out before.
    pub(crate) const fn over(rest: &'a mut [MaybeUninit<u8>]) -> Self {
        Self { rest, taken: 0 }
    }

    /// What is left.
    pub(crate) fn into_rest(self) -> &'a mut [MaybeUninit<u8>] {
        self.rest
    }

    /// Bytes that `len` elements may take, whatever the alignment of what is left.
    pub(crate) fn room<T>(len: usize) -> usize {
        len.saturating_mul(size_of::<T>()).saturating_add(align_of::<T>())
    }

    /// `len` elements, each of them `value`.
    pub(crate) fn take<T: Copy>(&mut self, len: usize, value: T) -> Result<&'a mut [T], Fault> {
        let slots = self.slots::<T>(len)?;
        for slot in slots.iter_mut() {
            slot.write(value);
        }
        // SAFETY: every element has just been written.
        Ok(unsafe { core::slice::from_raw_parts_mut(slots.as_mut_ptr().cast::<T>(), len) })
    }

    /// `len` elements without a value.
    pub(crate) fn slots<T>(&mut self, len: usize) -> Result<&'a mut [MaybeUninit<T>], Fault> {
        let rest = core::mem::take(&mut self.rest);
        let (have, room) = (rest.len(), Self::room::<T>(len));
        let taken = self.taken;
        let short = Fault::too_short(
            Border::MemoryTooSmall,
            taken.saturating_add(have),
            taken.saturating_add(room),
        );
        let (piece, rest) = rest.split_at_mut_checked(room).ok_or(short)?;
        self.rest = rest;
        self.taken = self.taken.saturating_add(room);
        let skip = piece.as_ptr().align_offset(align_of::<T>());
        let bytes = len.saturating_mul(size_of::<T>());
        let piece = piece.get_mut(skip..skip.saturating_add(bytes)).ok_or(short)?;
        let start = piece.as_mut_ptr().cast::<MaybeUninit<T>>();
        // SAFETY: `start` is aligned by `align_offset`, `bytes` bytes are left
        // behind it, they came out of one exclusive slice, and MaybeUninit needs
        // no value.
        Ok(unsafe { core::slice::from_raw_parts_mut(start, len) })
    }
}
