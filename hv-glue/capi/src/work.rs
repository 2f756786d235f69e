//! Caller-provided memory that a plan and its arrays are made in.

use core::mem::{MaybeUninit, align_of, size_of};

use acpi_gen::Violation;

use crate::error::{Border, wide};

/// Caller-provided memory, handed out array by array.
pub(crate) struct Work<'a> {
    rest: &'a mut [MaybeUninit<u8>],
    taken: usize,
}

impl<'a> Work<'a> {
    /// Memory that nothing else uses.
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

    /// An array of at most `len` of these elements.
    pub(crate) fn collect<T: Copy>(
        &mut self,
        len: usize,
        elements: impl Iterator<Item = Result<T, Violation>>,
    ) -> Result<&'a mut [T], Violation> {
        let slots = self.slots::<T>(len)?;
        let mut filled = 0_usize;
        for (slot, element) in slots.iter_mut().zip(elements) {
            slot.write(element?);
            filled = filled.saturating_add(1);
        }
        // SAFETY: that many elements have just been written.
        Ok(unsafe { core::slice::from_raw_parts_mut(slots.as_mut_ptr().cast::<T>(), filled) })
    }

    /// An array of `len` times this element.
    pub(crate) fn fill<T: Copy>(
        &mut self,
        len: usize,
        element: T,
    ) -> Result<&'a mut [T], Violation> {
        self.collect(len, core::iter::repeat_n(Ok(element), len))
    }

    /// Each element of an array in the library's form.
    pub(crate) fn convert<F, T: Copy>(
        &mut self,
        from: &[F],
        element: impl Fn(usize, &F) -> Result<T, Violation>,
    ) -> Result<&'a mut [T], Violation> {
        self.collect(from.len(), from.iter().enumerate().map(|(at, from)| element(at, from)))
    }

    /// `len` elements without a value.
    pub(crate) fn slots<T>(&mut self, len: usize) -> Result<&'a mut [MaybeUninit<T>], Violation> {
        let rest = core::mem::take(&mut self.rest);
        let (have, room) = (rest.len(), Self::room::<T>(len));
        let sum = |bytes| wide(self.taken.saturating_add(bytes));
        let short = Border::MemoryTooSmall.broken(sum(have), sum(room));
        let (taken, rest) = rest.split_at_mut_checked(room).ok_or(short)?;
        self.rest = rest;
        self.taken = self.taken.saturating_add(room);
        let skip = taken.as_ptr().align_offset(align_of::<T>());
        let bytes = len.saturating_mul(size_of::<T>());
        let taken = taken.get_mut(skip..skip.saturating_add(bytes)).ok_or(short)?;
        let start = taken.as_mut_ptr().cast::<MaybeUninit<T>>();
        // SAFETY: `start` is aligned by `align_offset`, `bytes` bytes are left behind it, they
        // came out of one exclusive slice, and MaybeUninit needs no value.
        Ok(unsafe { core::slice::from_raw_parts_mut(start, len) })
    }
}
