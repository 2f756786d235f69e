//! FACS, whose hardware signature changes with the topology. ACPI 6.5, 5.2.10.

use crc_any::CRCu32;
use zerocopy::{
    FromBytes, IntoBytes,
    little_endian::{U32, U64},
};

use crate::{
    Error, Show, Value,
    acpi_table::{AcpiTable, Contents},
    wire::wire,
};

/// Signature of the FACS.
pub(crate) const SIGNATURE: [u8; 4] = *b"FACS";
/// Bytes of a FACS.
pub(crate) const LEN: usize = size_of::<RawFacs>();
/// The FACS stands on a multiple of this. ACPI 6.5, 5.2.10.
const ALIGN: usize = 64;
const VERSION: u8 = 2;

wire! { RawFacs: 64 {
    signature: [u8; 4] = 0,
    length: U32 = 4,
    hardware_signature: U32 = 8,
    waking_vector: U32 = 12,
    global_lock: U32 = 16,
    flags: U32 = 20,
    x_waking_vector: U64 = 24,
    version: u8 = 32,
    reserved33: [u8; 3] = 33,
    ospm_flags: U32 = 36,
    reserved40: [u8; 24] = 40,
} }

/// CRC-32 (ISO-HDLC) over tables one after the other. Over those that hold no
/// address (MADT, SRAT, SLIT, HMAT, PPTT and DSDT, those present, in this order)
/// it is the same wherever the set lies, and another for any change of ids,
/// domains, memory or distances.
#[must_use]
fn hardware_signature<'a>(tables: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    let mut crc = CRCu32::crc32();
    for table in tables {
        crc.digest(table);
    }
    crc.get_crc()
}

/// Writes a FACS to the start of `buffer` and returns its length.
///
/// # Errors
/// [`Error::BufferTooSmall`], with the buffer untouched.
fn emit(hardware_signature: u32, buffer: &mut [u8]) -> Result<usize, Error> {
    let facs = RawFacs {
        signature: SIGNATURE,
        length: U32::new(64),
        hardware_signature: U32::new(hardware_signature),
        waking_vector: U32::ZERO,
        global_lock: U32::ZERO,
        flags: U32::ZERO,
        x_waking_vector: U64::ZERO,
        version: VERSION,
        reserved33: [0; 3],
        ospm_flags: U32::ZERO,
        reserved40: [0; 24],
    };
    facs.write_to_prefix(buffer)
        .map_err(|_| Error::BufferTooSmall { needed: LEN, have: buffer.len() })?;
    Ok(LEN)
}

/// A parsed FACS. It has no checksum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facs<'a> {
    raw: &'a RawFacs,
}

impl<'a> Facs<'a> {
    /// Reads a FACS of any version.
    ///
    /// # Errors
    /// [`Error::TableTruncated`], [`Error::WrongSignature`], and
    /// [`Error::TableLength`] for a length field below 64.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let Ok((raw, _)) = RawFacs::ref_from_prefix(bytes) else {
            let have = bytes.len();
            return Err(Error::TableTruncated { signature: SIGNATURE, needed: LEN, have });
        };
        if raw.signature != SIGNATURE {
            return Err(Error::WrongSignature { expected: SIGNATURE, found: raw.signature });
        }
        let len = raw.length.get();
        if usize::try_from(len).is_ok_and(|len| len < LEN) {
            return Err(Error::TableLength { signature: SIGNATURE, len, min: LEN });
        }
        Ok(Self { raw })
    }

    /// The hardware signature: another one means another machine.
    const fn hardware_signature(&self) -> u32 {
        self.raw.hardware_signature.get()
    }

    /// The length field, at least 64.
    pub(crate) fn length(&self) -> usize {
        usize::try_from(self.raw.length.get()).unwrap_or(usize::MAX)
    }

    /// Version of the structure, 2 since ACPI 4.0.
    const fn version(&self) -> u8 {
        self.raw.version
    }
}

impl AcpiTable for Facs<'_> {
    const SIGNATURE: [u8; 4] = SIGNATURE;
    const ALIGN: usize = ALIGN;
    const HAS_HEADER: bool = false;
    const IS_LISTED: bool = false;

    fn is_in(contents: &Contents<'_>) -> bool {
        contents.version.is_some()
    }

    fn len(_: &Contents<'_>) -> Result<usize, Error> {
        Ok(LEN)
    }

    fn emit(contents: &Contents<'_>, before: &[u8], buffer: &mut [u8]) -> Result<usize, Error> {
        let signed = contents.placed.iter().filter(|table| table.is_signed);
        let bytes = signed
            .filter_map(|table| before.get(table.offset..table.offset.saturating_add(table.len)));
        emit(hardware_signature(bytes), buffer)
    }

    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error> {
        let facs = Facs::parse(bytes)?;
        to.field("version", Value::Decimal(facs.version().into()));
        to.field("hardware_signature", Value::Hex(facs.hardware_signature().into()));
        Ok(())
    }
}
