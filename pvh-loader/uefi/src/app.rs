//! What the application does, from the firmware's call to the jump.

extern crate alloc;

use alloc::format;
use alloc::vec::Vec;
use core::convert::Infallible;

use pvh_boot::metal::{IdentityMapped, Trampoline};
use pvh_boot::{Files, OtherTables, load};
use uefi::prelude::*;

use crate::console::Console;
use crate::failure::Failure;
use crate::files::Folder;
use crate::firmware::{self, Pages, Uefi};

/// The trampoline's page, kernel, tables, start info and initrd.
const MOST_PAGES: usize = 5;

#[entry]
fn main() -> Status {
    if let Err(error) = uefi::helpers::init() {
        return error.status();
    }
    let mut console = Console::find();
    let Err(Failure { status, sentence }) = boot(&mut console);
    console.line(&format!("error: {sentence}"));
    status
}

fn boot(console: &mut Console) -> Result<Infallible, Failure> {
    let mut folder = Folder::of_this_program()?;
    console.line(&format!("reading {}", folder.path()));
    let kernel = folder.read("kernel")?.ok_or_else(|| {
        Failure::new(Status::NOT_FOUND, format!("{} has no file \"kernel\"", folder.path()))
    })?;
    let initrd = folder.read("initrd")?;
    let command_line = folder.read("cmdline")?.unwrap_or_default();
    let topology = folder.read("topology.toml")?;
    let files = Files {
        kernel: &kernel,
        initrd: initrd.as_deref(),
        command_line: &command_line,
        topology: topology.as_deref(),
    };

    let rsdp = firmware::rsdp()?;
    let page = Pages::for_code()?;
    let address = page.address();
    // SAFETY: the page was just allocated as code and stays this program's until it is
    // dropped; UEFI maps all memory at its own addresses (UEFI 2.10, 2.3.4).
    let trampoline = unsafe { Trampoline::new(address) }.ok_or_else(|| {
        Failure::new(Status::LOAD_ERROR, format!("page {address:#x} is not below 4 GiB"))
    })?;
    let mut pages = Vec::with_capacity(MOST_PAGES);
    pages.push(page);
    // SAFETY: UEFI maps all memory at its own addresses. The firmware's tables do not
    // change, and the plan's ranges are claimed from the firmware before they are written.
    let memory = unsafe { IdentityMapped::new(u64::MAX) };
    load(files, rsdp, OtherTables::Firmware, memory, Uefi { console, trampoline, pages })
        .map_err(|sentence| Failure::new(Status::LOAD_ERROR, sentence))
}
