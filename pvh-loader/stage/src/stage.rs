//! What the stage does, from its own start info to the jump.

extern crate alloc;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::convert::Infallible;
use core::fmt::{Display, Write};
use core::panic::PanicInfo;
use core::ptr;

use acpi_gen::{Gpa, GpaRange};
use linked_list_allocator::LockedHeap;
use pvh_boot::metal::{IdentityMapped, Trampoline};
use pvh_boot::{Archive, Files, MemoryMap, OtherTables, Platform, Received, Staging, load};
use pvh_loader::{E820Entry, EntryState};

use crate::boot_info::BootInfo;
use crate::hardware::{Serial, mask_interrupts, reset};

/// A word of the stage's own command line: tables that need none of the firmware's.
const OWN_TABLES: &[u8] = b"own-tables";

#[global_allocator]
static HEAP: LockedHeap = LockedHeap::empty();

/// The page of the trampoline.
#[repr(C, align(4096))]
struct Page([u8; 4096]);
static mut PAGE: Page = Page([0; 4096]);

/// Called by the start code with the address of the stage's own start info.
pub(crate) extern "C" fn main(start_info: u32) -> ! {
    // SAFETY: the stage's page tables map all of the first 4 GiB where it is. The stage
    // reads what was there before it started, and reserves itself, its heap and its module.
    let memory = unsafe { IdentityMapped::new(1 << 32) };
    // There is no heap yet, and messages must not need one.
    match Received::read(&memory, Gpa(start_info.into())) {
        Ok(received) => match BootInfo::of(received, memory) {
            Ok(given) => {
                let Err(error) = boot(memory, &given);
                print(format_args!("error: {error}"));
            }
            Err(error) => print(error),
        },
        Err(error) => print(error),
    }
    reset()
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // Without the heap, which may be what failed. Writing to the port cannot fail.
    let _infallible = writeln!(Serial, "pvh-stage: {info}");
    reset()
}

fn print(line: impl Display) {
    // Writing to the port cannot fail.
    let _infallible = writeln!(Serial, "pvh-stage: {line}");
}

fn boot(memory: IdentityMapped, given: &BootInfo<'_>) -> Result<Infallible, String> {
    let text = |error: core::num::TryFromIntError| error.to_string();
    let bottom = usize::try_from(given.heap.start().0).map_err(text)?;
    let size = usize::try_from(given.heap.size()).map_err(text)?;
    // SAFETY: the range is RAM that holds neither the stage nor its module, and the
    // page tables map it; it is among the plan's reserved ranges.
    unsafe { HEAP.lock().init(ptr::with_exposed_provenance_mut(bottom), size) };

    let archive = Archive(given.archive);
    let file = |name| archive.file(name).map_err(|error| error.to_string());
    let files = Files {
        kernel: file("kernel")?.ok_or("the archive has no file \"kernel\"")?,
        initrd: file("initrd")?,
        command_line: file("cmdline")?.unwrap_or_default(),
        topology: file("topology.toml")?,
    };
    let others = if given.command_line().split(|byte| *byte == b' ').any(|it| it == OWN_TABLES) {
        OtherTables::Own
    } else {
        OtherTables::Firmware
    };
    let page = u64::try_from(ptr::addr_of_mut!(PAGE).expose_provenance()).map_err(text)?;
    // SAFETY: the page is a static that nothing else uses, in memory that the stage's
    // page tables map where it is, writable and executable.
    let trampoline = unsafe { Trampoline::new(page) }.ok_or("the stage is not below 4 GiB")?;
    load(files, given.rsdp(), others, memory, Bare { given, trampoline })
}

/// The machine with nobody else on it.
struct Bare<'a> {
    given: &'a BootInfo<'a>,
    trampoline: Trampoline,
}

impl Platform for Bare<'_> {
    fn print(&mut self, line: &str) {
        print(line);
    }

    fn memory_map(&mut self) -> Result<MemoryMap, String> {
        let BootInfo { image, module, heap, .. } = *self.given;
        let regions = self.given.regions().collect();
        Ok(MemoryMap { regions, reserved: [image, module, heap].into(), busy: Vec::new() })
    }

    fn claim(&mut self, _: GpaRange) -> Result<(), String> {
        Ok(())
    }

    fn stage(&mut self, size: u64) -> Result<Gpa, String> {
        // Never asked for: nothing is busy.
        Err(format!("no room to keep {size} bytes"))
    }

    fn leave(&mut self, _: &mut Vec<E820Entry>) -> bool {
        mask_interrupts();
        false
    }

    fn enter(self, staged: Option<Staging>, state: &EntryState) -> ! {
        // SAFETY: the stage runs in 64-bit mode at level 0, alone and with interrupts off;
        // `load` has written the guest, whose plan leaves out the stage's own image.
        unsafe { self.trampoline.enter(staged, state) }
    }
}
