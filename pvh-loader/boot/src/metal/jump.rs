//! The jump: from 64-bit mode with paging into a PVH kernel's 32-bit entry, with
//! the registers of an [`EntryState`].
//!
//! Paging can only be switched off by code that runs at its physical address below
//! 4 GiB. A loader may itself run elsewhere, so [`Trampoline`] copies that code into
//! a page that the caller chooses, with the descriptor table that it needs.

use core::arch::{asm, global_asm};
use core::mem::offset_of;
use core::ptr;

use crate::Staging;
use pvh_loader::EntryState;

/// Bytes of the page that a [`Trampoline`] takes, and its alignment.
pub const PAGE: u64 = 0x1000;

/// Where the trampoline's data stands in the page, behind the code.
const DATA_OFFSET: usize = 0x800;
/// Selectors: a descriptor's index times its 8 bytes.
const CODE: u64 = 1 << 3;
const DATA: u32 = 2 << 3;
const TASK: u32 = 3 << 3;

/// What the code reads from its page.
#[repr(C)]
struct Handover {
    /// The descriptor table: null, code, data, task.
    table: [u64; 4],
    cr0: u32,
    cr4: u32,
    ebx: u32,
    eip: u32,
    /// Bytes to move before the kernel is entered: from, to, and how many.
    from: u32,
    to: u32,
    len: u32,
}

/// The descriptor table's last byte.
const TABLE_LIMIT: u16 = 4 * 8 - 1;

// Position-independent 32-bit code. In: EBP is the handover's address; CS is the new
// 32-bit segment already. It uses no stack.
// Intel SDM volume 3A, 11.8.5.4, "Switching Out of IA-32e Mode Operation".
global_asm!(
    ".globl pvh_jump_code",
    ".globl pvh_jump_code_end",
    ".code32",
    "pvh_jump_code:",
    "mov ecx, {data}",
    "mov ds, ecx",
    "mov es, ecx",
    "mov ss, ecx",
    "mov fs, ecx",
    "mov gs, ecx",
    // Paging off: this code lies where it says it does, so it goes on.
    "mov ecx, cr0",
    "and ecx, 0x7fffffff",
    "mov cr0, ecx",
    // EFER.LME off: the kernel decides on its own paging.
    "mov ecx, 0xc0000080",
    "rdmsr",
    "and eax, 0xfffffeff",
    "wrmsr",
    "mov eax, [ebp + {cr4}]",
    "mov cr4, eax",
    "mov eax, [ebp + {cr0}]",
    "mov cr0, eax",
    "mov ecx, {task}",
    "ltr cx",
    // No page tables, no stack and no firmware are in the way any more.
    "cld",
    "mov esi, [ebp + {from}]",
    "mov edi, [ebp + {to}]",
    "mov ecx, [ebp + {len}]",
    "rep movsb",
    "mov ebx, [ebp + {ebx}]",
    "mov eax, [ebp + {eip}]",
    "jmp eax",
    "pvh_jump_code_end:",
    ".code64",
    data = const DATA,
    task = const TASK,
    cr0 = const offset_of!(Handover, cr0),
    cr4 = const offset_of!(Handover, cr4),
    ebx = const offset_of!(Handover, ebx),
    eip = const offset_of!(Handover, eip),
    from = const offset_of!(Handover, from),
    to = const offset_of!(Handover, to),
    len = const offset_of!(Handover, len),
);

unsafe extern "C" {
    static pvh_jump_code: u8;
    static pvh_jump_code_end: u8;
}

/// What LGDT reads: limit and address of the table. Intel SDM volume 3A, 3.5.1.
#[repr(C, packed)]
struct TableRegister {
    limit: u16,
    base: u64,
}

/// The code that leaves 64-bit mode, in a page of its own.
#[derive(Debug)]
pub struct Trampoline {
    page: u32,
    handover: *mut Handover,
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
        Some(Self { page, handover: to.wrapping_add(DATA_OFFSET).cast() })
    }

    /// Leaves 64-bit mode, moves what was staged to its place, and enters the kernel.
    ///
    /// # Safety
    /// - The processor is in 64-bit mode at privilege level 0.
    /// - `state` is what [`Plan::write_guest`](pvh_loader::Plan::write_guest) returned, and
    ///   the guest still stands in memory at its physical addresses, but for what is
    ///   staged, which does not overlap its own place. The trampoline's page is no part
    ///   of the guest, nor is this program's stack but for what is staged.
    /// - Nothing needs this program any more: no firmware service, no other processor,
    ///   no interrupt handler. A non-maskable interrupt on the way is fatal.
    pub unsafe fn enter(self, staged: Option<Staging>, state: &EntryState) -> ! {
        // A plan lies below 4 GiB, and staging does.
        let low = |value: u64| u32::try_from(value).unwrap_or(0);
        let (from, to, len) = staged.map_or((0, 0, 0), |Staging { range, at }| {
            (low(at.0), low(range.start().0), low(range.size()))
        });
        let handover = Handover {
            table: [0, state.cs.descriptor, state.data.descriptor, state.tr.descriptor],
            cr0: state.cr0,
            cr4: state.cr4,
            ebx: state.ebx,
            eip: state.eip,
            from,
            to,
            len,
        };
        // SAFETY: the page is the trampoline's since `new`; the handover lies in it, aligned.
        unsafe { self.handover.write(handover) };
        let base = u64::try_from(self.handover.expose_provenance()).unwrap_or(0);
        let register = TableRegister { limit: TABLE_LIMIT, base };
        // SAFETY: the caller vouches for mode, privilege and that nothing is needed any
        // more. The far return loads the 32-bit code segment of the table just written and
        // goes on in the page, which is mapped at its physical address.
        unsafe {
            asm!(
                "cli",
                "lgdt [{register}]",
                "push {flags}",
                "popfq",
                "push {code}",
                "push {page}",
                "mov rbp, {handover}",
                "retfq",
                register = in(reg) &raw const register,
                flags = in(reg) u64::from(state.eflags),
                code = const CODE,
                page = in(reg) u64::from(self.page),
                handover = in(reg) base,
                options(noreturn),
            )
        }
    }
}
