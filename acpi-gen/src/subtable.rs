//! The entries of tables: type, length, content.

use crate::{Error, Show, Table, Value};

/// Type and length at the start of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// A byte each: MADT, SRAT, PPTT.
    Bytes,
    /// A byte, one that is reserved, and 16 bits of length: CEDT.
    ByteAndWord,
    /// 16 bits, as many that are reserved, and 32 bits of length: HMAT. A type above 255
    /// counts as 255, which is none.
    Words,
}

impl Head {
    /// Bytes that it takes.
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::Bytes => 2,
            Self::ByteAndWord => 4,
            Self::Words => 8,
        }
    }

    /// Type and length.
    fn read(self, bytes: &[u8]) -> Option<(u8, usize)> {
        match self {
            Self::Bytes => match *bytes {
                [kind, len, ..] => Some((kind, usize::from(len))),
                _ => None,
            },
            Self::ByteAndWord => match *bytes {
                [kind, _, a, b, ..] => Some((kind, usize::from(u16::from_le_bytes([a, b])))),
                _ => None,
            },
            Self::Words => match *bytes {
                [a, b, _, _, c, d, e, f, ..] => {
                    let kind = u8::try_from(u16::from_le_bytes([a, b])).unwrap_or(u8::MAX);
                    let len = usize::try_from(u32::from_le_bytes([c, d, e, f]));
                    Some((kind, len.unwrap_or(usize::MAX)))
                }
                _ => None,
            },
        }
    }
}

/// One entry as bytes, its head included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubTable<'a> {
    /// Offset of the entry from the start of its table, in bytes.
    pub offset: usize,
    /// Type, in all tables but the HMAT the entry's first byte.
    pub kind: u8,
    /// All bytes, at least the head.
    pub bytes: &'a [u8],
}

impl SubTable<'_> {
    /// Hands an entry of unknown type to a decoder.
    pub(crate) fn show_unknown(&self, to: &mut impl Show) {
        to.entry(self.offset, self.kind, "unknown type");
        to.field("bytes", Value::Bytes(self.bytes));
    }
}

/// The entries of a table in order. A length below that of the head or past the table's end is
/// an error, and after an error there is nothing: no input makes it stand still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SubTables<'a> {
    signature: [u8; 4],
    head: Head,
    offset: usize,
    rest: &'a [u8],
}

impl<'a> SubTables<'a> {
    /// The entries that start at `offset` of the table.
    pub(crate) fn new(table: &Table<'a>, offset: usize) -> Self {
        Self::with_head(table, offset, Head::Bytes)
    }

    /// The same for entries with another head.
    pub(crate) fn with_head(table: &Table<'a>, offset: usize, head: Head) -> Self {
        Self { signature: table.signature(), head, offset, rest: table.from(offset) }
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
        let &first = rest.first()?;
        let (kind, len) = self.head.read(rest).unwrap_or((first, rest.len()));
        let needed = self.head.len();
        if len < needed {
            return Some(Err(Error::EntryLength { signature, offset, kind, len, needed }));
        }
        let Some((bytes, rest)) = rest.split_at_checked(len) else {
            let have = rest.len();
            return Some(Err(Error::EntryPastEnd { signature, offset, kind, len, have }));
        };
        self.rest = rest;
        self.offset = offset.saturating_add(bytes.len());
        Some(Ok(SubTable { offset, kind, bytes }))
    }
}

impl core::iter::FusedIterator for SubTables<'_> {}
