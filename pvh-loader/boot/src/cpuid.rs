//! The APIC id of the processor that runs this. Intel SDM volume 2A, CPUID.

use core::arch::x86_64::{__cpuid, __cpuid_count};

use acpi_gen::ApicId;

/// Extended topology: EDX is the x2APIC id, in every subleaf.
const TOPOLOGY: u32 = 0xB;

/// The processor's x2APIC id, or the 8-bit one of processors without leaf 0xB.
#[must_use]
pub fn boot_apic_id() -> ApicId {
    let highest = __cpuid(0).eax;
    if highest >= TOPOLOGY {
        let leaf = __cpuid_count(TOPOLOGY, 0);
        // EBX is 0 where the leaf is not implemented.
        if leaf.ebx != 0 {
            return ApicId(leaf.edx);
        }
    }
    ApicId(__cpuid(1).ebx >> 24)
}
