//! What each consumer would make of a set of tables: which of them it drops, and
//! in whose words. Rules as in the sources of Linux 6.12, Xen 4.20 and fwts.
//!
//! ```
//! use acpi_gen::check::{Consumer, Tables, check};
//!
//! let mut findings = 0;
//! check(&Tables::default(), Consumer::Linux, &mut [], |_| findings += 1)?;
//! assert_eq!(findings, 0);
//! # Ok::<(), acpi_gen::Error>(())
//! ```
//!
//! Not judged: what depends on the machine rather than on tables (interrupt remapping,
//! which CPU really boots), and AML that acpi-gen did not make.

mod devices;
mod finding;
mod fwts;
mod io_apics;
mod linux;
mod memory;
mod processors;
mod structure;
mod text;
mod xen;
mod xen_processors;

pub use finding::{Finding, Kind, Severity};

use crate::{ApicId, E820Entry, E820Type, Error};

/// Who reads the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Consumer {
    /// Linux on x86, drivers/acpi/numa/srat.c, arch/x86 and mm/.
    Linux,
    /// Xen as the host, common/numa.c and arch/x86/srat.c.
    Xen,
    /// The firmware test suite's ACPI tests.
    Fwts,
}

impl Consumer {
    /// Every consumer.
    pub const ALL: [Self; 3] = [Self::Linux, Self::Xen, Self::Fwts];
}

/// A set of tables as bytes, each as far as it is there, and the memory map that
/// goes with them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tables<'a> {
    /// RSDP.
    pub rsdp: Option<&'a [u8]>,
    /// XSDT.
    pub xsdt: Option<&'a [u8]>,
    /// FADT, whose version decides what online-capable means.
    pub fadt: Option<&'a [u8]>,
    /// DSDT. Its devices are judged where acpi-gen made it: another's AML may build
    /// them as it runs.
    pub dsdt: Option<&'a [u8]>,
    /// MADT.
    pub madt: Option<&'a [u8]>,
    /// SRAT.
    pub srat: Option<&'a [u8]>,
    /// SLIT.
    pub slit: Option<&'a [u8]>,
    /// Signatures of tables that the set has more than once; the fields have the first of
    /// each. An initrd's table that does not replace the machine's own is added to it.
    pub repeated: &'a [[u8; 4]],
    /// APIC ID of the processor that boots the machine; `None` stands for 0, which
    /// it usually has.
    pub boot_processor: Option<ApicId>,
    /// The memory map (e820), in any order. Without it coverage is not judged.
    pub memory_map: Option<&'a [E820Entry]>,
    /// Judge for Linux as a PVH dom0, which in 6.12 turns unusable ranges into RAM.
    pub pvh_dom0: bool,
}

impl Tables<'_> {
    /// Words of scratch space that [`check`] takes: two for each MADT entry; or one for
    /// each processor device; or two for each memory entry of the SRAT and each entry of
    /// the memory map. The largest of these.
    #[must_use]
    pub fn scratch_len(&self) -> usize {
        let madt = self.madt.and_then(|bytes| crate::Madt::parse(bytes).ok());
        let entries = madt.map_or(0, |madt| madt.sub_tables().count());
        let devices = self.dsdt.and_then(devices::uids).map_or(0, Iterator::count);
        let srat = self.srat.and_then(|bytes| crate::Srat::parse(bytes).ok());
        let map = self.memory_map.map_or(0, <[E820Entry]>::len);
        let memory = srat.map_or(0, |srat| memory::scratch_len(&srat, map));
        entries.saturating_mul(2).max(devices).max(memory)
    }

    fn assumed_boot_processor(&self) -> ApicId {
        self.boot_processor.unwrap_or(ApicId(0))
    }

    /// The ranges of the memory map that are RAM to this consumer, if there is a map.
    fn ram<'s>(&'s self, consumer: Consumer, scratch: &'s mut [u32]) -> Option<memory::Ram<'s>> {
        let unusable_too = consumer == Consumer::Linux && self.pvh_dom0;
        let is_ram = |entry: &E820Entry| {
            entry.kind == E820Type::RAM || (entry.kind == E820Type::UNUSABLE && unusable_too)
        };
        Some(memory::Ram::new(self.memory_map?, is_ram, scratch))
    }
}

/// Checks the tables for one consumer and hands each finding to `report`, in the
/// order of the tables: RSDP, XSDT, MADT, SRAT, SLIT. Tables of a machine without x86
/// processors are not checked, which is a finding. `scratch` is overwritten.
///
/// # Errors
/// [`Error::ScratchTooSmall`], before anything is reported.
pub fn check(
    tables: &Tables<'_>,
    consumer: Consumer,
    scratch: &mut [u32],
    mut report: impl FnMut(Finding),
) -> Result<(), Error> {
    let (needed, have) = (tables.scratch_len(), scratch.len());
    let scratch = scratch.get_mut(..needed).ok_or(Error::ScratchTooSmall { needed, have })?;
    let report = &mut |severity, kind| report(Finding { consumer, severity, kind });
    if let Some(signature) = structure::of_other_processors(tables) {
        report(Severity::Note, Kind::NotX86 { signature });
        return Ok(());
    }
    structure::check(tables, consumer, report);
    match consumer {
        Consumer::Linux => linux::check(tables, scratch, report),
        Consumer::Xen => xen::check(tables, scratch, report),
        Consumer::Fwts => fwts::check(tables, scratch, report),
    }
    Ok(())
}
