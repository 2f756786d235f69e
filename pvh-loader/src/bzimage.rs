//! Linux's bzImage: where its payload lies and how that is compressed. The
//! payload is unpacked elsewhere, as that takes a heap.
//! Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".

use acpi_gen::layout;
use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::bytes::{expect, head, slice};
use crate::{Error, Part};

/// `boot_flag`.
const BOOT_FLAG: u16 = 0xAA55;
/// `header`: "HdrS".
const HEADER: [u8; 4] = *b"HdrS";
/// The first protocol version with a payload: 2.08, of Linux 2.6.26.
const PAYLOAD_VERSION: u16 = 0x0208;
/// A `setup_sects` of 0 means 4.
const DEFAULT_SECTORS: u8 = 4;
const SECTOR: u64 = 512;

/// The first sectors up to the fields that are read here.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct SetupHeader {
    boot_sector: [u8; 0x1F1],
    setup_sects: u8,
    before_flag: [u8; 12],
    boot_flag: U16,
    jump: U16,
    header: [u8; 4],
    version: U16,
    before_payload: [u8; 64],
    payload_offset: U32,
    payload_length: U32,
}

layout!(SetupHeader: 0x250 {
    boot_sector @ 0, setup_sects @ 0x1F1, before_flag @ 0x1F2, boot_flag @ 0x1FE, jump @ 0x200,
    header @ 0x202, version @ 0x206, before_payload @ 0x208, payload_offset @ 0x248,
    payload_length @ 0x24C,
});

/// How a payload is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all: an ELF file.
    None,
    /// gzip, RFC 1952.
    Gzip,
    /// xz, with x86 branch filters.
    Xz,
    /// Zstandard, RFC 8878.
    Zstd,
    /// lz4's legacy frame.
    Lz4Legacy,
}

impl core::fmt::Display for Compression {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::None => "ELF",
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Lz4Legacy => "lz4",
        })
    }
}

/// A bzImage's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    /// How it is packed.
    pub compression: Compression,
    /// The packed bytes. Behind all formats but gzip stands what the kernel's build
    /// appends: the unpacked size in 4 bytes.
    pub bytes: &'a [u8],
}

impl<'a> Payload<'a> {
    /// Finds the payload of a bzImage.
    ///
    /// # Errors
    /// The field of the setup header that is wrong, a payload that passes the file's
    /// end, or [`Error::UnknownCompression`].
    pub fn find(file: &'a [u8]) -> Result<Self, Error> {
        let setup: &SetupHeader = head(file, Part::SetupHeader)?;
        let flag = setup.boot_flag.get();
        expect(flag == BOOT_FLAG, "boot_flag", flag.into(), "0xaa55")?;
        let header = u32::from_be_bytes(setup.header);
        expect(setup.header == HEADER, "header", header.into(), "0x48647253 (\"HdrS\")")?;
        let version = setup.version.get();
        expect(version >= PAYLOAD_VERSION, "version", version.into(), "0x0208 or more")?;

        let sectors = match setup.setup_sects {
            0 => DEFAULT_SECTORS,
            sectors => sectors,
        };
        // Behind the boot sector and the setup sectors; far from 2^64.
        let offset = u64::from(sectors)
            .saturating_add(1)
            .saturating_mul(SECTOR)
            .saturating_add(setup.payload_offset.get().into());
        let bytes = slice(file, offset, setup.payload_length.get().into(), Part::Payload)?;
        Ok(Self { compression: Compression::of(bytes)?, bytes })
    }

    /// Whether `file` is a bzImage by its magic numbers.
    #[must_use]
    pub fn is_bzimage(file: &[u8]) -> bool {
        SetupHeader::ref_from_prefix(file)
            .is_ok_and(|(it, _)| it.boot_flag.get() == BOOT_FLAG && it.header == HEADER)
    }
}

impl Compression {
    fn of(payload: &[u8]) -> Result<Self, Error> {
        match *payload {
            [0x7F, b'E', b'L', b'F', ..] => Ok(Self::None),
            [0x1F, 0x8B, 0x08, ..] => Ok(Self::Gzip),
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Ok(Self::Xz),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Ok(Self::Zstd),
            [0x02, 0x21, 0x4C, 0x18, ..] => Ok(Self::Lz4Legacy),
            _ => {
                let mut magic = [0; 6];
                for (to, from) in magic.iter_mut().zip(payload) {
                    *to = *from;
                }
                Err(Error::UnknownCompression { magic })
            }
        }
    }
}
