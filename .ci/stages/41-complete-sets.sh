#!/usr/bin/env bash
# title: fwts and ACPICA's interpreter accept complete sets and find in them what the topologies say
# quick: no
# packages: debian-archive-keyring python3

cargo build --release --package acpi-gen-cli
fwts=$(.ci/debian with-libs "sid|testing" fwts)
acpica=$(.ci/debian with-libs trixie acpica-tools)
python3 -B .ci/judge/complete_sets.py --acpi-gen target/release/acpi-gen --in-root "$PWD/.ci/in-root" \
  --fwts "$fwts" --acpiexec "$acpica" --out "$PWD/target/complete-sets"
matrix fwts "$(package_version "$fwts" fwts)" "complete sets by all of its ACPI tests"
matrix acpiexec "$(iasl_version "$acpica")" "the DSDTs of complete sets, executed"
