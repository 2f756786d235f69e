//! The jump: from 64-bit mode with paging into a PVH kernel's 32-bit entry, with
//! the registers of an [`EntryState`].
//!
//! Paging can only be switched off by code that runs at its physical address below
//! 4 GiB. A loader may itself run elsewhere, so [`Trampoline`] copies that code into
//! a page that the caller chooses, with the descriptor table that it needs.

use core::arch::{asm, global_asm};
use core::ptr;

use pvh_loader::EntryState;

/// Bytes of the page that a [`Trampoline`] takes, and its alignment.
pub const PAGE: u64 = 0x1000;

/// Where the descriptor table stands in the page, behind the code.
const TABLE_OFFSET: usize = 0x800;
/// The descriptor table: null, code, data, task.
type Table = [u64; 4];
/// Its last byte.
const TABLE_LIMIT: u16 = 4 * 8 - 1;
/// Selectors: a descriptor's index times its 8 bytes.
const CODE: u64 = 1 << 3;
const DATA: u32 = 2 << 3;
const TASK: u32 = 3 << 3;

// Position-independent 32-bit code. In: EAX is the new CR0, EDI the new CR4, EBX the
// start info, ESI the entry point; CS is the new 32-bit segment already.
// Intel SDM volume 3A, 11.8.5.4, "Switching Out of IA-32e Mode Operation".
global_asm!(
    ".globl pvh_jump_code",
    ".globl pvh_jump_code_end",
    ".code32",
    "pvh_jump_code:",
    // Paging off: this code lies where it says it does, so it goes on.
    "mov ebp, eax",
    "mov ecx, cr0",
    "and ecx, 0x7fffffff",
    "mov cr0, ecx",
    // EFER.LME off: the kernel decides on its own paging.
    "mov ecx, 0xc0000080",
    "rdmsr",
    "and eax, 0xfffffeff",
    "wrmsr",
    "mov cr4, edi",
    "mov cr0, ebp",
    "mov ecx, {data}",
    "mov ds, ecx",
    "mov es, ecx",
    "mov ss, ecx",
    "mov fs, ecx",
    "mov gs, ecx",
    "mov ecx, {task}",
    "ltr cx",
    "jmp esi",
    "pvh_jump_code_end:",
    ".code64",
    data = const DATA,
    task = const TASK,
);

unsafe extern "C" {
    static pvh_jump_code: u8;
    static pvh_jump_code_end: u8;
}

/// What LGDT reads: limit and address of the table. Intel SDM volume 3A, 3.5.1.
#[repr(C, packed)]
struct TableRegister {
    limit: u16,
    base: *mut Table,
}

/// The code that leaves 64-bit mode, in a page of its own.
#[derive(Debug)]
pub struct Trampoline {
    page: u32,
    table: *mut Table,
}

impl Trampoline {
    /// Writes the code into the page at `page`, or does nothing and returns `None`
    /// where that is not aligned to [`PAGE`] or not below 4 GiB.
    ///
    /// # Safety
    /// The [`PAGE`] bytes at `page` are memory that can be written and executed, is
    /// mapped at its physical address, and is the caller's alone to give away.
    pub unsafe fn new(page: u64) -> Option<Self> {
        let page = u32::try_from(page).ok().filter(|page| u64::from(*page) % PAGE == 0)?;
        let code = &raw const pvh_jump_code;
        let end = &raw const pvh_jump_code_end;
        // SAFETY: both symbols belong to one piece of code, the second behind the first.
        let len = usize::try_from(unsafe { end.offset_from(code) }).ok()?;
        let to = ptr::with_exposed_provenance_mut::<u8>(usize::try_from(page).ok()?);
        // SAFETY: `len` bytes of code lie at `code`; the caller gives the page, which is
        // longer (the descriptor table stands behind the code) and not part of this program.
        unsafe { ptr::copy_nonoverlapping(code, to, len) };
        Some(Self { page, table: to.wrapping_add(TABLE_OFFSET).cast() })
    }

    /// Leaves 64-bit mode and enters the kernel.
    ///
    /// # Safety
    /// - The processor is in 64-bit mode at privilege level 0.
    /// - `state` is what [`Plan::carry_out`](pvh_loader::Plan::carry_out) returned, and
    ///   the guest still stands in memory at its physical addresses. The page of the
    ///   trampoline and this program's stack are no part of it.
    /// - Nothing needs this program any more: no firmware service, no other processor,
    ///   no interrupt handler. A non-maskable interrupt on the way is fatal.
    pub unsafe fn enter(self, state: &EntryState) -> ! {
        let table = [0, state.cs.descriptor, state.data.descriptor, state.tr.descriptor];
        // SAFETY: the page is the trampoline's since `new`; the table lies in it, aligned to 8.
        unsafe { self.table.write(table) };
        let register = TableRegister { limit: TABLE_LIMIT, base: self.table };
        // SAFETY: the caller vouches for mode, privilege and that nothing is needed any
        // more. The far return loads the 32-bit code segment of the table just written and
        // goes on in the page, which is mapped at its physical address.
        unsafe {
            asm!(
                "cli",
                "lgdt [{register}]",
                "push {flags}",
                "popfq",
                "mov rbx, rdx",
                "push {code}",
                "push {page}",
                "retfq",
                register = in(reg) &raw const register,
                flags = in(reg) u64::from(state.eflags),
                code = const CODE,
                page = in(reg) u64::from(self.page),
                in("eax") state.cr0,
                in("edi") state.cr4,
                in("edx") state.ebx,
                in("esi") state.eip,
                options(noreturn),
            )
        }
    }
}
