#!/usr/bin/env bash
# title: instructions of tables, checks, ids and plans are those of the baseline and grow as promised; times beside acpi_tables' are printed
# quick: no
# packages: binutils gcc libc6-dev python3 valgrind

# BLESS=1 writes the counts as the new baseline. Flags of the user's environment would change the code that is counted.
export CARGO_INCREMENTAL=0 RUSTFLAGS=
benches=(--package acpi-gen --bench tables --package hv-glue --bench plan --features hv-glue/alloc)
mkdir -p target/instructions
cargo bench "${benches[@]}" --no-run --message-format json > target/instructions/build.json
programs=()
for bench in tables plan; do
  programs+=("$bench=$(sed -n "s/.*\"executable\":\"\([^\"]*\/$bench-[^\"]*\)\".*/\1/p" target/instructions/build.json | grep .)")
done
bless=()
if [ "${BLESS-}" = 1 ]; then bless=(--bless); fi
gcc -shared -nostdlib -o target/instructions/memory.so .ci/judge/counted-memory.S
python3 -B .ci/judge/instructions.py --memory target/instructions/memory.so "${bless[@]}" "${programs[@]}"

# For reading only: times depend on the machine and on its load.
cargo bench "${benches[@]}"
