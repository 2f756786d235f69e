//! The processor devices of a DSDT that acpi-gen made.

use crate::{ProcessorUid, Table, dsdt};

/// What stands in front of each processor's UID, from `_HID` on.
const BEFORE_UID: &[u8] = b"\x08_HID\x0DACPI0007\0\x08_UID";

/// The UIDs of its processor devices, or nothing where the DSDT is another's, whose AML
/// would have to be run.
pub(super) fn uids(dsdt: &[u8]) -> Option<impl Iterator<Item = ProcessorUid> + Clone + use<'_>> {
    let table = Table::parse_as(dsdt, dsdt::SIGNATURE, 0).ok().filter(Table::is_ours)?;
    let mut rest = table.bytes();
    Some(core::iter::from_fn(move || {
        let at = rest.windows(BEFORE_UID.len()).position(|window| window == BEFORE_UID)?;
        rest = rest.get(at.saturating_add(BEFORE_UID.len())..)?;
        integer(rest).map(ProcessorUid)
    }))
}

/// The integer at the start of `aml`. ACPI 6.5, 20.2.3.
fn integer(aml: &[u8]) -> Option<u32> {
    match *aml {
        [value @ (0 | 1), ..] => Some(u32::from(value)),
        [0x0A, value, ..] => Some(u32::from(value)),
        [0x0B, low, high, ..] => Some(u32::from(u16::from_le_bytes([low, high]))),
        [0x0C, b0, b1, b2, b3, ..] => Some(u32::from_le_bytes([b0, b1, b2, b3])),
        _ => None,
    }
}
