#!/usr/bin/env bash
# usage: check-xen-object-test.sh
#
# Sees check-xen-object.py refuse one object for each of its rules, by that rule's words, and accept a good one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

thunk='' kind=run
check() { ./check-xen-object.py --kind $kind $thunk --most-text 64 --most-frame 256 "$work/object.o" > "$work/out" 2>&1; }
refusals=0
refused() { # WORDS: the object whose assembly is on standard input
    gcc -c -x assembler -o "$work/object.o" -
    if check; then echo "accepted, though: $1" >&2 && exit 1; fi
    grep -qF "$1" "$work/out" || { echo "refused, but not for: $1" >&2 && cat "$work/out" >&2 && exit 1; }
    refusals=$((refusals + 1))
}

accepted() { # the object whose assembly is on standard input
    gcc -c -x assembler -o "$work/object.o" -
    check || { cat "$work/out" >&2 && exit 1; }
}
body() { # INSTRUCTIONS: of a function that returns
    printf '.text\n.globl hvg_f\nhvg_f: %b\nret\n' "$1"
}

accepted <<< "$(body 'call memcpy')"
# Ways to move the stack pointer that are counted, and what only looks like a floating-point instruction.
accepted <<< "$(body 'add $-128, %rsp\nlea -8(%rsp), %rsp\nlea 8(%rsp), %rsp\nsub $-128, %rsp\ncmp %rax, %rsp\nmov %rsp, %rax\nlodsb %fs:(%rsi), %al')"
grep -qF 'frame 144 bytes' "$work/out" || { cat "$work/out" >&2 && exit 1; }

refused 'global offset table' <<< $'.text\n.globl hvg_f\nhvg_f: call *memcpy@GOTPCREL(%rip)\nret'
for move in $'mov $x, %eax' $'mov $x, %rax' $'mov $x, %ax' $'mov $x, %al'; do
    refused 'linked above 4 GiB' <<< "$(body "$move\nx: nop")"
done
refused 'freed after boot' <<< $'.text\n.globl hvg_f\nhvg_f: call x\nret\n.section .init.text,"ax"\nx: ret'
refused '.init.text: not a section of an object of the kind run' <<< $'.text\n.globl hvg_f\nhvg_f: ret\n.section .init.text,"ax"\nx: ret'
kind=boot
accepted <<< $'.section .init.text,"ax"\n.globl hvg_f\nhvg_f: ret'
refused '.text: not a section of an object of the kind boot' <<< "$(body nop)"
kind=run
refused 'an indirect branch' <<< $'.text\n.globl hvg_f\nhvg_f: call *%rax\nret'
refused 'an indirect branch' <<< $'.text\n.globl hvg_f\nhvg_f: jmp *8(%rax)'
refused 'an indirect branch' <<< $'.text\n.globl hvg_f\nhvg_f: call __x86_indirect_thunk_r11\nret'
for float in 'movups %xmm0, (%rax)' 'fld %st(1)' 'fldl (%rax)' 'fninit' 'fwait' 'fxsave (%rax)' 'ldmxcsr (%rax)' 'stmxcsr (%rax)' \
    'vldmxcsr (%rax)' 'xsavec (%rax)' 'xsaves (%rax)' 'xrstor (%rax)' 'vzeroupper' 'emms' 'kmovw %eax, %k1' 'movd %eax, %mm0'; do
    refused "${float%% *}" <<< "$(body "$float")"
    grep -qF 'SSE, MMX or x87' "$work/out"
done
for move in 'mov %rbp, %rsp' $'and $-16, %rsp' 'lea (%rsp, %rax), %rsp' 'sub %rax, %rsp' 'leave' $'enter $512, $0' 'xchg %rsp, %rax' \
    'pop %rsp' 'add (%rax), %rsp' 'mov %eax, %esp' 'inc %rsp' 'mov 8(%rip), %rsp'; do
    refused 'a frame that cannot be counted' <<< "$(body "$move")"
done
refused 'malloc: undefined' <<< $'.text\n.globl hvg_f\nhvg_f: call malloc\nret'
refused 'formatting code' <<< $'.text\n.globl hvg_f\nhvg_f: call _ZN4core3fmt5write\nret\n_ZN4core3fmt5write: ret'
refused 'f: global, but not hvg_*' <<< $'.text\n.globl f\nf: ret'
refused 'f: weak, but not hvg_*' <<< $'.text\n.weak f\nf: ret'
refused 'text of 65 bytes' <<< $'.text\n.globl hvg_f\nhvg_f: .fill 64, 1, 0x90\nret'
refused 'frame of 272 bytes' <<< $'.text\n.globl hvg_f\nhvg_f: push %rbx\nsub $0x100, %rsp\nadd $0x100, %rsp\npop %rbx\nret'
refused 'frame of 520 bytes' <<< "$(body 'add $-512, %rsp')"
refused 'frame of 520 bytes' <<< "$(body 'lea -512(%rsp), %rsp')"
refused 'frame of 272 bytes' <<< "$(body $'.rept 16\npushf\npush $1\n.endr\nsub $8, %rsp')"
refused 'nothing in it' <<< $''
refused '__x86_return_thunk: undefined' <<< $'.text\n.globl hvg_f\nhvg_f: jmp __x86_return_thunk'

thunk=--return-thunk
aligned=$'.text\n.globl hvg_f\n.balign 64\nhvg_f: jmp return_thunk\n.balign 32, 0xcc\nreturn_thunk: '
accepted <<< "$aligned ret"
refused "a return that is not the thunk's" <<< "$aligned ret"$'\ng: ret'
refused '2 returns' <<< "$aligned ret"$'\n ret'
refused '0 returns' <<< "$aligned int3"
refused 'the first half of a cache line' <<< "$aligned"$'.balign 64, 0xcc\n ret'
refused 'the first half of a cache line' <<< $'.text\n.globl hvg_f\nhvg_f: jmp return_thunk\n.fill 40, 1, 0xcc\nreturn_thunk: ret'
echo "$refusals bad objects refused, good ones accepted"
