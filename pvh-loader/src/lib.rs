#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
//! Places a PVH guest: from a kernel image, modules, a command line, a memory map
//! and a set of ACPI tables to memory that a kernel can be entered in, without a
//! heap and without a panic path.
//!
//! 1. [`Kernel::parse`] checks an ELF image with the note PHYS32_ENTRY;
//!    [`Payload::find`] finds the packed image in a bzImage.
//! 2. [`Plan::new`] gives every part of a [`Guest`] its place. A plan can be printed.
//! 3. [`Plan::write_guest`] writes the guest through [`GuestMemory`] and returns the
//!    [`EntryState`], the registers that the PVH ABI requires.
//!
//! ```
//! use acpi_gen::*;
//! use pvh_loader::*;
//!
//! // Tables of one processor; the kernel is a test image of this project.
//! let processors = [Processor {
//!     uid: ProcessorUid(0),
//!     apic_id: ApicId(0),
//!     domain: None,
//!     state: ProcessorState::Enabled,
//! }];
//! let description = Description { processors: &processors, ..Description::EMPTY };
//! let mut scratch = [0; 1];
//! let topology = Topology::new(description, &mut scratch)?;
//! let image = include_bytes!("../../fixtures/images/elf64.elf");
//!
//! let ram = GpaRange::new(Gpa(0x10_0000), Gpa(0x200_0000))?;
//! let guest = Guest {
//!     kernel: Kernel::parse(image)?,
//!     modules: &[],
//!     command_line: b"console=ttyS0",
//!     memory: &[E820Entry { range: ram, kind: E820Type::RAM }],
//!     reserved: &[],
//!     busy: &[],
//!     tables: TableSet::complete(&topology)?,
//! };
//! let mut map = [None; map_len(1)];
//! let plan = Plan::new(guest, Lists { modules: &mut [], map: &mut map })?;
//! println!("{plan}");
//!
//! let mut bytes = vec![0; 0x1F0_0000];
//! let mut buffer = vec![0; plan.tables_len()];
//! let mut memory = SliceMemory::new(ram.start(), &mut bytes);
//! let entry = plan.write_guest(&mut buffer, &mut memory)?;
//! assert_eq!(entry.eip, 0x100_0010);
//!
//! // What the kernel finds by EBX.
//! let at = usize::try_from(u64::from(entry.ebx) - ram.start().0)?;
//! let info = StartInfo::parse(&bytes[at..])?;
//! assert_eq!(info.rsdp_paddr.get(), plan.tables().start().0);
//! assert_eq!(info.memmap_entries.get(), 2); // RAM, and the tables as ACPI
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Not supported
//! Kernels for Xen's PV ABI, big-endian images, images with more than 128 program
//! headers, and bzImages before boot protocol 2.08, which name no payload.

mod bytes;
mod bzimage;
mod content;
mod elf;
mod entry;
mod error;
mod kernel;
mod memory;
mod note;
mod plan;
mod region;
mod space;
mod start_info;
#[cfg(feature = "vm-memory")]
mod vm_memory;
mod write_guest;

pub use bzimage::{Compression, Payload};
pub use content::Content;
pub use entry::{EntryState, SegmentState};
pub use error::{Error, Part};
pub use kernel::{Kernel, Relocation, Segment};
pub use memory::{GuestMemory, NotWritten, SliceMemory};
pub use plan::{Guest, Item, Lists, Module, Plan};
pub use region::{Map, map_len, memory_map};
pub use start_info::{MapEntry, ModuleEntry, StartInfo};
#[cfg(feature = "vm-memory")]
pub use vm_memory::VmMemory;

pub use acpi_gen::{E820Entry, E820Type};

use acpi_gen::Gpa;

/// Nothing is placed below: real-mode data, the trampoline of the other processors.
const ONE_MIB: Gpa = Gpa(0x10_0000);
/// Nothing is placed from here on: the entry has 32-bit addresses.
const FOUR_GIB: Gpa = Gpa(0x1_0000_0000);
const PAGE: u64 = 0x1000;
