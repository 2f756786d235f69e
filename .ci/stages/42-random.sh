#!/usr/bin/env bash
# title: iasl reads in the tables of random topologies what they say, and in those of random QEMU machines what decode does
# quick: no
# packages: debian-archive-keyring python3

cargo build --release --package acpi-gen-cli
root=$(.ci/debian with-libs trixie acpica-tools)
iasl=("$PWD/.ci/in-root" "$root" usr/bin/iasl)
seed=${RANDOM_SEED:-1}
python3 -B .ci/judge/random_topologies.py 100 "$seed" target/release/acpi-gen "${iasl[@]}"
python3 -B .ci/judge/random_machines.py 50 "$seed" target/random-machines target/release/acpi-gen "${iasl[@]}"
matrix iasl "$(iasl_version "$root")" "100 random topologies, 100 random machines, 50 of them with an HMAT"
