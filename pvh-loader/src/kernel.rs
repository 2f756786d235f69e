//! A PVH kernel: an ELF file whose notes name a 32-bit entry point.
//! Xen public/elfnote.h, XEN_ELFNOTE_PHYS32_ENTRY and XEN_ELFNOTE_PHYS32_RELOC.

use acpi_gen::{Gpa, GpaRange};
use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, IntoBytes};

use crate::bytes::{expect, len64, slice};
use crate::elf::{self, ProgramHeader, ProgramHeaders};
use crate::note::Notes;
use crate::{Error, FOUR_GIB, Part};

/// The owner of Xen's notes.
const OWNER: &[u8] = b"Xen\0";
/// XEN_ELFNOTE_PHYS32_ENTRY: the physical address of the 32-bit entry point.
const PHYS32_ENTRY: u32 = 18;
/// XEN_ELFNOTE_PHYS32_RELOC: the kernel may be moved; up to three words say how.
const PHYS32_RELOC: u32 = 19;
/// The alignment of a kernel that may be moved and names none: 2 MiB.
const DEFAULT_ALIGN: u64 = 0x20_0000;
/// A segment's alignment counts only from a page upwards.
const PAGE: u64 = 0x1000;

/// Where a kernel that relocates itself may lie (PHYS32_RELOC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// Alignment of the image's start in bytes, a power of two.
    pub align: u64,
    /// Lowest address for the image's start.
    pub min: Gpa,
    /// Highest address for the image's last byte.
    pub max: Gpa,
}

/// One loadable segment at the address that the file gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Its program header, counted from 0.
    pub header: u16,
    /// Where it goes, `p_paddr` and `p_memsz`.
    pub range: GpaRange,
    /// What the file holds of it; the rest of the range is zero.
    pub bytes: &'a [u8],
}

/// A kernel image whose every offset and size has been checked.
#[derive(Clone, Copy)]
pub struct Kernel<'a> {
    file: &'a [u8],
    headers: ProgramHeaders<'a>,
    span: GpaRange,
    entry: Gpa,
    relocation: Option<Relocation>,
}

impl core::fmt::Debug for Kernel<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Kernel")
            .field("span", &self.span)
            .field("entry", &self.entry)
            .field("relocation", &self.relocation)
            .finish_non_exhaustive()
    }
}

impl<'a> Kernel<'a> {
    /// Checks an ELF64 or ELF32 image and finds its segments and its entry.
    ///
    /// # Errors
    /// The field of the image that is wrong, with its value.
    pub fn parse(file: &'a [u8]) -> Result<Self, Error> {
        let headers = ProgramHeaders::parse(file)?;
        let span = check_segments(file, headers)?;
        let notes = XenNotes::read(file, headers)?;
        let entry = notes.entry.ok_or(Error::NoEntryNote)?;
        let kernel = Self { file, headers, span, entry, relocation: notes.relocation };
        let inside = |segment: Segment<'_>| {
            GpaRange::with_size(segment.range.start(), len64(segment.bytes.len()))
                .is_ok_and(|file_part| file_part.contains(entry))
        };
        if kernel.segments().any(inside) { Ok(kernel) } else { Err(Error::EntryOutside { entry }) }
    }

    /// The entry point, for a kernel at the address that the file gives.
    #[must_use]
    pub const fn entry(&self) -> Gpa {
        self.entry
    }

    /// From the start of the lowest segment to the end of the highest, below 4 GiB.
    #[must_use]
    pub const fn span(&self) -> GpaRange {
        self.span
    }

    /// How the kernel may be moved, or `None` for one that stays where it is linked.
    #[must_use]
    pub const fn relocation(&self) -> Option<Relocation> {
        self.relocation
    }

    /// The loadable segments in the order of the program headers.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'a>> + use<'a> {
        // `parse` has checked them all, so none is left out here.
        let file = self.file;
        loadable(self.headers).filter_map(move |header| segment(file, &header).ok())
    }
}

/// The headers of segments that take up memory.
fn loadable<'a>(headers: ProgramHeaders<'a>) -> impl Iterator<Item = ProgramHeader> + use<'a> {
    headers.iter().filter(|it| it.p_type == elf::LOAD && (it.memsz > 0 || it.filesz > 0))
}

