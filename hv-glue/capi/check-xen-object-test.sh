#!/usr/bin/env bash
# usage: check-xen-object-test.sh
#
# Sees check-xen-object.py refuse one object for each of its rules, by that rule's words, and accept a good one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

thunk=''
check() { ./check-xen-object.py $thunk --most-text 64 --most-frame 256 "$work/object.o" > "$work/out" 2>&1; }
refusals=0
refused() { # WORDS: the object whose assembly is on standard input
    gcc -c -x assembler -o "$work/object.o" -
    if check; then echo "accepted, though: $1" >&2 && exit 1; fi
    grep -qF "$1" "$work/out" || { echo "refused, but not for: $1" >&2 && cat "$work/out" >&2 && exit 1; }
    refusals=$((refusals + 1))
}

gcc -c -x assembler -o "$work/object.o" - <<< $'.text\n.globl hvg_f\nhvg_f: call memcpy\nret'
check || { cat "$work/out" >&2 && exit 1; }

refused 'global offset table' <<< $'.text\n.globl hvg_f\nhvg_f: call *memcpy@GOTPCREL(%rip)\nret'
refused 'linked above 4 GiB' <<< $'.text\n.globl hvg_f\nhvg_f: mov $x, %eax\nret\nx: ret'
refused 'freed after boot' <<< $'.text\n.globl hvg_f\nhvg_f: call x\nret\n.section .init.text,"ax"\nx: ret'
refused 'sections of both kinds' <<< $'.text\n.globl hvg_f\nhvg_f: ret\n.section .init.text,"ax"\nx: ret'
refused 'an indirect branch' <<< $'.text\n.globl hvg_f\nhvg_f: call *%rax\nret'
refused 'an indirect branch' <<< $'.text\n.globl hvg_f\nhvg_f: jmp *8(%rax)'
refused 'an indirect branch' <<< $'.text\n.globl hvg_f\nhvg_f: call __x86_indirect_thunk_r11\nret'
refused 'SSE, MMX or x87' <<< $'.text\n.globl hvg_f\nhvg_f: movups %xmm0, (%rax)\nret'
refused 'SSE, MMX or x87' <<< $'.text\n.globl hvg_f\nhvg_f: fld %st(1)\nret'
refused 'malloc: undefined' <<< $'.text\n.globl hvg_f\nhvg_f: call malloc\nret'
refused 'formatting code' <<< $'.text\n.globl hvg_f\nhvg_f: call _ZN4core3fmt5write\nret\n_ZN4core3fmt5write: ret'
refused 'not hvg_*' <<< $'.text\n.globl f\nf: ret'
refused 'text of 65 bytes' <<< $'.text\n.globl hvg_f\nhvg_f: .fill 64, 1, 0x90\nret'
refused 'frame of 272 bytes' <<< $'.text\n.globl hvg_f\nhvg_f: push %rbx\nsub $0x100, %rsp\nadd $0x100, %rsp\npop %rbx\nret'
refused 'nothing in it' <<< $''
refused '__x86_return_thunk: undefined' <<< $'.text\n.globl hvg_f\nhvg_f: jmp __x86_return_thunk'

thunk=--return-thunk
aligned=$'.text\n.globl hvg_f\n.balign 64\nhvg_f: jmp return_thunk\n.balign 32, 0xcc\nreturn_thunk: '
gcc -c -x assembler -o "$work/object.o" - <<< "$aligned ret"
check || { cat "$work/out" >&2 && exit 1; }
refused "a return that is not the thunk's" <<< "$aligned ret"$'\ng: ret'
refused '2 returns' <<< "$aligned ret"$'\n ret'
refused '0 returns' <<< "$aligned int3"
refused 'the first half of a cache line' <<< "$aligned"$'.balign 64, 0xcc\n ret'
refused 'the first half of a cache line' <<< $'.text\n.globl hvg_f\nhvg_f: jmp return_thunk\n.fill 40, 1, 0xcc\nreturn_thunk: ret'
echo "$refusals bad objects refused, good ones accepted"
