#!/usr/bin/env bash
# usage: xen-objects.sh [--return-thunk] FOLDER
#
# Builds hvg.init.o (the gate, layout, memory map, populate and tables of a dom0: Xen frees it after boot) and hvg.o
# (APIC ids, CPUID and hypercalls) into FOLDER, and checks both. Each holds its own copy of what it uses.
#
# Compiled as Xen is: position-independent without a GOT, no SSE. Core is built with the same flags, since what is
# installed holds SSE code or GOT references. --return-thunk is for a Xen with CONFIG_RETURN_THUNK: every return then
# goes through a thunk of the object's own (return-thunk.S). There is no indirect branch that would need another.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. .ci/lib.sh
thunk=()
if [ "${1-}" = --return-thunk ]; then thunk=("$1") && shift; fi
out=$(realpath -m "${1:?usage: xen-objects.sh [--return-thunk] FOLDER}")
here=hv-glue/capi
target=x86_64-unknown-none

boot=(hvg_plan_len hvg_plan_make hvg_plan_unmet hvg_plan_trim hvg_plan_layout hvg_plan_populate hvg_plan_next hvg_plan_report
    hvg_plan_tables_len hvg_plan_tables_emit hvg_merge_pxm_ranges hvg_strerror)
run=(hvg_apic_ids hvg_cpuid_patch hvg_mfn_pxms)

flags=(-Crelro-level=off -Crelocation-model=pie -Cjump-tables=no)
if [ ${#thunk[@]} -gt 0 ]; then
    # Not stable: the compiler's bootstrap switch is needed.
    export RUSTC_BOOTSTRAP=1
    flags+=(-Zfunction-return=thunk-extern)
fi
export_target_flags $target "${flags[@]}"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/xen
# Alone as a static library, so that link-time optimisation applies.
cargo rustc --quiet --release --package hv-glue-capi --target $target --crate-type staticlib
archive=$(realpath "$CARGO_TARGET_DIR/$target/release/libhvg.a")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mapfile -t members < <(ar t "$archive" | grep -v '^compiler_builtins-')
(cd "$work" && ar x "$archive" "${members[@]}")
parts=("$work"/*.rcgu.o)
if [ ${#thunk[@]} -gt 0 ]; then
    gcc -c -o "$work/return-thunk.o" $here/return-thunk.S
    parts+=("$work/return-thunk.o")
fi
mkdir -p "$out"
cut_out() { # NAME KIND TEXT FRAME SYMBOL...: the part of the archive that the symbols reach, those alone global
    local name=$1 kind=$2 text=$3 frame=$4 symbol keep=() roots=()
    shift 4
    for symbol; do keep+=("--keep-global-symbol=$symbol"); roots+=(-u "$symbol"); done
    ld -r --gc-sections -z noexecstack "${roots[@]}" -T "$here/xen-$kind.lds" -o "$work/$name" "${parts[@]}"
    # Xen's symbol table names this one, too, and takes no name twice.
    objcopy "${keep[@]}" --redefine-sym "__x86_return_thunk=${name%.o}.return_thunk" "$work/$name"
    $here/check-xen-object.py --kind "$kind" "${thunk[@]}" --most-text "$text" --most-frame "$frame" "$work/$name"
    # The two have local functions of one name, which Xen's symbol table does not take.
    objcopy --strip-unneeded "$work/$name" "$out/$name"
}
# The sizes of text and frame are what there is, and a little; Xen's stack has 8 KiB for all of a call.
cut_out hvg.init.o boot 77000 1900 "${boot[@]}"
cut_out hvg.o run 9800 650 "${run[@]}"
