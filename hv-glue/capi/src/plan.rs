//! The opaque plan, in caller-provided memory: a dom0's or a guest's.

use core::mem::MaybeUninit;

use acpi_gen::{Gpa, GpaRange, Processor, Violation};
use hv_glue::e820::Piece;
use hv_glue::populate::Walk;
use hv_glue::{Arena, ArenaSize, Dom0Plan, GuestPlan};

use crate::border::{Arguments, index};
use crate::error::{Border, bad_element, wide};
use crate::work::Work;

/// What a plan begins with, so that other memory is not taken for one.
const MAGIC: u64 = u64::from_le_bytes(*b"hvg plan");

/// A plan. It is in the memory that `hvg_plan_make` or `hvg_guest_make` got, and is valid as
/// long as that.
pub struct HvgPlan {
    plan: Plan,
}

// Of memory that holds no plan, only the first 8 bytes are read.
const _: () = assert!(core::mem::offset_of!(HvgPlan, plan.magic) == 0);

#[repr(C)]
pub(crate) struct Plan {
    magic: u64,
    pub(crate) of: PlanOf,
    pub(crate) walk: Option<Walk>,
    /// Memory for the tables' arrays.
    pub(crate) spare: &'static mut [MaybeUninit<u8>],
}

#[expect(clippy::large_enum_variant, reason = "in the caller's memory: there is no heap for a box")]
pub(crate) enum PlanOf {
    Dom0(Dom0Plan<'static>),
    Guest(GuestPlan<'static>),
}

impl HvgPlan {
    /// Puts a plan into the first of the memory, where the caller's promise keeps it.
    #[inline(always)]
    pub(crate) fn start(
        work: &mut Work<'static>,
        of: impl FnOnce() -> PlanOf,
    ) -> Result<&'static mut Self, Violation> {
        let slot = work.slots::<Self>(1)?.first_mut().ok_or(no_plan(core::ptr::null()))?;
        Ok(slot.write(Self { plan: Plan { magic: MAGIC, of: of(), walk: None, spare: &mut [] } }))
    }

    /// The plan that is made, and the memory that is left.
    pub(crate) fn keep(&mut self, work: Work<'static>) -> *mut Self {
        self.plan.spare = work.into_rest();
        self
    }

    pub(crate) const fn of(&mut self) -> &mut PlanOf {
        &mut self.plan.of
    }

    /// # Safety
    /// `plan` came from `hvg_plan_make` or `hvg_guest_make`, whose memory nothing else uses.
    pub(crate) unsafe fn borrow<'a>(
        arguments: &mut Arguments,
        plan: *mut Self,
    ) -> Result<&'a mut Plan, Violation> {
        // SAFETY: by this function's contract.
        unsafe { arguments.place(plan)? };
        // SAFETY: not null and aligned; one number is read through the pointer.
        let magic = unsafe { core::ptr::addr_of!((*plan).plan.magic).read() };
        if magic != MAGIC {
            return Err(no_plan(plan));
        }
        // SAFETY: by this function's contract, and checked as far as can be.
        Ok(unsafe { &mut (*plan).plan })
    }

    /// As [`HvgPlan::borrow`], for a dom0's plan.
    ///
    /// # Safety
    /// As [`HvgPlan::borrow`].
    pub(crate) unsafe fn dom0<'a>(
        arguments: &mut Arguments,
        plan: *mut Self,
    ) -> Result<(&'a mut Dom0Plan<'static>, &'a mut Option<Walk>), Violation> {
        // SAFETY: by this function's contract.
        match unsafe { Self::borrow(arguments, plan)? } {
            Plan { of: PlanOf::Dom0(dom0), walk, .. } => Ok((dom0, walk)),
            _ => Err(no_plan(plan)),
        }
    }
}

/// There is no plan of the kind that a call is for.
pub(crate) fn no_plan(plan: *const HvgPlan) -> Violation {
    Border::NotAPlan.broken(0, wide(plan.addr()))
}

/// The range of an element of an array.
pub(crate) fn range(at: usize, start: u64, end: u64) -> Result<GpaRange, Violation> {
    GpaRange::new(Gpa(start), Gpa(end)).map_err(|_| bad_element(at, start))
}

/// Bytes that a plan takes with its arena, `elements` of the tables' arrays, and `other`.
pub(crate) fn plan_room(size: ArenaSize, elements: u32, other: &[usize]) -> u64 {
    let own = [
        Work::room::<HvgPlan>(1),
        Work::room::<Processor>(size.processors),
        Work::room::<Piece>(size.pieces),
        Work::room::<u32>(size.scratch),
        crate::tables::room(index(elements)),
    ];
    wide(own.iter().chain(other).fold(0, |sum: usize, room| sum.saturating_add(*room)))
}

pub(crate) fn arena(
    work: &mut Work<'static>,
    size: ArenaSize,
) -> Result<Arena<'static>, Violation> {
    let ArenaSize { processors, pieces, scratch } = size;
    Ok(Arena {
        processors: work.fill(processors, Arena::PROCESSOR)?,
        pieces: work.fill(pieces, Piece::UNUSED)?,
        scratch: work.fill(scratch, 0)?,
    })
}
