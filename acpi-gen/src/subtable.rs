//! The entries of MADT and SRAT: a type byte, a length byte, content.

use crate::{Error, Show, Table};

/// One entry as bytes, its two-byte head included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubTable<'a> {
    /// Offset of the entry from the start of its table, in bytes.
    pub offset: usize,
    /// Type, the entry's first byte.
    pub kind: u8,
    /// All bytes, at least two.
    pub bytes: &'a [u8],
}

/// The entries of a table in order. A length below 2 or past the table's end is
/// an error, and after an error there is nothing: no input makes it stand still.
#[derive(Clone, Copy, Debug)]
pub struct SubTables<'a> {
    signature: [u8; 4],
    offset: usize,
    rest: &'a [u8],
}

impl<'a> SubTables<'a> {
    /// The entries that start at `offset` of the table.
    pub(crate) fn new(table: &Table<'a>, offset: usize) -> Self {
        Self { signature: table.signature(), offset, rest: table.from(offset) }
    }
}

impl<'a> SubTables<'a> {
    /// Hands all entries to a decoder.
    pub(crate) fn show<S: Show>(self, to: &mut S, show: impl Fn(SubTable<'a>, &mut S)) {
        to.list("entries");
        for entry in self {
            match entry {
                Ok(entry) => show(entry, to),
                Err(error) => to.error(error),
            }
        }
    }
}

impl<'a> Iterator for SubTables<'a> {
    type Item = Result<SubTable<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (signature, offset) = (self.signature, self.offset);
        let rest = core::mem::take(&mut self.rest);
        let (kind, len) = match *rest {
            [] => return None,
            [kind] => (kind, 1),
            [kind, len, ..] => (kind, len),
        };
        if len < 2 {
            return Some(Err(Error::EntryLength { signature, offset, kind, len, needed: 2 }));
        }
        let Some((bytes, rest)) = rest.split_at_checked(usize::from(len)) else {
            let have = rest.len();
            return Some(Err(Error::EntryPastEnd { signature, offset, kind, len, have }));
        };
        self.rest = rest;
        self.offset = offset.saturating_add(bytes.len());
        Some(Ok(SubTable { offset, kind, bytes }))
    }
}

impl core::iter::FusedIterator for SubTables<'_> {}
