//! An arena for programs with an allocator.

use alloc::vec;
use alloc::vec::Vec;

use acpi_gen::Processor;

use super::arena::{Arena, ArenaSize};
use crate::e820::Piece;

/// An arena on the heap.
#[derive(Debug)]
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

    /// Its slices.
    pub fn slices(&mut self) -> Arena<'_> {
        let Self { processors, pieces, scratch } = self;
        Arena { processors, pieces, scratch }
    }
}
