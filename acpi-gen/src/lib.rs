#![no_std]
#![forbid(unsafe_code)]
//! ACPI tables for NUMA guests from a description of the machine, without a heap.
//!
//! A [`Description`] over the caller's slices is checked once into a
//! [`Topology`]; from that a [`TableSet`] says how long it is, where its tables
//! would stand, and writes them. The same tables read back as bounded views that
//! survive any bytes at all.
//!
//! ```
//! use acpi_gen::*;
//!
//! let cpu = |n: u32, pxm: u32| Processor {
//!     uid: ProcessorUid(n),
//!     apic_id: ApicId(2 * n),
//!     domain: Some(ProximityDomain(pxm)),
//!     state: ProcessorState::Enabled,
//! };
//! let memory = |start: u64, end: u64, pxm: u32| {
//!     Ok::<_, Error>(MemoryRange {
//!         range: GpaRange::new(Gpa(start), Gpa(end))?,
//!         domain: ProximityDomain(pxm),
//!         hot_pluggable: false,
//!         non_volatile: false,
//!     })
//! };
//! let processors = [cpu(0, 0), cpu(1, 0), cpu(2, 1), cpu(3, 1)];
//! let ranges = [memory(0, 0x8000_0000, 0)?, memory(0x1_0000_0000, 0x1_8000_0000, 1)?];
//! let description =
//!     Description { processors: &processors, memory: &ranges, ..Description::EMPTY };
//!
//! let mut scratch = [0; 4];
//! let topology = Topology::new(description, &mut scratch)?;
//! let set = TableSet::new(&topology);
//! let mut buffer = [0; 1024];
//! let placed = set.emit(&mut buffer, Gpa(0xFC00_0000))?;
//! assert_eq!(placed.rsdp(), Gpa(0xFC00_0000));
//! assert_eq!(placed.len(), set.len()?);
//!
//! let srat = placed.table(srat::SIGNATURE).expect("there are domains");
//! let srat = Srat::parse(&buffer[srat.offset..])?;
//! assert_eq!(srat.table().sum(), 0);
//! assert_eq!(
//!     srat.entries().nth(4),
//!     Some(Ok(SratEntry::Memory {
//!         domain: ProximityDomain(0),
//!         base: 0,
//!         length: 0x8000_0000,
//!         flags: 1,
//!     })),
//! );
//! # Ok::<(), Error>(())
//! ```
//!
//! # Not supported
//! Emitting HMAT, PPTT, generic initiators and other SRAT types beyond 0, 1 and 2, which
//! are parsed; interrupt controllers of other architectures; tables of an x86 machine
//! with fixed ACPI hardware (the FADT here is a hardware-reduced one); RSDT, as every
//! consumer that CI boots reads the XSDT.

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod acpi_table;
mod bits;
mod cedt;
mod description;
mod entry;
mod error;
mod facs;
mod hmat;
mod hpet;
mod known_table;
mod mcfg;
mod memory_map;
mod msct;
#[cfg(feature = "alloc")]
mod owned;
mod pptt;
mod revisions;
mod rule;
mod show;
mod sort;
mod spcr;
mod subtable;
mod table;
mod table_set;
mod topology;
mod units;
mod walk;
mod wire;

pub mod check;
pub mod dsdt;
pub mod fadt;
pub mod madt;
mod rsdp;
pub mod slit;
pub mod srat;
pub mod xsdt;

pub use acpi_table::PlacedTable;
pub use description::{
    Description, Distances, Entries, InterruptOverride, IntiFlags, IoApic, LocalNmi, MemoryRange,
    NmiForm, NmiTarget, Oem, Polarity, Processor, ProcessorState, Trigger,
};
pub use error::Error;
pub use fadt::FadtView;
pub use known_table::KnownTable;
pub use madt::{Madt, MadtEntry};
pub use memory_map::{E820Entry, E820Type, UncoveredRam};
pub use revisions::{AcpiVersion, Revisions};
pub use rsdp::Rsdp;
pub use rule::{Errno, Rule, Violation};
pub use show::{Show, Value};
pub use slit::Slit;
pub use srat::{Srat, SratEntry};
pub use subtable::SubTable;
pub use table::Table;
pub use table_set::{MAX_TABLES, Placed, TableSet};
pub use topology::Topology;
pub use units::{ApicId, Distance, Gpa, GpaRange, ProcessorUid, ProximityDomain};
pub use walk::{FoundTable, Physical, TableWalk, WalkError};
pub use xsdt::{ListedTables, RSDT};
