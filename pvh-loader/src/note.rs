//! ELF notes: name, kind and contents, 4- or 8-byte aligned.
//! System V ABI (gABI) chapter 5, "Note Section"; Xen public/elfnote.h.

use acpi_gen::layout;
use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::bytes::{align_up, len64};
use crate::elf::ProgramHeader;
use crate::{Error, Part};

#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct NoteHeader {
    namesz: U32,
    descsz: U32,
    kind: U32,
}

layout!(NoteHeader: 12 { namesz @ 0, descsz @ 4, kind @ 8 });

/// One note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Note<'a> {
    /// The owner, with its terminating zero.
    pub(crate) name: &'a [u8],
    pub(crate) kind: u32,
    pub(crate) desc: &'a [u8],
}

/// The notes of one PT_NOTE segment. Each step goes on by at least a header's
/// length, and after an error there is nothing more.
#[derive(Clone, Debug)]
pub(crate) struct Notes<'a> {
    rest: &'a [u8],
    /// 4 or 8.
    align: u64,
    /// The segment's place in the table of program headers, and where `rest`
    /// starts in the file: for errors.
    header: u16,
    offset: u64,
}

impl<'a> Notes<'a> {
    /// The notes in `bytes`, the contents of the segment that `header` describes.
    pub(crate) fn new(bytes: &'a [u8], header: &ProgramHeader) -> Result<Self, Error> {
        let align = match header.align {
            // 0 and 1 say "none", 2 is below the words that notes are made of.
            0..=4 => 4,
            8 => 8,
            value => {
                return Err(Error::Field {
                    field: "p_align of a PT_NOTE segment",
                    value,
                    expected: "at most 4, or 8",
                });
            }
        };
        Ok(Self { rest: bytes, align, header: header.index, offset: header.offset })
    }

    fn read(&mut self) -> Result<Note<'a>, Error> {
        let have = len64(self.rest.len());
        let short = |len| Error::Truncated {
            part: Part::Note { header: self.header },
            offset: self.offset,
            len,
            have,
        };
        let header_len = len64(size_of::<NoteHeader>());
        let (header, _) = NoteHeader::ref_from_prefix(self.rest).map_err(|_| short(header_len))?;

        // Both sizes are below 2^32, so none of these sums comes near 2^64.
        let name_end = header_len.saturating_add(header.namesz.get().into());
        let desc = align_up(name_end, self.align).unwrap_or(u64::MAX);
        let desc_end = desc.saturating_add(header.descsz.get().into());
        // The last note's padding may be left out.
        let next = align_up(desc_end, self.align).unwrap_or(u64::MAX).min(have);
        let part = |start, end| {
            let range = usize::try_from(start).ok()?..usize::try_from(end).ok()?;
            self.rest.get(range)
        };
        let note = Note {
            name: part(header_len, name_end).ok_or_else(|| short(name_end))?,
            kind: header.kind.get(),
            desc: part(desc, desc_end).ok_or_else(|| short(desc_end))?,
        };
        self.rest = part(next, have).unwrap_or_default();
        self.offset = self.offset.saturating_add(next);
        Ok(note)
    }
}

impl<'a> Iterator for Notes<'a> {
    type Item = Result<Note<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let note = self.read();
        if note.is_err() {
            self.rest = &[];
        }
        Some(note)
    }
}

impl core::iter::FusedIterator for Notes<'_> {}
