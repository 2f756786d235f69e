#!/usr/bin/env bash
# title: the hypercall structures agree with Xen's public headers, by a C compiler
# quick: yes
# packages: gcc libc6-dev
. .ci/lib.sh

cargo build --quiet -p xen-hypercall
root=$(.ci/debian only trixie libxen-dev)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/include"
cp -r "$root/usr/include/xen" "$work/include/xen"
arguments=()
ours=hv-glue/xen/tree/include/public/hv_glue.h
if [ -e "$ours" ]; then
  cp "$ours" "$work/include/xen/"
  arguments=(hv-glue)
fi
compile() { # FILE
  gcc -std=gnu11 -D__XEN_TOOLS__ -isystem "$work/include" -fsyntax-only "$1"
}

target/debug/xen-header-check "${arguments[@]}" > "$work/check.c"
compile "$work/check.c"
checks=$(grep -c '^_Static_assert' "$work/check.c")
say "$checks sizes, offsets and numbers are those of Xen's public headers"

# Each check can fail: with one more than is right, none of them passes.
sed -E 's/^(_Static_assert.*== )([0-9]+)/\11 + \2/' "$work/check.c" > "$work/wrong.c"
refused=$(compile "$work/wrong.c" 2>&1 | grep -c 'error: static assertion failed' || true)
[ "$refused" = "$checks" ] || die "$checks wrong values, but the compiler refuses $refused"
