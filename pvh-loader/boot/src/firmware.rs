//! The firmware's ACPI tables: those that ours take the place of, to be read, and
//! the addresses of all others, to be kept.

use alloc::string::ToString;
use alloc::vec::Vec;

use acpi_gen::{Gpa, Madt, Rsdp, Slit, Srat, Table, Xsdt, madt, slit, srat, xsdt};

use crate::Error;

const RSDT: [u8; 4] = *b"RSDT";
/// Its localities are proximity domains, which a topology may number anew.
const HMAT: [u8; 4] = *b"HMAT";
/// Bytes of an RSDP of revision 0 and of revision 2. ACPI 6.5, 5.2.5.3.
const RSDP_V1: usize = 20;
const RSDP_V2: usize = 36;
/// Bytes of the header that all tables start with. ACPI 6.5, 5.2.6.
const HEADER: usize = 36;

/// Physical memory in which firmware's tables and start infos stand.
pub trait Physical {
    /// The `len` bytes at `at`, or `None` where they cannot be read.
    fn bytes(&self, at: Gpa, len: usize) -> Option<&[u8]>;
}

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
        for at in addresses(memory, rsdp)? {
            let bytes = table(memory, at)?;
            let signature = signature(bytes);
            let wrong =
                |error: acpi_gen::Error| Error::Table { signature, what: error.to_string() };
            match signature {
                madt::SIGNATURE => madt = Some(Madt::parse(bytes).map_err(wrong)?),
                srat::SIGNATURE => srat = Some(Srat::parse(bytes).map_err(wrong)?),
                slit::SIGNATURE => slit = Some(Slit::parse(bytes).map_err(wrong)?),
                HMAT => {}
                _ => others.push(at),
            }
        }
        let madt = madt.ok_or(Error::NoTable { signature: madt::SIGNATURE })?;
        Ok(Self { madt, srat, slit, others })
    }
}

/// The addresses in the XSDT, or in the RSDT of firmware that has no XSDT.
fn addresses<P: Physical>(memory: &P, at: Gpa) -> Result<Vec<Gpa>, Error> {
    let v1 = read(memory, at, RSDP_V1)?;
    // A whole structure of revision 2 where it can be read; `parse` looks at its revision.
    let bytes = memory.bytes(at, RSDP_V2).unwrap_or(v1);
    let wrong = |signature| {
        move |error: acpi_gen::Error| Error::Table { signature, what: error.to_string() }
    };
    let rsdp = Rsdp::parse(bytes).map_err(wrong(*b"RSDP"))?;
    if let Some(xsdt) = rsdp.xsdt().filter(|xsdt| xsdt.0 != 0) {
        let bytes = table(memory, xsdt)?;
        let xsdt = Xsdt::parse(bytes).map_err(wrong(xsdt::SIGNATURE))?;
        return Ok(xsdt.addresses().collect());
    }
    let bytes = table(memory, Gpa(rsdp.rsdt().into()))?;
    let found = signature(bytes);
    if found != RSDT {
        let what = acpi_gen::Error::WrongSignature { expected: RSDT, found }.to_string();
        return Err(Error::Table { signature: RSDT, what });
    }
    let (addresses, _) = bytes.get(HEADER..).unwrap_or_default().as_chunks::<4>();
    Ok(addresses.iter().map(|address| Gpa(u32::from_le_bytes(*address).into())).collect())
}

/// A whole table, by the length that its header gives.
fn table<P: Physical>(memory: &P, at: Gpa) -> Result<&[u8], Error> {
    let header = read(memory, at, HEADER)?;
    match Table::parse(header) {
        Ok(table) => Ok(table.bytes()),
        Err(acpi_gen::Error::TableTruncated { needed, .. }) => read(memory, at, needed),
        Err(error) => Err(Error::Table { signature: signature(header), what: error.to_string() }),
    }
}

fn read<P: Physical>(memory: &P, at: Gpa, len: usize) -> Result<&[u8], Error> {
    memory.bytes(at, len).ok_or(Error::Unreadable { at, len })
}

fn signature(table: &[u8]) -> [u8; 4] {
    table.first_chunk().copied().unwrap_or_default()
}
