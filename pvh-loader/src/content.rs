//! What a guest consists of, as far as each has a write of its own.

use core::fmt;

use crate::Item;

/// What a write into the guest's memory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// The zeros that an item's pages are filled with before it is written there.
    Pages(Item),
    /// An ACPI table.
    Table {
        /// Its signature; "RSDP" for the RSDP.
        signature: [u8; 4],
    },
    /// A segment of the kernel: what the file holds of it, or the zeros behind that.
    Segment {
        /// Its program header, counted from 0.
        header: u16,
    },
    /// A module's contents.
    Module {
        /// Its index.
        index: usize,
    },
    /// A command line.
    CommandLine {
        /// The module whose command line it is, or `None` for the kernel's.
        module: Option<usize>,
    },
    /// A module's entry in the module list.
    ModuleEntry {
        /// The module's index.
        index: usize,
    },
    /// An entry of the memory map.
    MapEntry {
        /// Its index.
        index: usize,
    },
    /// `hvm_start_info` itself.
    StartInfo,
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Pages(item) => write!(f, "the zeros in the place of {item}"),
            Self::Table { signature } => write!(f, "the table {}", signature.escape_ascii()),
            Self::Segment { header } => {
                write!(f, "the kernel's segment of program header {header}")
            }
            Self::Module { index } => Item::Module { index }.fmt(f),
            Self::CommandLine { module: None } => f.write_str("the kernel's command line"),
            Self::CommandLine { module: Some(index) } => {
                write!(f, "the command line of module {index}")
            }
            Self::ModuleEntry { index } => write!(f, "the module list's entry {index}"),
            Self::MapEntry { index } => write!(f, "the memory map's entry {index}"),
            Self::StartInfo => f.write_str("hvm_start_info"),
        }
    }
}
