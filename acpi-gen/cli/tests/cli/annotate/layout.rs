//! Fields of the tables: name, bytes, how to show them.

/// How a field's bytes become text.
#[derive(Clone, Copy)]
pub(super) enum Show {
    /// Little-endian, decimal.
    Number,
    /// Little-endian, hexadecimal.
    Hex,
    /// ASCII.
    Text,
    /// A decimal for each byte.
    Decimals,
    /// Nothing beside the bytes.
    Bytes,
}

impl Show {
    pub(super) fn value(self, bytes: &[u8]) -> String {
        let number =
            bytes.iter().rev().fold(0_u128, |number, &byte| number << 8 | u128::from(byte));
        match self {
            Self::Number => number.to_string(),
            Self::Hex => format!("{number:#x}"),
            Self::Text => format!("\"{}\"", bytes.escape_ascii()),
            Self::Decimals => bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(" "),
            Self::Bytes => String::new(),
        }
    }
}

/// A field's name, its length in bytes, and how to show it.
#[derive(Clone, Copy)]
pub(super) struct Field(pub(super) &'static str, pub(super) usize, pub(super) Show);

use Show::{Bytes, Hex, Number, Text};

/// 5.2.6.
pub(super) const HEADER: &[Field] = &[
    Field("signature", 4, Text),
    Field("length", 4, Number),
    Field("revision", 1, Number),
    Field("checksum", 1, Hex),
    Field("OEM ID", 6, Text),
    Field("OEM table ID", 8, Text),
    Field("OEM revision", 4, Number),
    Field("creator ID", 4, Text),
    Field("creator revision", 4, Number),
];

/// 5.2.5.3.
pub(super) const RSDP: &[Field] = &[
    Field("signature", 8, Text),
    Field("checksum", 1, Hex),
    Field("OEM ID", 6, Text),
    Field("revision", 1, Number),
    Field("RSDT address", 4, Hex),
    Field("length", 4, Number),
    Field("XSDT address", 8, Hex),
    Field("extended checksum", 1, Hex),
    Field("reserved", 3, Bytes),
];

/// 5.2.10.
pub(super) const FACS: &[Field] = &[
    Field("signature", 4, Text),
    Field("length", 4, Number),
    Field("hardware signature", 4, Hex),
    Field("firmware waking vector", 4, Hex),
    Field("global lock", 4, Hex),
    Field("flags", 4, Hex),
    Field("X firmware waking vector", 8, Hex),
    Field("version", 1, Number),
    Field("reserved", 3, Bytes),
    Field("OSPM flags", 4, Hex),
    Field("reserved", 24, Bytes),
];

/// 5.2.9, behind the header.
pub(super) const FADT: &[Field] = &[
    Field("FIRMWARE_CTRL", 4, Hex),
    Field("DSDT", 4, Hex),
    Field("reserved", 1, Bytes),
    Field("preferred PM profile", 1, Number),
    Field("SCI_INT", 2, Number),
    Field("SMI_CMD", 4, Hex),
    Field("ACPI_ENABLE", 1, Hex),
    Field("ACPI_DISABLE", 1, Hex),
    Field("S4BIOS_REQ", 1, Hex),
    Field("PSTATE_CNT", 1, Hex),
    Field("PM1a_EVT_BLK", 4, Hex),
    Field("PM1b_EVT_BLK", 4, Hex),
    Field("PM1a_CNT_BLK", 4, Hex),
    Field("PM1b_CNT_BLK", 4, Hex),
    Field("PM2_CNT_BLK", 4, Hex),
    Field("PM_TMR_BLK", 4, Hex),
    Field("GPE0_BLK", 4, Hex),
    Field("GPE1_BLK", 4, Hex),
    Field("PM1_EVT_LEN", 1, Number),
    Field("PM1_CNT_LEN", 1, Number),
    Field("PM2_CNT_LEN", 1, Number),
    Field("PM_TMR_LEN", 1, Number),
    Field("GPE0_BLK_LEN", 1, Number),
    Field("GPE1_BLK_LEN", 1, Number),
    Field("GPE1_BASE", 1, Number),
    Field("CST_CNT", 1, Hex),
    Field("P_LVL2_LAT", 2, Number),
    Field("P_LVL3_LAT", 2, Number),
    Field("FLUSH_SIZE", 2, Number),
    Field("FLUSH_STRIDE", 2, Number),
    Field("DUTY_OFFSET", 1, Number),
    Field("DUTY_WIDTH", 1, Number),
    Field("DAY_ALRM", 1, Number),
    Field("MON_ALRM", 1, Number),
    Field("CENTURY", 1, Number),
    Field("IAPC_BOOT_ARCH", 2, Hex),
    Field("reserved", 1, Bytes),
    Field("flags", 4, Hex),
    Field("RESET_REG", 12, Bytes),
    Field("RESET_VALUE", 1, Hex),
    Field("ARM_BOOT_ARCH", 2, Hex),
    Field("FADT minor version", 1, Number),
    Field("X_FIRMWARE_CTRL", 8, Hex),
    Field("X_DSDT", 8, Hex),
    Field("X_PM1a_EVT_BLK", 12, Bytes),
    Field("X_PM1b_EVT_BLK", 12, Bytes),
    Field("X_PM1a_CNT_BLK", 12, Bytes),
    Field("X_PM1b_CNT_BLK", 12, Bytes),
    Field("X_PM2_CNT_BLK", 12, Bytes),
    Field("X_PM_TMR_BLK", 12, Bytes),
    Field("X_GPE0_BLK", 12, Bytes),
    Field("X_GPE1_BLK", 12, Bytes),
    Field("SLEEP_CONTROL_REG", 12, Bytes),
    Field("SLEEP_STATUS_REG", 12, Bytes),
    Field("hypervisor vendor identity", 8, Text),
];

/// 5.2.12, behind the header.
pub(super) const MADT: &[Field] = &[Field("local APIC address", 4, Hex), Field("flags", 4, Hex)];

/// 5.2.16, behind the header.
pub(super) const SRAT: &[Field] = &[Field("reserved (1)", 4, Number), Field("reserved", 8, Bytes)];

/// 5.2.17, behind the header.
pub(super) const SLIT: &[Field] = &[Field("localities", 8, Number)];

/// The entries of 5.2.12.
pub(super) fn madt_entry(kind: u8) -> &'static [Field] {
    match kind {
        0 => &[
            Field("type: local APIC", 1, Number),
            Field("length", 1, Number),
            Field("processor UID", 1, Number),
            Field("APIC ID", 1, Number),
            Field("flags", 4, Hex),
        ],
        1 => &[
            Field("type: I/O APIC", 1, Number),
            Field("length", 1, Number),
            Field("I/O APIC ID", 1, Number),
            Field("reserved", 1, Bytes),
            Field("address", 4, Hex),
            Field("GSI base", 4, Number),
        ],
        2 => &[
            Field("type: source override", 1, Number),
            Field("length", 1, Number),
            Field("bus", 1, Number),
            Field("source", 1, Number),
            Field("GSI", 4, Number),
            Field("flags", 2, Hex),
        ],
        4 => &[
            Field("type: local APIC NMI", 1, Number),
            Field("length", 1, Number),
            Field("processor UID", 1, Number),
            Field("flags", 2, Hex),
            Field("LINT", 1, Number),
        ],
        9 => &[
            Field("type: local x2APIC", 1, Number),
            Field("length", 1, Number),
            Field("reserved", 2, Bytes),
            Field("x2APIC ID", 4, Number),
            Field("flags", 4, Hex),
            Field("processor UID", 4, Number),
        ],
        0xA => &[
            Field("type: local x2APIC NMI", 1, Number),
            Field("length", 1, Number),
            Field("flags", 2, Hex),
            Field("processor UID", 4, Number),
            Field("LINT", 1, Number),
            Field("reserved", 3, Bytes),
        ],
        _ => panic!("no MADT entry of type {kind} is emitted"),
    }
}

