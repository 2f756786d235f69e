//! RSDP: where the XSDT is. ACPI 6.5, 5.2.5.3.

use zerocopy::{
    FromBytes, IntoBytes,
    little_endian::{U32, U64},
};

use crate::{
    Error, Gpa, Oem, Show, Value,
    acpi_table::{AcpiTable, Contents},
    wire::{byte_sum, wire},
    xsdt,
};

/// Bytes of an RSDP of revision 2.
pub(crate) const LEN: usize = size_of::<RawRsdp>();
/// Bytes of an RSDP of revision 0 (ACPI 1.0), and what the first checksum covers.
pub(crate) const LEN_V1: usize = size_of::<RawRsdpV1>();
/// What an RSDP starts with.
pub(crate) const SIGNATURE_IN_MEMORY: [u8; 8] = *b"RSD PTR ";
/// The scan for an RSDP is in steps of 16 bytes. ACPI 6.5, 5.2.5.1.
pub(crate) const ALIGN: usize = 16;

wire! { RawRsdpV1: 20 {
    signature: [u8; 8] = 0,
    checksum: u8 = 8,
    oem_id: [u8; 6] = 9,
    revision: u8 = 15,
    rsdt: U32 = 16,
} }
wire! { RawRsdp: 36 {
    v1: RawRsdpV1 = 0,
    length: U32 = 20,
    xsdt: U64 = 24,
    extended_checksum: u8 = 32,
    reserved: [u8; 3] = 33,
} }

/// Writes the RSDP to the start of `buffer` and returns its length.
///
/// # Errors
/// [`Error::BufferTooSmall`], with the buffer untouched.
fn emit(oem: &Oem, xsdt: Gpa, buffer: &mut [u8]) -> Result<usize, Error> {
    let mut rsdp = RawRsdp {
        v1: RawRsdpV1 {
            signature: SIGNATURE_IN_MEMORY,
            checksum: 0,
            oem_id: oem.id,
            revision: 2,
            rsdt: U32::ZERO,
        },
        length: U32::new(36),
        xsdt: U64::new(xsdt.0),
        extended_checksum: 0,
        reserved: [0; 3],
    };
    // The first sum covers 20 bytes, its own included; the second covers all 36.
    rsdp.v1.checksum = byte_sum(rsdp.v1.as_bytes()).wrapping_neg();
    rsdp.extended_checksum = byte_sum(rsdp.as_bytes()).wrapping_neg();
    rsdp.write_to_prefix(buffer)
        .map_err(|_| Error::BufferTooSmall { needed: LEN, have: buffer.len() })?;
    Ok(LEN)
}

/// A parsed RSDP.
#[derive(Clone, Copy, Debug)]
pub struct Rsdp<'a> {
    v1: &'a RawRsdpV1,
    v2: Option<&'a RawRsdp>,
    bytes: &'a [u8],
}

impl<'a> Rsdp<'a> {
    /// Reads an RSDP of any revision. Checksums are not judged here, see
    /// [`Rsdp::sums`].
    ///
    /// # Errors
    /// [`Error::NotAnRsdp`], [`Error::TableTruncated`], and
    /// [`Error::TableLength`] for a length field below 36 from revision 2 on.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let signature = Self::SIGNATURE;
        let truncated = |needed| Error::TableTruncated { signature, needed, have: bytes.len() };
        if !bytes.starts_with(&SIGNATURE_IN_MEMORY) {
            return Err(Error::NotAnRsdp);
        }
        let (v1, _) = RawRsdpV1::ref_from_prefix(bytes).map_err(|_| truncated(LEN_V1))?;
        if v1.revision < 2 {
            return Ok(Self { v1, v2: None, bytes: bytes.get(..LEN_V1).unwrap_or_default() });
        }
        let (v2, _) = RawRsdp::ref_from_prefix(bytes).map_err(|_| truncated(LEN))?;
        let len = v2.length.get();
        let needed = usize::try_from(len).unwrap_or(usize::MAX);
        if needed < LEN {
            return Err(Error::TableLength { signature, len, min: LEN });
        }
        let bytes = bytes.get(..needed).ok_or_else(|| truncated(needed))?;
        Ok(Self { v1, v2: Some(v2), bytes })
    }

    /// 0 for ACPI 1.0, 2 since.
    #[must_use]
    pub const fn revision(&self) -> u8 {
        self.v1.revision
    }

    /// OEMID.
    #[must_use]
    pub const fn oem_id(&self) -> [u8; 6] {
        self.v1.oem_id
    }

    /// The RSDT's address, 0 where there is none.
    const fn rsdt(&self) -> u32 {
        self.v1.rsdt.get()
    }

    /// The XSDT's address, from revision 2 on.
    fn xsdt(&self) -> Option<Gpa> {
        self.v2.map(|v2| Gpa(v2.xsdt.get()))
    }

    /// Address and signature of the table with the list of tables: the XSDT, or the RSDT
    /// of firmware that has no XSDT.
    #[must_use]
    pub fn root(&self) -> (Gpa, [u8; 4]) {
        match self.xsdt() {
            Some(xsdt) if xsdt.0 != 0 => (xsdt, xsdt::SIGNATURE),
            _ => (Gpa(self.rsdt().into()), xsdt::RSDT),
        }
    }

    /// The sum of the first 20 bytes and, from revision 2 on, of all; both 0
    /// where the checksums are right.
    #[must_use]
    pub fn sums(&self) -> (u8, Option<u8>) {
        (byte_sum(self.v1.as_bytes()), self.v2.map(|_| byte_sum(self.bytes)))
    }

    /// The bytes: 20, or as many as the length field says.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl AcpiTable for Rsdp<'_> {
    const SIGNATURE: [u8; 4] = *b"RSDP";
    const ALIGN: usize = ALIGN;
    const HAS_HEADER: bool = false;
    const IS_LISTED: bool = false;

    fn is_in(_: &Contents<'_>) -> bool {
        true
    }

    fn len(_: &Contents<'_>) -> Result<usize, Error> {
        Ok(LEN)
    }

    fn emit(contents: &Contents<'_>, _: &[u8], buffer: &mut [u8]) -> Result<usize, Error> {
        emit(&contents.topology.description().oem, contents.address(xsdt::SIGNATURE), buffer)
    }

    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error> {
        let rsdp = Rsdp::parse(bytes)?;
        to.field("revision", Value::Decimal(rsdp.revision().into()));
        to.field("oem_id", Value::Text(&rsdp.oem_id()));
        to.field("rsdt", Value::Hex(rsdp.rsdt().into()));
        to.field("xsdt", Value::Address(rsdp.xsdt().map(|xsdt| xsdt.0)));
        Ok(())
    }
}
