//! `hvm_start_info` version 1 with its module list and memory map.
//! Xen public/arch-x86/hvm/start_info.h.

use acpi_gen::layout;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::Error;
use crate::bytes::expect;

/// XEN_HVM_START_MAGIC_VALUE: "xEn3" with the 0x80 bit of the "E" set.
pub(crate) const START_MAGIC: u32 = 0x336e_c578;

/// `struct hvm_start_info`. Addresses are physical; an address of 0 means "none".
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct StartInfo {
    /// 0x336ec578.
    pub magic: U32,
    /// The structure's version: 1 and later have a memory map.
    pub version: U32,
    /// `SIF_*` flags.
    pub flags: U32,
    /// Entries of the module list.
    pub nr_modules: U32,
    /// Address of the module list, an array of [`ModuleEntry`].
    pub modlist_paddr: U64,
    /// Address of the command line, which ends with a zero.
    pub cmdline_paddr: U64,
    /// Address of the RSDP.
    pub rsdp_paddr: U64,
    /// Address of the memory map, an array of [`MapEntry`].
    pub memmap_paddr: U64,
    /// Entries of the memory map.
    pub memmap_entries: U32,
    /// Zero.
    pub reserved: U32,
}

layout!(StartInfo: 56 {
    magic @ 0, version @ 4, flags @ 8, nr_modules @ 12, modlist_paddr @ 16, cmdline_paddr @ 24,
    rsdp_paddr @ 32, memmap_paddr @ 40, memmap_entries @ 48, reserved @ 52,
});

impl StartInfo {
    /// The structure at the start of `bytes`, where it is one of version 1 or
    /// later, which only append fields.
    ///
    /// # Errors
    /// [`Error::Field`] for another magic number or version 0, and
    /// [`Error::Truncated`] where `bytes` is too short.
    pub fn parse(bytes: &[u8]) -> Result<&Self, Error> {
        let info: &Self = crate::bytes::head(bytes, crate::Part::StartInfo)?;
        let (magic, version) = (info.magic.get(), info.version.get());
        expect(magic == START_MAGIC, "hvm_start_info magic", magic.into(), "0x336ec578")?;
        expect(version >= 1, "hvm_start_info version", version.into(), "1 or more")?;
        Ok(info)
    }
}

/// `struct hvm_modlist_entry`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct ModuleEntry {
    /// Address of the module.
    pub paddr: U64,
    /// Its size in bytes.
    pub size: U64,
    /// Address of its command line, which ends with a zero, or 0.
    pub cmdline_paddr: U64,
    /// Zero.
    pub reserved: U64,
}

layout!(ModuleEntry: 32 { paddr @ 0, size @ 8, cmdline_paddr @ 16, reserved @ 24 });

/// `struct hvm_memmap_table_entry`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct MapEntry {
    /// Where the region starts.
    pub addr: U64,
    /// Its size in bytes.
    pub size: U64,
    /// Its [`E820Type`](crate::E820Type).
    pub kind: U32,
    /// Zero.
    pub reserved: U32,
}

layout!(MapEntry: 24 { addr @ 0, size @ 8, kind @ 16, reserved @ 20 });
