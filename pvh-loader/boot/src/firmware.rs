//! The firmware's ACPI tables: those that ours take the place of, to be read, and
//! the addresses of all others, to be kept.

use alloc::string::ToString;
use alloc::vec::Vec;

use acpi_gen::{
    FoundTable, Gpa, Madt, Physical, RSDT, Slit, Srat, TableWalk, madt, slit, srat, xsdt,
};

use crate::Error;

/// As the walk names it.
const RSDP: [u8; 4] = *b"RSDP";
/// Its localities are proximity domains, which a topology may number anew.
const HMAT: [u8; 4] = *b"HMAT";
/// The firmware's tables.
#[derive(Clone, Debug)]
pub struct Firmware<'a> {
    /// The MADT.
    pub madt: Madt<'a>,
    /// The SRAT, of a machine with nodes.
    pub srat: Option<Srat<'a>>,
    /// The SLIT.
    pub slit: Option<Slit<'a>>,
    /// Addresses of all tables but MADT, SRAT, SLIT and HMAT, in the firmware's order.
    pub others: Vec<Gpa>,
}

impl<'a> Firmware<'a> {
    /// Follows the RSDP at `rsdp` to XSDT or RSDT and from there to the tables.
    ///
    /// # Errors
    /// The table that is missing, cannot be read, or is not well formed.
    pub fn read<P: Physical>(memory: &'a P, rsdp: Gpa) -> Result<Self, Error> {
        let (mut madt, mut srat, mut slit) = (None, None, None);
        let mut others = Vec::new();
        for table in TableWalk::new(memory, rsdp) {
            let FoundTable { address, signature, bytes } = table?;
            let wrong =
                |error: acpi_gen::Error| Error::Table { signature, what: error.to_string() };
            match signature {
                madt::SIGNATURE => madt = Some(Madt::parse(bytes).map_err(wrong)?),
                srat::SIGNATURE => srat = Some(Srat::parse(bytes).map_err(wrong)?),
                slit::SIGNATURE => slit = Some(Slit::parse(bytes).map_err(wrong)?),
                HMAT => {}
                RSDP | RSDT | xsdt::SIGNATURE => {}
                _ => others.push(address),
            }
        }
        let madt = madt.ok_or(Error::NoTable { signature: madt::SIGNATURE })?;
        Ok(Self { madt, srat, slit, others })
    }
}
