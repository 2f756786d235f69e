#![no_std]
#![forbid(unsafe_code)]
//! wip
#[cfg(test)]
extern crate std;
#[cfg(test)]
use std::vec::Vec;

mod description;
mod error;
mod revisions;
mod sort;
mod topology;
mod units;

pub use description::{
    Description, Distances, Entries, InterruptOverride, IoApic, LocalNmi, MemoryRange, NmiForm,
    NmiTarget, Oem, Polarity, Processor, ProcessorState, Trigger,
};
pub use error::Error;
pub use revisions::{AcpiVersion, Revisions};
pub use topology::{MAX_DOMAIN, Topology};
pub use units::{ApicId, Distance, Gpa, GpaRange, ProcessorUid, ProximityDomain};
mod slit {
    pub(crate) fn len(t: &crate::Topology) -> Result<usize, crate::Error> {
        Ok(t.localities() as usize)
    }
}