fn segment<'a>(file: &'a [u8], header: &ProgramHeader) -> Result<Segment<'a>, Error> {
    let &ProgramHeader { index, offset, paddr, filesz, memsz, .. } = header;
    let bytes = slice(file, offset, filesz, Part::Segment { header: index })?;
    if filesz > memsz {
        return Err(Error::SegmentFileLarger { header: index, file_size: filesz, mem_size: memsz });
    }
    match GpaRange::with_size(Gpa(paddr), memsz) {
        Ok(range) if range.end() <= FOUR_GIB => Ok(Segment { header: index, range, bytes }),
        _ => Err(Error::SegmentPast4GiB { header: index, address: Gpa(paddr), size: memsz }),
    }
}

/// Checks all segments and returns what they span.
fn check_segments(file: &[u8], headers: ProgramHeaders<'_>) -> Result<GpaRange, Error> {
    let mut span: Option<GpaRange> = None;
    for header in loadable(headers) {
        let Segment { range, .. } = segment(file, &header)?;
        let before = loadable(headers).take_while(|it| it.index < header.index);
        for other in before {
            let first = segment(file, &other)?.range;
            if range.overlaps(first) {
                return Err(Error::SegmentsOverlap {
                    headers: (other.index, header.index),
                    first,
                    second: range,
                });
            }
        }
        let so_far = span.unwrap_or(range);
        span = GpaRange::new(so_far.start().min(range.start()), so_far.end().max(range.end())).ok();
    }
    span.ok_or(Error::NoSegments)
}

#[derive(Default)]
struct XenNotes {
    entry: Option<Gpa>,
    relocation: Option<Relocation>,
}

impl XenNotes {
    fn read(file: &[u8], headers: ProgramHeaders<'_>) -> Result<Self, Error> {
        let mut found = Self::default();
        for header in headers.iter().filter(|it| it.p_type == elf::NOTE) {
            let part = Part::NoteSegment { header: header.index };
            let bytes = slice(file, header.offset, header.filesz, part)?;
            for note in Notes::new(bytes, &header)? {
                let note = note?;
                if note.name != OWNER {
                    continue;
                }
                match note.kind {
                    PHYS32_ENTRY => found.entry(note.desc)?,
                    PHYS32_RELOC => {
                        let relocation = relocation(note.desc, headers)?;
                        found.relocation = Some(relocation);
                    }
                    _ => {}
                }
            }
        }
        Ok(found)
    }

    fn entry(&mut self, desc: &[u8]) -> Result<(), Error> {
        // A 32-bit kernel writes one word, a 64-bit one two.
        let mut value = 0_u64;
        let size = desc.len();
        let right = size == 4 || size == 8;
        expect(right, "size of note PHYS32_ENTRY", len64(size), "4 or 8")?;
        for (to, from) in value.as_mut_bytes().iter_mut().zip(desc) {
            *to = *from;
        }
        let entry = Gpa(u64::from_le(value));
        if entry >= FOUR_GIB {
            return Err(Error::EntryOutside { entry });
        }
        match self.entry.replace(entry) {
            Some(first) if first != entry => Err(Error::TwoEntries { first, second: entry }),
            _ => Ok(()),
        }
    }
}

fn relocation(desc: &[u8], headers: ProgramHeaders<'_>) -> Result<Relocation, Error> {
    let words = <[U32]>::ref_from_bytes(desc).ok().filter(|words| words.len() <= 3);
    let Some(words) = words else {
        return Err(Error::Field {
            field: "size of note PHYS32_RELOC",
            value: len64(desc.len()),
            expected: "0, 4, 8 or 12",
        });
    };
    let word = |index: usize| words.get(index).map(|word| u64::from(word.get()));
    let of_segments = loadable(headers).map(|it| it.align).max().filter(|&align| align >= PAGE);
    let align = word(0).or(of_segments).unwrap_or(DEFAULT_ALIGN);
    expect(align.is_power_of_two(), "alignment for relocation", align, "a power of two")?;
    Ok(Relocation {
        align,
        min: Gpa(word(1).unwrap_or(0)),
        max: Gpa(word(2).unwrap_or(u32::MAX.into())),
    })
}
