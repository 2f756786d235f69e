#!/usr/bin/env bash
# title: hvm_start_info has the layout of Xen's public header, by a C compiler
# quick: yes
# packages: gcc libc6-dev python3

root=$(.ci/debian only trixie libxen-dev)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -B .ci/judge/start_info.py > "$work/check.c"
gcc -isystem "$root/usr/include" -fsyntax-only "$work/check.c"
checks=$(grep -c '^_Static_assert' "$work/check.c")
say "$checks sizes, offsets and numbers are those of Xen's public headers"

# Each check can fail: with one more than is right, none of them passes.
sed -E 's/^(_Static_assert.*== )(0x[0-9a-f]+|[0-9]+),/\11 + \2,/' "$work/check.c" > "$work/wrong.c"
refused=$(gcc -isystem "$root/usr/include" -fsyntax-only "$work/wrong.c" 2>&1 | grep -c 'error: static assertion failed' || true)
[ "$refused" = "$checks" ] || die "$checks wrong values, but the compiler refuses $refused"
