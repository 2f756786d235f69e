//! DSDT with one processor device for each CPU, which ties a UID of the MADT to
//! a device and its proximity domain. ACPI 6.5, 5.2.11.1, 8.4 and 20.2 (AML).
//!
//! Up to 4,096 CPUs stand directly under `\_SB` as `C000`…`CFFF`. Beyond, each
//! group of 4,096 stands in a processor container `P000`…`PFFF`, since names
//! have four characters and must differ among siblings.

use crate::{
    Error, Processor, ProcessorState, Show, Table, Topology,
    acpi_table::{AcpiTable, Contents},
    table::{self, HEADER_LEN},
    wire::Writer,
};

/// Signature of the DSDT.
pub const SIGNATURE: [u8; 4] = *b"DSDT";
/// From revision 2 on, AML integers have 64 bits.
const REVISION: u8 = 2;
/// Processors that one group's names tell apart: three hexadecimal digits.
const GROUP: usize = 4096;
/// As many groups, named alike.
const MAX_PROCESSORS: usize = GROUP.saturating_mul(GROUP);

const SCOPE_OP: &[u8] = &[0x10];
const DEVICE_OP: &[u8] = &[0x5B, 0x82];
const NAME_OP: u8 = 0x08;
const STRING_PREFIX: u8 = 0x0D;
const SB: &[u8] = b"\\_SB_";
/// Processor device. ACPI 6.5, 8.4.
const PROCESSOR: &[u8; 8] = b"ACPI0007";
/// Processor container device. ACPI 6.5, 8.4.3.
const CONTAINER: &[u8; 8] = b"ACPI0010";
/// `_STA` of a device that is present, enabled, shown and working. ACPI 6.5, 6.3.7.
const PRESENT: u32 = 0xF;

/// The DSDT's length in bytes.
///
/// # Errors
/// [`Error::TooManyProcessorDevices`] above 16,777,216, [`Error::TableTooLarge`].
fn len(topology: &Topology<'_>) -> Result<usize, Error> {
    let processors = topology.description().processors;
    if processors.len() > MAX_PROCESSORS {
        return Err(Error::TooManyProcessorDevices {
            processors: processors.len(),
            max: MAX_PROCESSORS,
        });
    }
    let contained = contained(processors);
    let body = (0_u32..)
        .zip(processors.chunks(GROUP))
        .fold(0_usize, |len, (group, of)| len.saturating_add(scope_len(of, contained, group)));
    table::table_len(SIGNATURE, HEADER_LEN, &[(body, 1)])
}

/// Writes the DSDT to the start of `buffer` and returns its length.
///
/// # Errors
/// [`Error::BufferTooSmall`], with the buffer untouched, and those of [`len`].
fn emit(topology: &Topology<'_>, buffer: &mut [u8]) -> Result<usize, Error> {
    let description = topology.description();
    let contained = contained(description.processors);
    let kind = table::HeaderFields { signature: SIGNATURE, revision: REVISION };
    table::emit(kind, &description.oem, len(topology)?, buffer, |to| {
        for (group, of) in (0_u32..).zip(description.processors.chunks(GROUP)) {
            put_package(to, SCOPE_OP, scope_content_len(of, contained, group));
            to.put(SB);
            if contained {
                put_package(to, DEVICE_OP, container_content_len(of, group));
                to.put(&name(b'P', group));
                put_string(to, b"_HID", CONTAINER);
                put_integer(to, b"_UID", group);
            }
            for (index, processor) in (0_u32..).zip(of) {
                put_device(to, index, processor);
            }
        }
    })
}

fn contained(processors: &[Processor]) -> bool {
    processors.len() > GROUP
}

fn scope_len(of: &[Processor], contained: bool, group: u32) -> usize {
    package_len(SCOPE_OP, scope_content_len(of, contained, group))
}

fn scope_content_len(of: &[Processor], contained: bool, group: u32) -> usize {
    SB.len().saturating_add(if contained {
        package_len(DEVICE_OP, container_content_len(of, group))
    } else {
        devices_len(of)
    })
}

fn container_content_len(of: &[Processor], group: u32) -> usize {
    size_of_val(&name(b'P', group))
        .saturating_add(STRING_LEN)
        .saturating_add(integer_len(group))
        .saturating_add(devices_len(of))
}

fn devices_len(of: &[Processor]) -> usize {
    of.iter().fold(0, |len, processor| {
        len.saturating_add(package_len(DEVICE_OP, device_content_len(processor)))
    })
}

fn device_content_len(processor: &Processor) -> usize {
    4_usize
        .saturating_add(STRING_LEN)
        .saturating_add(integer_len(processor.uid.0))
        .saturating_add(integer_len(status(processor)))
        .saturating_add(processor.domain.map_or(0, |domain| integer_len(domain.0)))
}

