#!/usr/bin/env bash
# title: a C toolstack makes a guest's tables through hv_glue.h: the bytes of acpi-gen emit
# quick: yes
# packages: gcc libc6-dev python3 valgrind
. .ci/lib.sh

cargo build --quiet --package hv-glue-capi --package acpi-gen-cli
mkdir -p target/c-toolstack
program=(gcc -std=c99 -Wall -Wextra -pedantic -Werror -g -I hv-glue/capi/include examples/c-toolstack/domu_tables.c target/debug/libhvg.a)
"${program[@]}" -fsanitize=address,undefined -fno-sanitize-recover=all -o target/c-toolstack/domu_tables
target/c-toolstack/domu_tables > target/c-toolstack/tables.bin
"${program[@]}" -o target/c-toolstack/plain
under_valgrind target/c-toolstack/plain | cmp - target/c-toolstack/tables.bin
target/debug/acpi-gen emit fixtures/domu/3-2.toml --complete --base 0xFC000000 --out target/c-toolstack/emitted > /dev/null
cmp target/c-toolstack/tables.bin target/c-toolstack/emitted/tables.bin
# And by somebody else's reading of MADT and SRAT.
python3 -B - target/c-toolstack/tables.bin << 'PYTHON'
import pathlib, sys
sys.path.insert(0, ".ci/judge")
import domu_guest, topology
blob = pathlib.Path(sys.argv[1]).read_bytes()
def table(signature):
    at = blob.index(signature)
    return blob[at : at + int.from_bytes(blob[at + 4 : at + 8], "little")]
expected = topology.read(pathlib.Path("fixtures/domu/3-2.toml"))
assert domu_guest.madt(table(b"APIC")) == [(n, cpu.apic_id) for n, cpu in enumerate(expected.cpus)]
cpus, memory = domu_guest.srat(table(b"SRAT"))
assert cpus == [(cpu.pxm, cpu.apic_id) for cpu in expected.cpus]
assert memory == [(it.pxm, it.start, it.end) for it in expected.memory]
assert list(table(b"SLIT")[44:]) == expected.slit()
PYTHON
say "$(stat -c %s target/c-toolstack/tables.bin) bytes, the same from C as from the command"
