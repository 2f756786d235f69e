//! The caller's memory for the parts of a plan that have no bound.

use acpi_gen::{ApicId, Processor, ProcessorState, ProcessorUid};

use crate::e820::Piece;

/// Caller-provided memory of a plan; [`ArenaSize`] says how long the slices must be.
#[derive(Debug, Default)]
pub struct Arena<'a> {
    /// One for each vCPU.
    pub processors: &'a mut [Processor],
    /// Pieces of a dom0's memory map; a guest's plan takes none.
    pub pieces: &'a mut [Piece],
    /// Words that validation of the tables sorts in.
    pub scratch: &'a mut [u32],
}

impl Arena<'_> {
    pub(crate) const fn empty() -> Self {
        Self { processors: &mut [], pieces: &mut [], scratch: &mut [] }
    }

    /// A value for the slots of [`Arena::processors`].
    pub const PROCESSOR: Processor = Processor {
        uid: ProcessorUid(0),
        apic_id: ApicId(0),
        domain: None,
        state: ProcessorState::Enabled,
    };
}

/// Lengths of an [`Arena`]'s slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArenaSize {
    /// Of [`Arena::processors`].
    pub processors: usize,
    /// Of [`Arena::pieces`].
    pub pieces: usize,
    /// Of [`Arena::scratch`].
    pub scratch: usize,
}

impl ArenaSize {
    /// For a dom0 of so many vCPUs on a host of so many memory map entries and blocks.
    #[must_use]
    pub fn for_dom0(vcpus: usize, map: usize, blocks: usize) -> Self {
        // Each border of a block cuts at most one piece in two.
        let pieces = map.saturating_add(blocks.saturating_mul(2));
        Self { pieces, ..Self::for_guest(vcpus) }
    }

    /// For a guest of so many vCPUs.
    #[must_use]
    pub fn for_guest(vcpus: usize) -> Self {
        Self { processors: vcpus, pieces: 0, scratch: vcpus.max(crate::layout::MAX_VNODES) }
    }
}
