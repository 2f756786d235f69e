#!/usr/bin/env bash
# title: check refuses the tables that Linux 6.12 refuses at boot, and takes those that it takes
# quick: no
# packages: debian-archive-keyring python3

cargo build --release --package acpi-gen-cli
python3 -B .ci/judge/verdicts.py --acpi-gen target/release/acpi-gen --busybox "$(static_busybox)" \
  --kernel "$(cloud_kernel bookworm-backports)" --out target/verdicts
