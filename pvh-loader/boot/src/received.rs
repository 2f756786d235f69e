//! What a kernel was passed by whoever loaded it, such as QEMU.
//! Xen public/arch-x86/hvm/start_info.h.

use acpi_gen::{Gpa, GpaRange, Physical};
use pvh_loader::{E820Entry, E820Type, MapEntry, ModuleEntry, StartInfo};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::Error;

/// The longest command line that is read: Linux takes 2048 bytes (COMMAND_LINE_SIZE).
const MAX_LINE: usize = 4096;

/// A start info and what it points to, but for the tables and the modules themselves.
/// Reading it takes no heap.
#[derive(Clone, Copy, Debug)]
pub struct Received<'m> {
    /// The structure itself.
    pub info: &'m StartInfo,
    /// The command line without its zero; empty where there is none.
    pub command_line: &'m [u8],
    /// The module list.
    pub modules: &'m [ModuleEntry],
    /// The memory map as it stands there.
    pub map: &'m [MapEntry],
}

impl<'m> Received<'m> {
    /// Reads the start info at `at`, which EBX held, and follows its addresses.
    ///
    /// # Errors
    /// The field that is wrong, or the part that cannot be read.
    pub fn read<P: Physical>(memory: &'m P, at: Gpa) -> Result<Self, Error> {
        let bytes = part(memory, "hvm_start_info", at, size_of::<StartInfo>())?;
        let info = StartInfo::parse(bytes).map_err(Error::StartInfo)?;
        let (modules, map) = (info.nr_modules.get(), info.memmap_entries.get());
        Ok(Self {
            info,
            command_line: command_line(memory, Gpa(info.cmdline_paddr.get()))?,
            modules: list(memory, "module list", info.modlist_paddr.get(), modules)?,
            map: list(memory, "memory map", info.memmap_paddr.get(), map)?,
        })
    }

    /// The memory map, but for entries that no memory can have: of no bytes, or past 2^64.
    pub fn regions(&self) -> impl Iterator<Item = E820Entry> + use<'m> {
        self.map.iter().filter_map(|entry| {
            let range = GpaRange::with_size(Gpa(entry.addr.get()), entry.size.get()).ok()?;
            Some(E820Entry { range, kind: E820Type(entry.kind.get()) })
        })
    }
}

/// The kernel's command line or a module's at `at`, without its zero; empty at address
/// 0, which stands for none.
///
/// # Errors
/// A line that cannot be read up to its zero, or that has none in its first 4096 bytes.
pub fn command_line<P: Physical>(memory: &P, at: Gpa) -> Result<&[u8], Error> {
    if at == Gpa(0) {
        return Ok(&[]);
    }
    for len in 1..=MAX_LINE.saturating_add(1) {
        let bytes = part(memory, "command line", at, len)?;
        if let Some((0, line)) = bytes.split_last() {
            return Ok(line);
        }
    }
    Err(Error::EndlessCommandLine { at, max: MAX_LINE })
}

/// `count` structures at `at`, which is of no meaning where there are none.
fn list<'m, P: Physical, T>(
    memory: &'m P,
    name: &'static str,
    at: u64,
    count: u32,
) -> Result<&'m [T], Error>
where
    T: FromBytes + Immutable + KnownLayout + Unaligned,
{
    if count == 0 {
        return Ok(&[]);
    }
    let len = usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(size_of::<T>());
    let bytes = part(memory, name, Gpa(at), len)?;
    // Cannot fail: the length is a multiple, and bytes need no alignment.
    <[T]>::ref_from_bytes(bytes).map_err(|_| Error::StartInfoPart { part: name, at: Gpa(at), len })
}

fn part<'m, P: Physical>(
    memory: &'m P,
    part: &'static str,
    at: Gpa,
    len: usize,
) -> Result<&'m [u8], Error> {
    memory.bytes(at, len).ok_or(Error::StartInfoPart { part, at, len })
}