fn put_device(to: &mut Writer<'_>, index: u32, processor: &Processor) {
    put_package(to, DEVICE_OP, device_content_len(processor));
    to.put(&name(b'C', index));
    put_string(to, b"_HID", PROCESSOR);
    put_integer(to, b"_UID", processor.uid.0);
    put_integer(to, b"_STA", status(processor));
    if let Some(domain) = processor.domain {
        put_integer(to, b"_PXM", domain.0);
    }
}

const fn status(processor: &Processor) -> u32 {
    match processor.state {
        ProcessorState::Enabled => PRESENT,
        ProcessorState::OnlineCapable => 0,
    }
}

/// A letter and three hexadecimal digits.
fn name(letter: u8, number: u32) -> [u8; 4] {
    let digit = |shift: u32| {
        let nibble = u8::try_from((number >> shift) & 0xF).unwrap_or(0);
        match nibble {
            0..=9 => b'0'.wrapping_add(nibble),
            _ => b'A'.wrapping_add(nibble).wrapping_sub(10),
        }
    };
    [letter, digit(8), digit(4), digit(0)]
}

/// `Name (xxxx, "8 chars")`: opcode, name, prefix, characters, NUL.
const STRING_LEN: usize = 15;

fn put_string(to: &mut Writer<'_>, name: &[u8; 4], value: &[u8; 8]) {
    to.put(&NAME_OP);
    to.put(name);
    to.put(&STRING_PREFIX);
    to.put(value);
    to.put(&0_u8);
}

/// `Name (xxxx, integer)`: opcode, name, and the shortest form of the value.
/// ACPI 6.5, 20.2.3.
fn integer_len(value: u32) -> usize {
    match value {
        0..=1 => 6,
        2..=0xFF => 7,
        0x100..=0xFFFF => 8,
        _ => 10,
    }
}

fn put_integer(to: &mut Writer<'_>, name: &[u8; 4], value: u32) {
    to.put(&NAME_OP);
    to.put(name);
    let [b0, b1, b2, b3] = value.to_le_bytes();
    match value {
        // ZeroOp and OneOp are their values.
        0..=1 => to.put(&b0),
        2..=0xFF => to.put(&[0x0A, b0]),
        0x100..=0xFFFF => to.put(&[0x0B, b0, b1]),
        _ => to.put(&[0x0C, b0, b1, b2, b3]),
    }
}

/// Bytes of a whole package: opcode, length field, content.
fn package_len(op: &[u8], content: usize) -> usize {
    op.len().saturating_add(pkg_length_size(content)).saturating_add(content)
}

/// Bytes of a PkgLength field, which counts itself: one with 6 bits of length,
/// else up to four with 4 bits in the first. ACPI 6.5, 20.2.4.
fn pkg_length_size(content: usize) -> usize {
    match content {
        0..=0x3E => 1,
        0x3F..=0xFFD => 2,
        0xFFE..=0xF_FFFC => 3,
        _ => 4,
    }
}

fn put_package(to: &mut Writer<'_>, op: &[u8], content: usize) {
    to.put(op);
    let size = pkg_length_size(content);
    // A group of 4,096 devices is far below the 2^28 that four bytes hold.
    let value = u32::try_from(content.saturating_add(size)).unwrap_or(u32::MAX);
    let low = u8::try_from(value & 0xF).unwrap_or(0);
    let [b0, b1, b2, _] = (value >> 4).to_le_bytes();
    match size {
        1 => to.put(&u8::try_from(value & 0x3F).unwrap_or(0)),
        2 => to.put(&[0x40 | low, b0]),
        3 => to.put(&[0x80 | low, b0, b1]),
        _ => to.put(&[0xC0 | low, b0, b1, b2]),
    }
}

/// The DSDT in the list of tables; its AML is not decoded.
pub(crate) struct Dsdt;

impl AcpiTable for Dsdt {
    const SIGNATURE: [u8; 4] = SIGNATURE;
    const IS_LISTED: bool = false;
    const IS_SIGNED: bool = true;

    fn is_in(contents: &Contents<'_>) -> bool {
        contents.version.is_some()
    }

    fn len(contents: &Contents<'_>) -> Result<usize, Error> {
        len(&contents.topology)
    }

    fn emit(contents: &Contents<'_>, _: &[u8], buffer: &mut [u8]) -> Result<usize, Error> {
        emit(&contents.topology, buffer)
    }

    fn show(bytes: &[u8], _: &mut impl Show) -> Result<(), Error> {
        Table::parse_as(bytes, SIGNATURE, HEADER_LEN).map(|_| ())
    }
}
