//! FADT of a hardware-reduced machine such as a PVH guest. ACPI 6.5, 5.2.9.

use zerocopy::{
    FromBytes,
    little_endian::{U16, U32, U64},
};

use crate::{
    AcpiVersion, Error, Gpa, Oem, Show, Table, Value,
    acpi_table::{AcpiTable, Contents},
    dsdt, facs,
    table::{self, HEADER_LEN},
    wire::wire,
};

/// Signature of the FADT.
pub const SIGNATURE: [u8; 4] = *b"FACP";
/// Bytes of a FADT from ACPI 6.0 on.
const LEN: usize = HEADER_LEN.saturating_add(size_of::<RawFadt>());
/// The major version is the table's revision.
const MAJOR: u8 = 6;

/// WBINVD works; the flag is required.
const WBINVD: u32 = 1;
/// Power and sleep buttons are no fixed features.
const NO_FIXED_BUTTONS: u32 = 1 << 4 | 1 << 5;
/// None of the fixed hardware exists.
const HW_REDUCED_ACPI: u32 = 1 << 20;
/// Boot flags: neither VGA nor a CMOS RTC. ACPI 6.5, table 5.11.
const NO_VGA_NO_CMOS_RTC: u16 = 1 << 2 | 1 << 5;

// Offsets count from the end of the header; in the table they are 36 more.
wire! { RawFadt: 240 {
    firmware_ctrl: U32 = 0,
    dsdt: U32 = 4,
    reserved44: u8 = 8,
    preferred_pm_profile: u8 = 9,
    fixed_hardware: [u8; 63] = 10,
    boot_arch: [u8; 2] = 73,
    reserved111: u8 = 75,
    flags: U32 = 76,
    reset_reg: [u8; 12] = 80,
    reset_value: u8 = 92,
    arm_boot_arch: [u8; 2] = 93,
    minor_version: u8 = 95,
    x_firmware_ctrl: U64 = 96,
    x_dsdt: U64 = 104,
    x_fixed_hardware: [u8; 120] = 112,
    hypervisor_vendor: [u8; 8] = 232,
} }

/// What a FADT says beyond its constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fadt {
    /// Version that revision and minor version state.
    version: AcpiVersion,
    /// Address of the FACS.
    facs: Gpa,
    /// Address of the DSDT.
    dsdt: Gpa,
    /// Hypervisor vendor identity, ASCII padded with NUL, or zeros.
    hypervisor_vendor: [u8; 8],
}

/// Writes the FADT to the start of `buffer` and returns its length.
///
/// # Errors
/// [`Error::BufferTooSmall`], with the buffer untouched.
fn emit(fadt: &Fadt, oem: &Oem, buffer: &mut [u8]) -> Result<usize, Error> {
    let kind = table::HeaderFields { signature: SIGNATURE, revision: MAJOR };
    table::emit(kind, oem, LEN, buffer, |to| {
        to.put(&RawFadt {
            // The 32-bit fields are for tables below 4 GiB without the 64-bit ones.
            firmware_ctrl: U32::ZERO,
            dsdt: U32::ZERO,
            reserved44: 0,
            preferred_pm_profile: 0,
            fixed_hardware: [0; 63],
            boot_arch: U16::new(NO_VGA_NO_CMOS_RTC).to_bytes(),
            reserved111: 0,
            flags: U32::new(WBINVD | NO_FIXED_BUTTONS | HW_REDUCED_ACPI),
            reset_reg: [0; 12],
            reset_value: 0,
            arm_boot_arch: [0; 2],
            minor_version: fadt.version.minor(),
            x_firmware_ctrl: U64::new(fadt.facs.0),
            x_dsdt: U64::new(fadt.dsdt.0),
            x_fixed_hardware: [0; 120],
            hypervisor_vendor: fadt.hypervisor_vendor,
        });
    })
}

/// A parsed FADT. Revisions before 6 are shorter: what they do not
/// hold reads as `None`.
#[derive(Clone, Copy, Debug)]
pub struct FadtView<'a> {
    table: Table<'a>,
}

impl<'a> FadtView<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// Those of [`Table::parse`], and [`Error::WrongSignature`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Table::parse_as(bytes, SIGNATURE, HEADER_LEN).map(|table| Self { table })
    }

    /// The table's header and bytes.
    #[must_use]
    pub const fn table(&self) -> &Table<'a> {
        &self.table
    }

    /// Major and minor version; the minor is 0 where the table has no such field.
    #[must_use]
    pub fn version(&self) -> (u8, u8) {
        // Bits 3:0; the high half is an erratum's number. ACPI 6.5, table 5.9.
        let minor = self.table.bytes().get(131).map_or(0, |byte| byte & 0xF);
        (self.table.revision(), minor)
    }

    /// Address of the DSDT: the 64-bit field where it is there and not 0, else
    /// the 32-bit one.
    #[must_use]
    pub fn dsdt(&self) -> Option<Gpa> {
        self.address(140, 40)
    }

    /// Address of the FACS, likewise.
    #[must_use]
    pub fn facs(&self) -> Option<Gpa> {
        self.address(132, 36)
    }

    /// Whether the machine has none of the fixed hardware.
    fn hardware_reduced(&self) -> Option<bool> {
        let (flags, _) = U32::read_from_prefix(self.table.from(112)).ok()?;
        Some(flags.get() & HW_REDUCED_ACPI != 0)
    }

    fn address(&self, wide: usize, narrow: usize) -> Option<Gpa> {
        let wide = U64::read_from_prefix(self.table.from(wide)).ok().map(|(value, _)| value.get());
        let narrow = || {
            let (value, _) = U32::read_from_prefix(self.table.from(narrow)).ok()?;
            Some(u64::from(value.get()))
        };
        wide.filter(|address| *address != 0)
            .or_else(narrow)
            .filter(|address| *address != 0)
            .map(Gpa)
    }
}

impl AcpiTable for FadtView<'_> {
    const SIGNATURE: [u8; 4] = SIGNATURE;

    fn is_in(contents: &Contents<'_>) -> bool {
        contents.version.is_some()
    }

    fn len(_: &Contents<'_>) -> Result<usize, Error> {
        Ok(LEN)
    }

    fn emit(contents: &Contents<'_>, _: &[u8], buffer: &mut [u8]) -> Result<usize, Error> {
        let Some(version) = contents.version else { return Ok(0) };
        let fadt = Fadt {
            version,
            facs: contents.address(facs::SIGNATURE),
            dsdt: contents.address(dsdt::SIGNATURE),
            hypervisor_vendor: contents.hypervisor_vendor,
        };
        emit(&fadt, &contents.topology.description().oem, buffer)
    }

    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error> {
        let fadt = FadtView::parse(bytes)?;
        let (major, minor) = fadt.version();
        to.field("version", Value::Version(major, minor));
        to.field("hardware_reduced", Value::Flag(fadt.hardware_reduced()));
        to.field("dsdt", Value::Address(fadt.dsdt().map(|address| address.0)));
        to.field("facs", Value::Address(fadt.facs().map(|address| address.0)));
        Ok(())
    }
}
