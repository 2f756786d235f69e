#!/usr/bin/env bash
# title: the C interface from C under sanitizers and valgrind, its header as C99 and C++17, and the objects for Xen
# quick: yes
# packages: gcc g++ libc6-dev binutils python3 valgrind

include=hv-glue/capi/include
warnings=(-Wall -Wextra -pedantic -Werror)
echo '#include "hv_glue.h"' | gcc -std=c99 "${warnings[@]}" -I$include -x c -fsyntax-only -
echo '#include "hv_glue.h"' | g++ -std=c++17 "${warnings[@]}" -I$include -x c++ -fsyntax-only -

cargo build --quiet --package hv-glue-capi
mkdir -p target/capi
tests=(gcc -std=c99 "${warnings[@]}" -g "-I$include" hv-glue/capi/tests/c/*.c target/debug/libhvg.a)
"${tests[@]}" -fsanitize=address,undefined -fno-sanitize-recover=all -o target/capi/tests
target/capi/tests
# That program calls all there is.
grep -oE '\bhvg_[a-z0-9_]+\(' $include/hv_glue.h | sort -u > target/capi/functions
[ "$(wc -l < target/capi/functions)" -gt 10 ] || die "the header's functions are not found"
while read -r function; do
  grep -qF "$function" hv-glue/capi/tests/c/*.c || die "no test in C calls $function)"
done < target/capi/functions

# Valgrind sees what no compiler put in: values that nobody wrote, and all that Rust does with C's memory.
echo 'int main(void) { int nobody_wrote[2]; return nobody_wrote[1] ? 2 : 3; }' | gcc -O0 -w -x c - -o target/capi/uninitialised
result=0
under_valgrind target/capi/uninitialised 2> /dev/null || result=$?
[ $result = 99 ] || die "valgrind does not see a value that nobody wrote"
"${tests[@]}" -o target/capi/plain
under_valgrind target/capi/plain

# The check of the objects is seen to fail before the objects pass it.
hv-glue/capi/check-xen-object-test.sh
hv-glue/capi/xen-objects.sh target/capi/xen
hv-glue/capi/xen-objects.sh --return-thunk target/capi/xen-return-thunk
