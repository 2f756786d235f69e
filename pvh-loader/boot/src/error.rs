//! Why the machine could not be described.

use alloc::string::{String, ToString};
use core::fmt;

use acpi_gen::{ApicId, Gpa, ProcessorUid, WalkError};

/// What is wrong with a start info, the firmware's tables, a topology or an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A start info with a wrong field.
    StartInfo(pvh_loader::Error),
    /// A part of a start info that cannot be read.
    StartInfoPart {
        /// The part.
        part: &'static str,
        /// Where it starts.
        at: Gpa,
        /// The bytes that were to be read there.
        len: usize,
    },
    /// A command line without a zero at its end.
    EndlessCommandLine {
        /// Where it starts.
        at: Gpa,
        /// The most bytes that it may have, without the zero.
        max: usize,
    },
    /// A firmware table at an address that cannot be read.
    Unreadable {
        /// The address.
        at: Gpa,
        /// The bytes that were to be read there.
        len: usize,
    },
    /// A firmware table that is not well formed.
    Table {
        /// Its signature; "RSDP" for the RSDP.
        signature: [u8; 4],
        /// What is wrong with it.
        what: String,
    },
    /// Firmware without a table that is needed.
    NoTable {
        /// Its signature.
        signature: [u8; 4],
    },
    /// A topology file that is wrong in itself.
    #[cfg(feature = "load")]
    Topology(hv_glue_topology::FileError),
    /// A topology that gives a processor an id that the machine does not have.
    OtherApicId {
        /// The processor's number in the topology.
        vcpu: ProcessorUid,
        /// Its id there.
        topology: ApicId,
        /// The lowest id of the machine that the topology does not have, if any.
        machine: Option<ApicId>,
    },
    /// A topology without one of the machine's processors.
    MissingApicId {
        /// The processor's id.
        machine: ApicId,
    },
    /// A topology whose first processor is not the one that boots the machine.
    OtherBootProcessor {
        /// The id of its first processor.
        topology: ApicId,
        /// The id of the processor that boots.
        machine: ApicId,
    },
    /// An archive that is not a cpio archive in the "newc" format.
    Archive {
        /// Where in it.
        offset: usize,
        /// What is wrong.
        what: &'static str,
    },
}

impl From<WalkError> for Error {
    fn from(error: WalkError) -> Self {
        match error {
            WalkError::Unreadable { at, len } => Self::Unreadable { at, len },
            WalkError::Table { signature, error, .. } => {
                Self::Table { signature, what: error.to_string() }
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StartInfo(error) => write!(f, "start info: {error}"),
            Self::StartInfoPart { part, at, len } => {
                write!(f, "{part} at {:#x}: {len} bytes cannot be read", at.0)
            }
            Self::EndlessCommandLine { at, max } => {
                write!(f, "command line at {:#x}: no zero ends it within {max} bytes", at.0)
            }
            Self::Unreadable { at, len } => {
                write!(f, "firmware table at {:#x}: {len} bytes cannot be read", at.0)
            }
            Self::Table { signature, what } => {
                write!(f, "firmware's {}: {what}", signature.escape_ascii())
            }
            Self::NoTable { signature } => {
                write!(f, "firmware has no table {}", signature.escape_ascii())
            }
            #[cfg(feature = "load")]
            Self::Topology(error) => write!(f, "topology.toml, {error}"),
            Self::OtherApicId { vcpu, topology, machine: Some(machine) } => write!(
                f,
                "CPU {} has APIC id {} in topology.toml, but the machine has no CPU with that id; it has one with id {}, which the topology lacks",
                vcpu.0, topology.0, machine.0
            ),
            Self::OtherApicId { vcpu, topology, machine: None } => write!(
                f,
                "CPU {} has APIC id {} in topology.toml, but the machine has no CPU with that id and no further one",
                vcpu.0, topology.0
            ),
            Self::MissingApicId { machine } => write!(
                f,
                "the machine has a CPU with APIC id {}, which topology.toml lacks",
                machine.0
            ),
            Self::OtherBootProcessor { topology, machine } => write!(
                f,
                "CPU 0 has APIC id {} in topology.toml, but the machine boots on the CPU with id {}",
                topology.0, machine.0
            ),
            Self::Archive { offset, what } => {
                write!(f, "archive, offset {offset:#x}: {what}")
            }
        }
    }
}

impl core::error::Error for Error {}
