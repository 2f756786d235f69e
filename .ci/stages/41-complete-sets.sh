#!/usr/bin/env bash
# title: fwts and ACPICA's interpreter accept complete sets and find in them what the topologies say
# quick: no
# packages: debian-archive-keyring python3

cargo build --release --package acpi-gen-cli
python3 -B .ci/judge/complete_sets.py --acpi-gen target/release/acpi-gen --in-root "$PWD/.ci/in-root" \
  --fwts "$(.ci/debian with-libs sid fwts)" --acpiexec "$(.ci/debian with-libs trixie acpica-tools)" --out "$PWD/target/complete-sets"
matrix fwts "$(debian_version sid fwts)" "complete sets by all of its ACPI tests"
matrix acpiexec "$(iasl_version "$(.ci/debian with-libs trixie acpica-tools)")" "the DSDTs of complete sets, executed"