/// The entries of 5.2.16.
pub(super) fn srat_entry(kind: u8) -> &'static [Field] {
    match kind {
        0 => &[
            Field("type: local APIC affinity", 1, Number),
            Field("length", 1, Number),
            Field("domain bits 7:0", 1, Number),
            Field("APIC ID", 1, Number),
            Field("flags", 4, Hex),
            Field("local SAPIC EID", 1, Number),
            Field("domain bits 31:8", 3, Number),
            Field("clock domain", 4, Number),
        ],
        1 => &[
            Field("type: memory affinity", 1, Number),
            Field("length", 1, Number),
            Field("domain", 4, Number),
            Field("reserved", 2, Bytes),
            Field("base", 8, Hex),
            Field("size", 8, Hex),
            Field("reserved", 4, Bytes),
            Field("flags", 4, Hex),
            Field("reserved", 8, Bytes),
        ],
        2 => &[
            Field("type: x2APIC affinity", 1, Number),
            Field("length", 1, Number),
            Field("reserved", 2, Bytes),
            Field("domain", 4, Number),
            Field("x2APIC ID", 4, Number),
            Field("flags", 4, Hex),
            Field("clock domain", 4, Number),
            Field("reserved", 4, Bytes),
        ],
        _ => panic!("no SRAT entry of type {kind} is emitted"),
    }
}
