#!/usr/bin/env bash
# title: the C interface from C under sanitizers, its header as C99 and C++17, and the objects for Xen
# quick: yes
# packages: gcc g++ libc6-dev binutils python3

include=hv-glue/capi/include
warnings=(-Wall -Wextra -pedantic -Werror)
echo '#include "hv_glue.h"' | gcc -std=c99 "${warnings[@]}" -I$include -x c -fsyntax-only -
echo '#include "hv_glue.h"' | g++ -std=c++17 "${warnings[@]}" -I$include -x c++ -fsyntax-only -

cargo build --quiet --package hv-glue-capi
mkdir -p target/capi
gcc -std=c99 "${warnings[@]}" -fsanitize=address,undefined -fno-sanitize-recover=all -g -I$include \
  hv-glue/capi/tests/c/*.c target/debug/libhvg.a -o target/capi/tests
target/capi/tests
# That program calls all there is.
grep -oE '\bhvg_[a-z0-9_]+\(' $include/hv_glue.h | sort -u > target/capi/functions
[ "$(wc -l < target/capi/functions)" -gt 10 ] || die "the header's functions are not found"
while read -r function; do
  grep -qF "$function" hv-glue/capi/tests/c/*.c || die "no test in C calls $function)"
done < target/capi/functions

# The check of the objects is seen to fail before the objects pass it.
hv-glue/capi/check-xen-object-test.sh
hv-glue/capi/xen-objects.sh target/capi/xen
hv-glue/capi/xen-objects.sh --return-thunk target/capi/xen-return-thunk
