//! From the library's errors, which count in its slices, back to places in the file.

use alloc::vec::Vec;

use alloc::collections::BTreeMap;

use acpi_gen::{Error, ProximityDomain};

use super::interrupts::{IoApicSpan, NmiSpan};
use super::nodes::NodePlace;
use super::remarks::Remark;
use crate::Machine;
use crate::source::Span;

/// Where the values of a machine's slices stand, each in the slice's order.
pub(super) struct Places {
    pub(super) nodes: Vec<NodePlace>,
    pub(super) processors: Vec<Span>,
    pub(super) memory: Vec<Span>,
    pub(super) distances: BTreeMap<(ProximityDomain, ProximityDomain), Span>,
    /// Remarks on distances above 254.
    pub(super) clamped: Vec<Remark>,
    pub(super) io_apics: Vec<IoApicSpan>,
    pub(super) overrides: Vec<Span>,
    pub(super) nmis: Vec<NmiSpan>,
}

impl Places {
    /// The place of the value that an error names; the start of the file where
    /// it means the machine as a whole.
    pub(super) fn of(&self, machine: &Machine, error: Error) -> Span {
        let processor = |index: usize| self.processors.get(index).cloned();
        let cell = |from, to| self.distances.get(&(from, to)).cloned();
        let place = match error {
            Error::BootProcessorAbsent { uid } => {
                machine.processors.iter().position(|p| p.uid == uid).and_then(processor)
            }
            Error::DuplicateUid { second, .. } | Error::DuplicateApicId { second, .. } => {
                processor(second)
            }
            Error::ReservedApicId { index, .. } | Error::UidTooLargeForType0 { index, .. } => {
                processor(index)
            }
            Error::MemoryNotAscending { index, .. } | Error::MemoryOverlap { index, .. } => {
                self.memory.get(index).cloned()
            }
            Error::DistanceReserved { from, to, .. }
            | Error::RemoteAtLocalDistance { from, to } => cell(from, to),
            Error::DiagonalNotLocal { domain, .. } => cell(domain, domain),
            Error::DistanceOfUnknownDomain { domain } | Error::TooManyLocalities { domain, .. } => {
                self.nodes.iter().find(|node| node.domain == domain).map(|node| node.span.clone())
            }
            Error::DuplicateIoApicId { index, .. } => {
                self.io_apics.get(index).map(|place| place.id.clone())
            }
            Error::IoApicAddressZero { index } => {
                self.io_apics.get(index).map(|place| place.address.clone())
            }
            Error::DuplicateOverride { index, .. } => self.overrides.get(index).cloned(),
            Error::NmiLint { index, .. } => self.nmis.get(index).map(|place| place.lint.clone()),
            Error::NmiOfUnknownProcessor { index, .. } | Error::NmiUidTooLarge { index, .. } => {
                self.nmis.get(index).map(|place| place.uid.clone())
            }
            _ => None,
        };
        place.unwrap_or(0..0)
    }

    /// The place of the value that the named one collides with.
    pub(super) fn other(&self, machine: &Machine, error: Error) -> Option<Span> {
        match error {
            Error::DuplicateApicId { first, .. } => self.processors.get(first).cloned(),
            Error::MemoryOverlap { first, .. } => {
                let index = machine.memory.iter().position(|memory| memory.range == first)?;
                self.memory.get(index).cloned()
            }
            _ => None,
        }
    }
}
