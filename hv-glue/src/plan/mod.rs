//! Plans: one value from host facts or a toolstack's request to the tables' bytes.

mod arena;
mod dom0;
mod guest;
mod host;
#[cfg(any(feature = "alloc", test))]
mod owned;

pub use arena::{Arena, ArenaSize};
pub use dom0::{Dom0Plan, Dom0Request, MemoryRequest};
pub use guest::{GuestPlan, GuestRequest};
pub use host::{HostCpu, HostFacts, MemoryBlock};
#[cfg(any(feature = "alloc", test))]
pub use owned::OwnedArena;

use acpi_gen::{ApicId, Processor};

use crate::apic::{self, PackageShape, Scheme};
use crate::layout::{Layout, MAX_VNODES};
use crate::{APIC_ID_LIMIT, Error, VnodeId};

/// Gives each processor its id: the first of the encodings that fit, by the numbers that
/// `number` gives the nodes of their proximity domains.
fn assign_ids(
    layout: &Layout,
    processors: &mut [Processor],
    number: impl Fn(usize) -> Option<acpi_gen::ProximityDomain>,
) -> Result<(PackageShape, ApicId), Error> {
    let (mut numbers, mut counts) = ([None; MAX_VNODES], [0; MAX_VNODES]);
    for (rank, slot) in numbers.iter_mut().enumerate().take(layout.domains().len()) {
        *slot = number(rank);
    }
    let rank = |_: usize, processor: &Processor| {
        let rank = processor.domain.and_then(|domain| layout.rank(domain));
        VnodeId(rank.map_or(u32::MAX, crate::units::count))
    };
    let set = |processor: &mut Processor, id| processor.apic_id = id;
    let limit = APIC_ID_LIMIT;
    apic::assign(processors, &numbers, Scheme::FirstThatFits, limit, &mut counts, rank, set)
}
