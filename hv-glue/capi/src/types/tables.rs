//! What a plan's tables contain, and where they are.

/// An I/O APIC for the MADT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgIoApic {
    /// Its id, at most 255.
    pub id: u32,
    /// Address of its registers.
    pub address: u32,
    /// Its first global system interrupt.
    pub gsi_base: u32,
}

/// An interrupt source override for the MADT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgOverride {
    /// ISA interrupt, at most 255.
    pub source: u32,
    /// Global system interrupt.
    pub gsi: u32,
    /// MPS INTI flags, as the MADT has them.
    pub flags: u32,
}

/// A local APIC's NMI input for the MADT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgNmi {
    /// The processor's UID; HVG_NONE for all.
    pub uid: u32,
    /// LINT input, 0 or 1.
    pub lint: u32,
    /// MPS INTI flags, as the MADT has them.
    pub flags: u32,
}

/// What a plan's tables say besides the plan.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgTables {
    /// sizeof(struct hvg_tables).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// I/O APICs.
    pub io_apics: *const HvgIoApic,
    /// Interrupt source overrides.
    pub overrides: *const HvgOverride,
    /// Local APICs' NMI inputs.
    pub nmis: *const HvgNmi,
    /// Addresses of further tables for the XSDT.
    pub tables: *const u64,
    /// Elements of `io_apics`.
    pub nr_io_apics: u32,
    /// Elements of `overrides`.
    pub nr_overrides: u32,
    /// Elements of `nmis`.
    pub nr_nmis: u32,
    /// Elements of `tables`.
    pub nr_tables: u32,
    /// HVG_TABLES_* flags.
    pub flags: u32,
    /// For a dom0: the revision of the host's MADT.
    pub madt_revision: u32,
    /// OEM revision of every header.
    pub oem_revision: u32,
    /// OEM id of every header.
    pub oem_id: [u8; 6],
    /// OEM table id of every header.
    pub oem_table_id: [u8; 8],
    /// 0.
    pub reserved: [u8; 6],
}

/// Type 0 entries below APIC id 255, types 9 and 2 above; else types 9 and 2 for all.
pub const HVG_TABLES_HYBRID: u32 = 2;
/// MADT flag PCAT_COMPAT.
pub const HVG_TABLES_PCAT: u32 = 4;
/// The most tables that a set has, the RSDP counted.
pub const HVG_MAX_TABLES: usize = 8;

/// One table of a set.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgTable {
    /// Its signature; "RSDP" for the RSDP.
    pub signature: [u8; 4],
    /// Its length in bytes.
    pub len: u32,
    /// Its address in the guest.
    pub address: u64,
}

/// Where the tables are.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgPlaced {
    /// sizeof(struct hvg_placed).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// Address of the RSDP.
    pub rsdp: u64,
    /// Address of the MADT.
    pub madt: u64,
    /// Bytes of the whole set.
    pub len: u64,
    /// The tables in the order of their addresses: each may be copied by itself.
    pub tables: [HvgTable; HVG_MAX_TABLES],
    /// Number of tables.
    pub nr_tables: u32,
    /// 0.
    pub reserved: u32,
}
