//! What the stage does, from its own start info to the jump.

extern crate alloc;

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::fmt::Write;
use core::panic::PanicInfo;
use core::ptr;

use acpi_gen::{AcpiVersion, Revisions, TableSet};
use linked_list_allocator::LockedHeap;
use pvh_boot::{Archive, Firmware, boot_apic_id, machine, uncovered};
use pvh_jump::Trampoline;
use pvh_loader::{Guest, Kernel, Lists, Module, Plan, RegionKind, map_len};

use crate::given::Given;
use crate::memory::Machine;
use crate::serial::{Serial, reset};

/// A word of the stage's own command line: tables that need none of the firmware's.
/// They then hold an FADT, a DSDT and a FACS of ours too.
const OWN_TABLES: &[u8] = b"own-tables";

#[global_allocator]
static HEAP: LockedHeap = LockedHeap::empty();

/// The page of the trampoline.
#[repr(C, align(4096))]
struct Page([u8; 4096]);
static mut PAGE: Page = Page([0; 4096]);

/// Called by the start code with the address of the stage's own start info.
pub(crate) extern "C" fn main(start_info: u32) -> ! {
    match Given::read(start_info.into()) {
        Ok(given) => {
            let Err(error) = boot(&given);
            print(&format!("error: {error}"));
        }
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

fn print(text: &str) {
    for line in text.lines() {
        // Writing to the port cannot fail.
        let _infallible = writeln!(Serial, "pvh-stage: {line}");
    }
}

fn boot(given: &Given) -> Result<Infallible, String> {
    let (bottom, size) = (given.heap.start().0, given.heap.size());
    let bottom = usize::try_from(bottom).map_err(|error| error.to_string())?;
    let size = usize::try_from(size).map_err(|error| error.to_string())?;
    // SAFETY: the range is RAM that holds neither the stage nor its module, and the
    // page tables map it; it stays in the plan's reserved ranges.
    unsafe { HEAP.lock().init(ptr::with_exposed_provenance_mut(bottom), size) };
    let regions: Vec<_> = given.regions().collect();
    let reserved = [given.image, given.module, given.heap];
    let archive = Archive(given.archive());
    let file = |name| archive.file(name).map_err(|error| error.to_string());
    let kernel = file("kernel")?.ok_or("the archive has no file \"kernel\"")?;
    let topology = file("topology.toml")?;
    let initrd = file("initrd")?;
    let command_line = file("cmdline")?.map_or(&b""[..], <[u8]>::trim_ascii_end);
    let own_tables = given.rsdp.0 == 0
        || given.command_line.split(|byte| *byte == b' ').any(|it| it == OWN_TABLES);

    let image = pvh_bzimage::elf_image(kernel).map_err(|error| error.to_string())?;
    let kernel = Kernel::parse(&image).map_err(|error| error.to_string())?;
    if let Cow::Owned(image) = &image {
        print(&format!("kernel unpacked to {} bytes", image.len()));
    }
    let firmware = Firmware::read(&Machine, given.rsdp).map_err(|error| error.to_string())?;
    let mut machine =
        machine(topology, &firmware, boot_apic_id()).map_err(|error| error.to_string())?;
    if own_tables {
        machine.revisions = Revisions::Acpi(AcpiVersion::V6_5);
    }
    let described = machine.topology().map_err(|error| error.to_string())?;
    let tables = if own_tables {
        TableSet::complete(&described).map_err(|error| error.to_string())?
    } else {
        TableSet::new(&described).with_tables(&firmware.others)
    };
    print(&format!(
        "{} CPUs, {} from {}",
        machine.processors.len(),
        if own_tables { "all tables of our own, as" } else { "tables" },
        if topology.is_some() { "topology.toml" } else { "the firmware's SRAT and MADT" },
    ));
    let ram = regions.iter().filter(|it| it.kind == RegionKind::RAM).map(|it| it.range);
    let left_out = uncovered(ram, &machine.memory) >> 20;
    if left_out > 0 {
        print(&format!("{left_out} MiB of RAM are in no node; above 1, Linux drops the SRAT"));
    }

    let modules: Vec<_> =
        initrd.map(|bytes| Module { bytes, command_line: b"" }).into_iter().collect();
    let guest = Guest {
        kernel,
        modules: &modules,
        command_line,
        memory: &regions,
        reserved: &reserved,
        tables,
    };
    let (mut places, mut map) = (vec![None; modules.len()], vec![None; map_len(regions.len())]);
    let plan = Plan::new(guest, Lists { modules: &mut places, map: &mut map })
        .map_err(|error| error.to_string())?;
    print(&plan.to_string());
    let mut buffer = vec![0; plan.tables_len()];
    let entry = plan.carry_out(&mut buffer, &mut Machine).map_err(|error| error.to_string())?;

    let page = ptr::addr_of_mut!(PAGE);
    let address = u64::try_from(page.expose_provenance()).map_err(|error| error.to_string())?;
    // SAFETY: the page is a static that nothing else uses, in memory that the stage's
    // page tables map where it is, writable and executable.
    let trampoline = unsafe { Trampoline::new(address) }.ok_or("the stage is not below 4 GiB")?;
    print("entering the kernel");
    // SAFETY: the stage runs in 64-bit mode at level 0, alone and with interrupts off; the
    // entry is that of the plan just carried out, which leaves out the stage's own image.
    unsafe { trampoline.enter(&entry) }
}
