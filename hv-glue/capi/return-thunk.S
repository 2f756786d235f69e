/*
 * Where the objects' functions return to their callers in a Xen with CONFIG_RETURN_THUNK. A copy of each object's own,
 * so that it needs no symbol of Xen's for it. Indirect Target Selection (XSA-469) makes a return unsafe in the first
 * half of a cache line, so this one is in the second; the int3 stops what a processor runs ahead behind it.
 */
        .section .text.return_thunk, "ax", @progbits
        .balign 64
        .fill 32, 1, 0xcc
        .globl __x86_return_thunk
        .type __x86_return_thunk, @function
__x86_return_thunk:
        ret
        int3
        .size __x86_return_thunk, . - __x86_return_thunk
        .section .note.GNU-stack, "", @progbits
