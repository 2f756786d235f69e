//! What a file can ask for: a few of its bytes could else stand for tables of gigabytes.

/// The most vCPUs. Linux is built for up to 8,192 CPUs (arch/x86/Kconfig, `NR_CPUS_RANGE_END`), Xen for up to
/// 16,383 (xen/arch/Kconfig, `NR_CPUS`).
pub(crate) const MOST_VCPUS: u32 = 0x1_0000;

/// The highest proximity domain: a SLIT has a row and a column for each up to the highest in use. No Linux
/// takes a higher one: it is built for up to 1,024 nodes (arch/x86/Kconfig, `NODES_SHIFT`), and drops an SRAT
/// that passes its bound.
pub(crate) const HIGHEST_PXM: u32 = 1023;
