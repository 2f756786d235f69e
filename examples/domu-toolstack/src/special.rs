//! The page that a PVH guest needs besides its RAM.

use acpi_gen::Gpa;
use xen_hypercall::{DomainId, HvmParam, Xen};

use crate::failure::Failure;
use crate::memory::{DomainMemory, populate_page};

/// Where libxc has it, too, among the pages that end at 0xFF000000.
const IDENTITY_MAP: Gpa = Gpa(0xFEFF_E000);
/// Present, writable, user, accessed, dirty, 4 MiB. Intel SDM volume 3A, table 4-4.
const ENTRY: u32 = 0xE7;

/// Gives the guest a page table of 4 GiB that maps each address to itself, for Intel CPUs
/// that cannot run a guest without paging (HVM_PARAM_IDENT_PT). Other hosts do not look at it.
pub(crate) fn set_identity_map(
    xen: &Xen,
    domain: DomainId,
    memory: &DomainMemory<'_>,
) -> Result<(), Failure> {
    populate_page(xen, domain, IDENTITY_MAP)?;
    let table: Vec<u8> =
        (0..1024_u32).flat_map(|entry| (entry << 22 | ENTRY).to_le_bytes()).collect();
    memory.put(IDENTITY_MAP, &table)?;
    Ok(xen.set_hvm_param(domain, HvmParam::IDENT_PT, IDENTITY_MAP.0)?)
}
