#!/usr/bin/env bash
# title: the fuzz corpora alone cover the libraries' lines, down to a floor
# quick: no
# packages: debian-archive-keyring python3
. .ci/lib.sh

# The profile format is that of rustc's own LLVM.
llvm=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
root=$(.ci/debian with-libs "sid|testing|trixie-backports|trixie" "llvm-$llvm")
tool() { .ci/in-root "$root" "usr/lib/llvm-$llvm/bin/$1" "${@:2}"; }

dir=$PWD/target/coverage
rm -rf "$dir/profiles"
mkdir -p "$dir"
# Only this workspace's packages are counted, and built for it: dependencies stay as they are. Where rustc builds
# incrementally it does not by itself inline small functions into other crates, where they would not be counted.
CARGO_INCREMENTAL=1 RUSTC_WORKSPACE_WRAPPER=$PWD/.ci/counted cargo test --package fuzz --test replay --no-run --target-dir "$dir" --message-format json > "$dir/build.json"
binary=$(sed -n 's/.*"executable":"\([^"]*replay-[^"]*\)".*/\1/p' "$dir/build.json")
LLVM_PROFILE_FILE=$dir/profiles/%p.profraw "$binary" --quiet
tool llvm-profdata merge --sparse "$dir"/profiles/*.profraw -o "$dir/all.profdata"
tool llvm-cov export --summary-only --instr-profile "$dir/all.profdata" "$binary" > "$dir/summary.json"
python3 -B .ci/coverage-floor.py "$dir/summary.json" acpi-gen/src=90 hv-glue/src=90 pvh-loader/src=90
