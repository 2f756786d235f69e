//! From the 32-bit PVH entry to Rust in 64-bit mode. Xen docs/misc/pvh.pandoc;
//! Intel SDM volume 3A, 11.8.5, "Initializing IA-32e Mode".

use core::arch::global_asm;

/// Bytes of the stack; the xz decoder wants 40 KiB of it.
const STACK: usize = 256 << 10;
/// XEN_ELFNOTE_PHYS32_ENTRY.
const PHYS32_ENTRY: u32 = 18;

global_asm!(
    ".pushsection .note.Xen, \"a\", @note",
    ".balign 4",
    ".long 4, 4, {note}",
    ".asciz \"Xen\"",
    ".long stage_start",
    ".popsection",

    // One table of each level above, and one of 2 MiB pages for each of the first four GiB.
    ".pushsection .bss.stage, \"aw\", @nobits",
    ".balign 4096",
    "stage_level4: .skip 4096",
    "stage_level3: .skip 4096",
    "stage_level2: .skip 4 * 4096",
    "stage_stack: .skip {stack}",
    "stage_stack_end:",
    ".popsection",

    ".pushsection .rodata.stage, \"a\"",
    ".balign 8",
    "stage_gdt: .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff",
    "stage_gdt_register: .word 23",
    ".long stage_gdt",
    ".popsection",

    ".pushsection .text.stage, \"ax\"",
    ".code32",
    ".globl stage_start",
    "stage_start:",
    "cld",
    "mov esp, offset stage_stack_end",
    // The loader has zeroed .bss. Present and writable: 3; large page too: 0x83.
    "mov eax, offset stage_level3",
    "or eax, 3",
    "mov [stage_level4], eax",
    "mov eax, offset stage_level2",
    "or eax, 3",
    "xor ecx, ecx",
    "2: mov [stage_level3 + ecx * 8], eax",
    "add eax, 4096",
    "inc ecx",
    "cmp ecx, 4",
    "jne 2b",
    "mov eax, 0x83",
    "xor ecx, ecx",
    "3: mov [stage_level2 + ecx * 8], eax",
    "add eax, 0x200000",
    "inc ecx",
    "cmp ecx, 2048",
    "jne 3b",
    // CR4.PAE, CR3, EFER.LME, CR0.PG.
    "mov eax, 0x20",
    "mov cr4, eax",
    "mov eax, offset stage_level4",
    "mov cr3, eax",
    "mov ecx, 0xc0000080",
    "rdmsr",
    "or eax, 0x100",
    "wrmsr",
    "mov eax, 0x80000001",
    "mov cr0, eax",
    "lgdt [stage_gdt_register]",
    // A far return to the 64-bit segment; by EAX, as pushing a symbol makes a 16-bit relocation.
    "push 8",
    "mov eax, offset stage_long",
    "push eax",
    "retf",
    ".code64",
    "stage_long:",
    "mov eax, 0x10",
    "mov ds, eax",
    "mov es, eax",
    "mov ss, eax",
    "mov edi, ebx",
    "xor ebp, ebp",
    "call {main}",
    "ud2",
    ".popsection",
    note = const PHYS32_ENTRY,
    stack = const STACK,
    main = sym crate::stage::main,
);
