//! ELF file and program headers, both classes read into one form.
//! System V ABI (gABI) chapter 4 and 5; Xen reads its PVH kernels as such files.

use acpi_gen::layout;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::bytes::{expect, head, table};
use crate::{Error, Part};

/// `\x7fELF`, the first four bytes.
const MAGIC: [u8; 4] = *b"\x7fELF";
/// `e_ident[EI_CLASS]`.
const CLASS_32: u8 = 1;
const CLASS_64: u8 = 2;
/// `e_ident[EI_DATA]`: least significant byte first.
const DATA_LSB: u8 = 1;
/// `e_ident[EI_VERSION]`: the only version.
const VERSION: u8 = 1;
/// `e_type`.
const TYPE_EXEC: u16 = 2;
const TYPE_DYN: u16 = 3;
/// `e_machine`.
const MACHINE_386: u16 = 3;
const MACHINE_X86_64: u16 = 62;
/// `p_type`.
pub(crate) const LOAD: u32 = 1;
pub(crate) const NOTE: u32 = 4;

/// More program headers than this are refused: kernels have about five, and the
/// check for overlaps is quadratic.
pub(crate) const MAX_PROGRAM_HEADERS: u16 = 128;

#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Ident {
    magic: [u8; 4],
    class: u8,
    data: u8,
    version: u8,
    os_abi: u8,
    padding: [u8; 8],
}

layout!(Ident: 16 { magic @ 0, class @ 4, data @ 5, version @ 6, os_abi @ 7, padding @ 8 });

#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct FileHeader32 {
    ident: Ident,
    e_type: U16,
    machine: U16,
    version: U32,
    entry: U32,
    phoff: U32,
    shoff: U32,
    flags: U32,
    ehsize: U16,
    phentsize: U16,
    phnum: U16,
    shentsize: U16,
    shnum: U16,
    shstrndx: U16,
}

layout!(FileHeader32: 52 {
    ident @ 0, e_type @ 16, machine @ 18, version @ 20, entry @ 24, phoff @ 28, shoff @ 32,
    flags @ 36, ehsize @ 40, phentsize @ 42, phnum @ 44, shentsize @ 46, shnum @ 48, shstrndx @ 50,
});

#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct FileHeader64 {
    ident: Ident,
    e_type: U16,
    machine: U16,
    version: U32,
    entry: U64,
    phoff: U64,
    shoff: U64,
    flags: U32,
    ehsize: U16,
    phentsize: U16,
    phnum: U16,
    shentsize: U16,
    shnum: U16,
    shstrndx: U16,
}

layout!(FileHeader64: 64 {
    ident @ 0, e_type @ 16, machine @ 18, version @ 20, entry @ 24, phoff @ 32, shoff @ 40,
    flags @ 48, ehsize @ 52, phentsize @ 54, phnum @ 56, shentsize @ 58, shnum @ 60, shstrndx @ 62,
});

#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct ProgramHeader32 {
    p_type: U32,
    offset: U32,
    vaddr: U32,
    paddr: U32,
    filesz: U32,
    memsz: U32,
    flags: U32,
    align: U32,
}

layout!(ProgramHeader32: 32 {
    p_type @ 0, offset @ 4, vaddr @ 8, paddr @ 12, filesz @ 16, memsz @ 20, flags @ 24, align @ 28,
});

#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct ProgramHeader64 {
    p_type: U32,
    flags: U32,
    offset: U64,
    vaddr: U64,
    paddr: U64,
    filesz: U64,
    memsz: U64,
    align: U64,
}

layout!(ProgramHeader64: 56 {
    p_type @ 0, flags @ 4, offset @ 8, vaddr @ 16, paddr @ 24, filesz @ 32, memsz @ 40, align @ 48,
});

/// A program header of either class; sizes and addresses in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProgramHeader {
    /// Its place in the table, from 0.
    pub(crate) index: u16,
    pub(crate) p_type: u32,
    pub(crate) offset: u64,
    pub(crate) paddr: u64,
    pub(crate) filesz: u64,
    pub(crate) memsz: u64,
    pub(crate) align: u64,
}

