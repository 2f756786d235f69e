//! An arena for programs with an allocator.

use alloc::vec;
use alloc::vec::Vec;

use acpi_gen::Processor;

use super::arena::{Arena, ArenaSize};
use super::guest::{GuestPlan, GuestRequest};
use crate::Error;
use crate::e820::Piece;

/// An arena on the heap.
#[derive(Debug, Default)]
pub struct OwnedArena {
    processors: Vec<Processor>,
    pieces: Vec<Piece>,
    scratch: Vec<u32>,
}

impl OwnedArena {
    /// An arena of this size.
    #[must_use]
    pub fn new(size: ArenaSize) -> Self {
        Self {
            processors: vec![Arena::PROCESSOR; size.processors],
            pieces: vec![Piece::UNUSED; size.pieces],
            scratch: vec![0; size.scratch],
        }
    }

    /// Plans a guest in memory of the size that it needs; see [`GuestPlan::build`].
    ///
    /// # Errors
    /// Those of [`GuestPlan::build`].
    pub fn plan_guest(&mut self, request: GuestRequest<'_>) -> Result<GuestPlan<'_>, Error> {
        *self = Self::new(ArenaSize::for_guest(request.processors.len()));
        let mut plan = GuestPlan::new();
        plan.build(request, self.slices())?;
        Ok(plan)
    }

    /// Its slices.
    pub fn slices(&mut self) -> Arena<'_> {
        let Self { processors, pieces, scratch } = self;
        Arena { processors, pieces, scratch }
    }
}
