//! The video memory of an HVM guest, which libxl takes off vnode 0.
//! tools/libs/light/libxl_create.c and libxl_vnuma.c.

use alloc::format;

use super::syntax::{SyntaxError, Value};
use super::{Keys, size, text};

/// The kind of graphics card, for HVM guests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Vga {
    None,
    Std,
    Cirrus,
    Qxl,
}

/// The video memory in MiB.
pub(super) fn memory(keys: &Keys<'_>, hvm: bool) -> Result<u64, SyntaxError> {
    let given = keys.videoram.map(|value| size(value, "videoram")).transpose()?;
    if !hvm {
        return Ok(given.unwrap_or(0));
    }
    if let Some(hole) = keys.mmio_hole {
        return Err((hole.line, "mmio_hole is not supported: its place changes the map".into()));
    }
    let traditional = traditional(keys)?;
    let vga = vga(keys)?;
    let (default, least) = match (traditional, vga) {
        (_, Vga::None) => (0, 0),
        (true, Vga::Qxl) => {
            let line = keys.vga.map_or(1, |value| value.line);
            return Err((line, "vga=\"qxl\" with qemu-xen-traditional; expected qemu-xen".into()));
        }
        (true, Vga::Std) => (8, 8),
        (true, Vga::Cirrus) => (4, 0),
        (false, Vga::Qxl) => (128, 128),
        (false, Vga::Std) => (16, 16),
        (false, Vga::Cirrus) => (8, 8),
    };
    match (given, keys.videoram) {
        (Some(given), Some(value)) if given < least => {
            Err((value.line, format!("videoram={given}: this graphics card needs {least} or more")))
        }
        (given, _) => Ok(given.unwrap_or(default)),
    }
}

/// Whether the device model is the old QEMU, as it is by default in a stub domain.
fn traditional(keys: &Keys<'_>) -> Result<bool, SyntaxError> {
    let Some(value) = keys.device_model else {
        let stub_domain = keys.stub_domain.map(is_set).transpose()?;
        return Ok(stub_domain.unwrap_or(false));
    };
    match text(value, "device_model_version")? {
        "qemu-xen-traditional" => Ok(true),
        "qemu-xen" => Ok(false),
        other => Err((
            value.line,
            format!("device_model_version=\"{other}\"; expected qemu-xen or qemu-xen-traditional"),
        )),
    }
}

fn vga(keys: &Keys<'_>) -> Result<Vga, SyntaxError> {
    let Some(value) = keys.vga else {
        let std = keys.stdvga.map(is_set).transpose()?.unwrap_or(false);
        return Ok(if std { Vga::Std } else { Vga::Cirrus });
    };
    match text(value, "vga")? {
        "stdvga" => Ok(Vga::Std),
        "cirrus" => Ok(Vga::Cirrus),
        "none" => Ok(Vga::None),
        "qxl" => Ok(Vga::Qxl),
        other => {
            let what = format!("vga=\"{other}\"; expected stdvga, cirrus, none or qxl");
            Err((value.line, what))
        }
    }
}

fn is_set(value: &Value) -> Result<bool, SyntaxError> {
    size(value, "a switch").map(|number| number != 0)
}
