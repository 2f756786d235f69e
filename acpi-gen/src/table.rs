//! What all tables but RSDP and FACS share: the 36-byte header, ACPI 6.5, 5.2.6.

use zerocopy::{FromBytes, little_endian::U32};

use crate::{
    Error, Oem,
    wire::{Writer, byte_sum, wire},
};

/// Bytes of the common header.
pub(crate) const HEADER_LEN: usize = size_of::<RawHeader>();

wire! { RawHeader: 36 {
    signature: [u8; 4] = 0,
    length: U32 = 4,
    revision: u8 = 8,
    checksum: u8 = 9,
    oem_id: [u8; 6] = 10,
    oem_table_id: [u8; 8] = 16,
    oem_revision: U32 = 24,
    creator_id: [u8; 4] = 28,
    creator_revision: U32 = 32,
} }

/// Creator ID and revision: the tool that made the tables.
const CREATOR_ID: [u8; 4] = *b"ACGN";
const CREATOR_REVISION: u32 = 1;

/// What differs between the headers of a set.
#[derive(Clone, Copy)]
pub(crate) struct HeaderFields {
    pub(crate) signature: [u8; 4],
    pub(crate) revision: u8,
}

/// A table's length as its header can hold it: the fixed part plus
/// (count, size) pairs of entries.
pub(crate) fn table_len(
    signature: [u8; 4],
    fixed: usize,
    entries: &[(usize, usize)],
) -> Result<usize, Error> {
    let widen = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    let len = entries.iter().fold(widen(fixed), |len, (count, size)| {
        len.saturating_add(widen(*count).saturating_mul(widen(*size)))
    });
    match (u32::try_from(len), usize::try_from(len)) {
        (Ok(_), Ok(len)) => Ok(len),
        _ => Err(Error::TableTooLarge { signature, len }),
    }
}

/// Writes a table of exactly `len` bytes: header, what `body` writes, checksum.
/// Touches nothing where the buffer is too short.
pub(crate) fn emit(
    fields: HeaderFields,
    oem: &Oem,
    len: usize,
    buffer: &mut [u8],
    body: impl FnOnce(&mut Writer<'_>),
) -> Result<usize, Error> {
    let have = buffer.len();
    let table = buffer.get_mut(..len).ok_or(Error::BufferTooSmall { needed: len, have })?;
    let Ok(length) = u32::try_from(len) else {
        let len = u64::try_from(len).unwrap_or(u64::MAX);
        return Err(Error::TableTooLarge { signature: fields.signature, len });
    };
    let mut writer = Writer::new(table);
    writer.put(&RawHeader {
        signature: fields.signature,
        length: U32::new(length),
        revision: fields.revision,
        checksum: 0,
        oem_id: oem.id,
        oem_table_id: oem.table_id,
        oem_revision: U32::new(oem.revision),
        creator_id: CREATOR_ID,
        creator_revision: U32::new(CREATOR_REVISION),
    });
    body(&mut writer);
    debug_assert_eq!(writer.remaining(), 0, "len() and emit() of {:?} differ", fields.signature);
    let sum = byte_sum(table);
    if let Ok((header, _)) = RawHeader::mut_from_prefix(table) {
        header.checksum = sum.wrapping_neg();
    }
    Ok(len)
}

/// A table by its header, over bytes that hold at least its whole length. What
/// follows the header is read by [`Madt`](crate::Madt) and its like.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    header: &'a RawHeader,
    bytes: &'a [u8],
}

impl<'a> Table<'a> {
    /// Reads a header; bytes behind the table's length are left alone. The
    /// checksum is not judged here, see [`Table::sum`].
    ///
    /// # Errors
    /// [`Error::TableTruncated`] where the bytes end before the header or the
    /// table does, [`Error::TableLength`] for a length below 36.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let truncated =
            |signature, needed| Error::TableTruncated { signature, needed, have: bytes.len() };
        let Ok((header, _)) = RawHeader::ref_from_prefix(bytes) else {
            return Err(truncated(bytes.first_chunk().copied().unwrap_or_default(), HEADER_LEN));
        };
        let len = header.length.get();
        let needed = usize::try_from(len).unwrap_or(usize::MAX);
        if needed < HEADER_LEN {
            return Err(Error::TableLength { signature: header.signature, len, min: HEADER_LEN });
        }
        match bytes.get(..needed) {
            Some(bytes) => Ok(Self { header, bytes }),
            None => Err(truncated(header.signature, needed)),
        }
    }

    /// As [`Table::parse`], for a table that must have this signature and at
    /// least `min` bytes.
    pub(crate) fn parse_as(bytes: &'a [u8], signature: [u8; 4], min: usize) -> Result<Self, Error> {
        let table = Self::parse(bytes)?;
        let found = table.signature();
        if found != signature {
            return Err(Error::WrongSignature { expected: signature, found });
        }
        if table.bytes.len() < min {
            return Err(Error::TableLength { signature, len: table.header.length.get(), min });
        }
        Ok(table)
    }

    /// Four ASCII characters, "APIC" for the MADT.
    #[must_use]
    pub const fn signature(&self) -> [u8; 4] {
        self.header.signature
    }

    /// Revision of the table's own layout.
    #[must_use]
    pub const fn revision(&self) -> u8 {
        self.header.revision
    }

    /// OEMID, OEM Table ID and OEM Revision.
    #[must_use]
    pub const fn oem(&self) -> Oem {
        Oem {
            id: self.header.oem_id,
            table_id: self.header.oem_table_id,
            revision: self.header.oem_revision.get(),
        }
    }

    /// Whether this library made it, by the header's creator.
    pub(crate) fn is_ours(&self) -> bool {
        self.header.creator_id == CREATOR_ID
    }

    /// The bytes, exactly the table's length.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The sum of all bytes modulo 256; 0 where the checksum is right.
    #[must_use]
    pub fn sum(&self) -> u8 {
        byte_sum(self.bytes)
    }

    /// The bytes from `offset` on; empty where the table ends before.
    pub(crate) fn from(&self, offset: usize) -> &'a [u8] {
        self.bytes.get(offset..).unwrap_or_default()
    }
}
