//! Everything that can be wrong with an image, a memory map or a guest, as values.

use core::fmt;

use acpi_gen::{Gpa, GpaRange};

use crate::{Content, E820Entry, Item};

/// A part of a kernel file. Headers are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The 16 bytes that tell an ELF file's class.
    ElfIdent,
    /// The ELF header.
    ElfHeader,
    /// The table of program headers.
    ProgramHeaders,
    /// The contents of a loadable segment.
    Segment {
        /// Its program header.
        header: u16,
    },
    /// The contents of a PT_NOTE segment.
    NoteSegment {
        /// Its program header.
        header: u16,
    },
    /// A note; offset and length are those of the note, `have` is what is left of its segment.
    Note {
        /// The program header of its segment.
        header: u16,
    },
    /// `hvm_start_info`.
    StartInfo,
    /// A bzImage's setup header.
    SetupHeader,
    /// A bzImage's compressed payload.
    Payload,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ElfIdent => f.write_str("the ELF identification"),
            Self::ElfHeader => f.write_str("the ELF header"),
            Self::ProgramHeaders => f.write_str("the table of program headers"),
            Self::Segment { header } => write!(f, "the segment of program header {header}"),
            Self::NoteSegment { header } => {
                write!(f, "the note segment of program header {header}")
            }
            Self::Note { header } => write!(f, "a note of program header {header}"),
            Self::StartInfo => f.write_str("hvm_start_info"),
            Self::SetupHeader => f.write_str("the bzImage's setup header"),
            Self::Payload => f.write_str("the bzImage's payload"),
        }
    }
}

