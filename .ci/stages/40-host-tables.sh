#!/usr/bin/env bash
# title: tables of QEMU's machines are decoded as iasl decodes them, with the verdicts of Linux; this machine's are printed
# quick: yes
# packages: debian-archive-keyring python3

cargo build --release --package acpi-gen-cli
iasl=$(.ci/debian with-libs trixie acpica-tools)
python3 -B .ci/judge/host_tables.py --acpi-gen target/release/acpi-gen \
  --iasl "$PWD/.ci/in-root" "$iasl" usr/bin/iasl \
  --busybox "$(static_busybox)" --kernel "$(cloud_kernel bookworm)" --out target/host-tables
python3 -B .ci/judge/templates.py --acpi-gen target/release/acpi-gen --out "$PWD/target/templates" \
  --iasl "$PWD/.ci/in-root" "$iasl" usr/bin/iasl
matrix iasl "$(iasl_version "$iasl")" "QEMU's own tables, as decode reads them"