/// The program headers of a file whose file header has been checked.
#[derive(Clone, Copy)]
pub(crate) enum ProgramHeaders<'a> {
    Class32(&'a [ProgramHeader32]),
    Class64(&'a [ProgramHeader64]),
}

impl<'a> ProgramHeaders<'a> {
    /// Checks the file header and finds the program headers.
    pub(crate) fn parse(file: &'a [u8]) -> Result<Self, Error> {
        let ident: &Ident = head(file, Part::ElfIdent)?;
        if ident.magic != MAGIC {
            return Err(Error::NotElf { magic: ident.magic });
        }
        expect(ident.data == DATA_LSB, "EI_DATA", ident.data.into(), "1, least byte first")?;
        expect(ident.version == VERSION, "EI_VERSION", ident.version.into(), "1")?;
        match ident.class {
            CLASS_32 => {
                let it: &FileHeader32 = head(file, Part::ElfHeader)?;
                let size = usize::from(it.phentsize.get());
                check_kind(it.e_type, it.machine)?;
                check_count(it.phnum)?;
                expect(
                    size == size_of::<ProgramHeader32>(),
                    "e_phentsize",
                    it.phentsize.get().into(),
                    "32",
                )?;
                let phoff = it.phoff.get().into();
                Ok(Self::Class32(table(file, phoff, it.phnum.get(), Part::ProgramHeaders)?))
            }
            CLASS_64 => {
                let it: &FileHeader64 = head(file, Part::ElfHeader)?;
                let size = usize::from(it.phentsize.get());
                check_kind(it.e_type, it.machine)?;
                check_count(it.phnum)?;
                expect(
                    size == size_of::<ProgramHeader64>(),
                    "e_phentsize",
                    it.phentsize.get().into(),
                    "56",
                )?;
                let phoff = it.phoff.get();
                Ok(Self::Class64(table(file, phoff, it.phnum.get(), Part::ProgramHeaders)?))
            }
            other => Err(Error::Field {
                field: "EI_CLASS",
                value: other.into(),
                expected: "1 (32 bits) or 2 (64 bits)",
            }),
        }
    }

    /// The headers in the order of the table.
    pub(crate) fn iter(self) -> impl Iterator<Item = ProgramHeader> + use<'a> {
        (0..MAX_PROGRAM_HEADERS).map_while(move |index| self.get(index))
    }

    fn get(self, index: u16) -> Option<ProgramHeader> {
        let at = usize::from(index);
        match self {
            Self::Class32(table) => table.get(at).map(|it| ProgramHeader {
                index,
                p_type: it.p_type.get(),
                offset: it.offset.get().into(),
                paddr: it.paddr.get().into(),
                filesz: it.filesz.get().into(),
                memsz: it.memsz.get().into(),
                align: it.align.get().into(),
            }),
            Self::Class64(table) => table.get(at).map(|it| ProgramHeader {
                index,
                p_type: it.p_type.get(),
                offset: it.offset.get(),
                paddr: it.paddr.get(),
                filesz: it.filesz.get(),
                memsz: it.memsz.get(),
                align: it.align.get(),
            }),
        }
    }
}

fn check_kind(e_type: U16, machine: U16) -> Result<(), Error> {
    let (e_type, machine) = (e_type.get(), machine.get());
    expect(
        e_type == TYPE_EXEC || e_type == TYPE_DYN,
        "e_type",
        e_type.into(),
        "2 (executable) or 3 (shared object)",
    )?;
    expect(
        machine == MACHINE_386 || machine == MACHINE_X86_64,
        "e_machine",
        machine.into(),
        "3 (i386) or 62 (x86-64)",
    )
}

fn check_count(phnum: U16) -> Result<(), Error> {
    let phnum = phnum.get();
    expect((1..=MAX_PROGRAM_HEADERS).contains(&phnum), "e_phnum", phnum.into(), "1 to 128")
}