/// Why an image was refused or a guest not placed. Nothing was written to the
/// guest where one of these comes back, but for [`WriteFailed`](Self::WriteFailed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A part of the image that does not end within what holds it.
    Truncated {
        /// The part.
        part: Part,
        /// Where it starts in the file.
        offset: u64,
        /// The bytes it takes.
        len: u64,
        /// The bytes there are: of the file, or of what is left of the notes.
        have: u64,
    },
    /// A file that does not start as an ELF file does.
    NotElf {
        /// Its first four bytes.
        magic: [u8; 4],
    },
    /// A field with a value that is not among the right ones.
    Field {
        /// The field, by its name in the format.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What would be right.
        expected: &'static str,
    },
    /// No segment that takes up memory.
    NoSegments,
    /// A segment with more bytes in the file than in memory.
    SegmentFileLarger {
        /// Its program header.
        header: u16,
        /// `p_filesz`.
        file_size: u64,
        /// `p_memsz`.
        mem_size: u64,
    },
    /// A segment that does not end at or below 4 GiB, where a 32-bit entry can reach it.
    SegmentPast4GiB {
        /// Its program header.
        header: u16,
        /// `p_paddr`.
        address: Gpa,
        /// `p_memsz`.
        size: u64,
    },
    /// Two segments that share addresses.
    SegmentsOverlap {
        /// Their program headers.
        headers: (u16, u16),
        /// Where the first lies.
        first: GpaRange,
        /// Where the second lies.
        second: GpaRange,
    },
    /// No note `Xen` PHYS32_ENTRY: not a PVH kernel.
    NoEntryNote,
    /// Two notes PHYS32_ENTRY that differ.
    TwoEntries {
        /// The first address.
        first: Gpa,
        /// The second address.
        second: Gpa,
    },
    /// An entry point outside what the file holds of every segment.
    EntryOutside {
        /// The entry point.
        entry: Gpa,
    },
    /// A bzImage's payload in a format that is not known.
    UnknownCompression {
        /// Its first six bytes.
        magic: [u8; 6],
    },
    /// Two regions of the memory map, or one and itself past 2^64, that share addresses.
    RegionsOverlap {
        /// The lower region.
        first: E820Entry,
        /// The other one.
        second: E820Entry,
    },
    /// The memory that the caller provides for a list is too short.
    ListTooShort {
        /// What it lists: "memory map" or "modules".
        list: &'static str,
        /// Entries that it takes.
        needed: usize,
        /// Entries that the caller provides.
        have: usize,
    },
    /// More entries in the memory map than Linux takes.
    MapTooLong {
        /// The entries after merging and with the tables.
        entries: usize,
        /// The most that there may be.
        max: usize,
    },
    /// A kernel that may not be moved, at a place that is not free RAM.
    KernelNotFree {
        /// The kernel's place.
        kernel: GpaRange,
        /// What lies there, or `None` where it is not RAM.
        taken_by: Option<GpaRange>,
    },
    /// No free RAM that is large enough.
    NoRoom {
        /// What was to be placed.
        item: Item,
        /// Its size in bytes.
        size: u64,
        /// Its alignment in bytes.
        align: u64,
        /// The lowest address it may have.
        from: Gpa,
        /// The address at which it must have ended.
        limit: Gpa,
    },
    /// A module of no bytes.
    EmptyModule {
        /// Its index.
        index: usize,
    },
    /// A zero inside a command line, which ends at its first zero.
    ZeroInCommandLine {
        /// The module whose command line it is, or `None` for the kernel's.
        module: Option<usize>,
        /// Where the zero stands.
        offset: usize,
    },
    /// The tables could not be emitted.
    Tables(acpi_gen::Error),
    /// A range that the guest memory does not have.
    NotGuestMemory {
        /// The range.
        range: GpaRange,
    },
    /// The guest memory refused a write after it had said that it has the range. It
    /// holds a part of the guest and is of no use any more; the plan can be carried
    /// out again, in other memory.
    WriteFailed {
        /// What it would have written.
        content: Content,
        /// Where the write started.
        at: Gpa,
        /// The bytes it would have written.
        len: u64,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated { part, offset, len, have } => {
                write!(f, "{part}, at offset {offset:#x}, takes {len} bytes, but there are {have}")
            }
            Self::NotElf { magic } => {
                write!(f, "not an ELF file: it starts with \"{}\"", magic.escape_ascii())
            }
            Self::Field { field, value, expected } => {
                write!(f, "{field} is {value} ({value:#x}): {expected} would be right")
            }
            Self::NoSegments => f.write_str("no segment to load"),
            Self::SegmentFileLarger { header, file_size, mem_size } => write!(
                f,
                "program header {header} has {file_size} bytes in the file, but {mem_size} in memory"
            ),
            Self::SegmentPast4GiB { header, address, size } => write!(
                f,
                "program header {header} places {size:#x} bytes at {:#x}: the end must not be above 4 GiB",
                address.0
            ),
            Self::SegmentsOverlap { headers: (a, b), first, second } => {
                write!(f, "program headers {a} and {b} overlap: {} and {}", first, second)
            }
            Self::NoEntryNote => f.write_str(
                "no note \"Xen\" of kind 18 (PHYS32_ENTRY): the kernel is not built for PVH",
            ),
            Self::TwoEntries { first, second } => write!(
                f,
                "two notes PHYS32_ENTRY, with {:#x} and {:#x}: one is needed",
                first.0, second.0
            ),
            Self::EntryOutside { entry } => {
                write!(f, "entry point {:#x} lies in no segment's contents", entry.0)
            }
            Self::UnknownCompression { magic } => write!(
                f,
                "the payload starts with \"{}\": neither ELF nor gzip, xz, zstd or lz4",
                magic.escape_ascii()
            ),
            Self::RegionsOverlap { first, second } => {
                write!(f, "memory regions overlap: {first} and {second}")
            }
            Self::ListTooShort { list, needed, have } => {
                write!(f, "the {list} has room for {have} entries; expected at least {needed}")
            }
            Self::MapTooLong { entries, max } => {
                write!(f, "the memory map has {entries} entries, Linux takes {max}")
            }
            Self::KernelNotFree { kernel, taken_by: None } => {
                write!(f, "the kernel must lie at {}, which is not RAM", kernel)
            }
            Self::KernelNotFree { kernel, taken_by: Some(taken_by) } => {
                write!(f, "the kernel must lie at {}, but {} is taken", kernel, taken_by)
            }
            Self::NoRoom { item, size, align, from, limit } => write!(
                f,
                "no room for {item}: {size:#x} bytes, aligned to {align:#x}, between {:#x} and {:#x}",
                from.0, limit.0
            ),
            Self::EmptyModule { index } => write!(f, "module {index} is empty"),
            Self::ZeroInCommandLine { module: None, offset } => {
                write!(f, "the kernel's command line has a zero at offset {offset}")
            }
            Self::ZeroInCommandLine { module: Some(index), offset } => {
                write!(f, "the command line of module {index} has a zero at offset {offset}")
            }
            Self::Tables(error) => write!(f, "ACPI tables: {error}"),
            Self::NotGuestMemory { range } => {
                write!(f, "{} is not all guest memory", range)
            }
            Self::WriteFailed { content, at, len } => {
                write!(f, "the guest memory refused {content}: {len} bytes at {:#x}", at.0)
            }
        }
    }
}

impl core::error::Error for Error {}

impl From<acpi_gen::Error> for Error {
    fn from(error: acpi_gen::Error) -> Self {
        Self::Tables(error)
    }
}
