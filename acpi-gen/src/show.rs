//! What a decoder receives of a table.

use crate::Error;

/// A value in the form in which it is best read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A number in decimal.
    Decimal(u64),
    /// A number in hexadecimal: an address or flags.
    Hex(u64),
    /// A number, where the table has the field and it is not 0.
    Address(Option<u64>),
    /// Yes, no, or a table that is too short to say.
    Flag(Option<bool>),
    /// Major and minor version.
    Version(u8, u8),
    /// Text, padded with spaces or NUL.
    Text(&'a [u8]),
    /// Bytes of unknown meaning.
    Bytes(&'a [u8]),
    /// A row of a matrix.
    Row(&'a [u8]),
    /// Little-endian numbers of this many bytes each.
    Numbers(&'a [u8], usize),
    /// The same in rows of this many numbers: bytes, bytes of a number, numbers of a row.
    Matrix(&'a [u8], usize, usize),
}

/// Receives the content of a table in its order. Fields that follow an entry belong to it.
pub trait Show {
    /// A field.
    fn field(&mut self, name: &'static str, value: Value<'_>);
    /// The start of a list, which may stay empty.
    fn list(&mut self, name: &'static str);
    /// A value of the list.
    fn item(&mut self, value: Value<'_>);
    /// An entry of the list: its offset in the table, its type and the type's name.
    fn entry(&mut self, offset: usize, kind: u8, name: &'static str);
    /// A part of the table that cannot be parsed.
    fn error(&mut self, error: Error);
}
