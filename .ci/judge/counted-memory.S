/* The C library's memory functions for .ci/judge/instructions.py. The C library selects other
   code on each CPU model; here every byte is one instruction to callgrind, on any CPU. */
	.intel_syntax noprefix
	.text
	.macro function name:vararg
	.irp symbol, \name
	.globl \symbol
	.type \symbol, @function
\symbol:
	.endr
	.endm

	function memmove
	mov rax, rdi
	sub rax, rsi
	cmp rax, rdx
	jae memcpy		/* The destination does not start within the source. */
	mov rax, rdi
	mov rcx, rdx
	lea rsi, [rsi + rdx - 1]
	lea rdi, [rdi + rdx - 1]
	std
	rep movsb
	cld
	ret

	function memcpy
	mov rax, rdi
	mov rcx, rdx
	rep movsb
	ret

	function memset
	mov r8, rdi
	mov eax, esi
	mov rcx, rdx
	rep stosb
	mov rax, r8
	ret

	function memcmp, bcmp
	mov rcx, rdx
	xor eax, eax		/* Sets ZF: no bytes are equal bytes. */
	repe cmpsb
	je 1f
	movzx eax, byte ptr [rdi - 1]
	movzx ecx, byte ptr [rsi - 1]
	sub eax, ecx
1:	ret

	.section .note.GNU-stack, "", @progbits
