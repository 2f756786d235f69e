#!/usr/bin/env bash
# title: Linux 6.1 and 6.12 boot with our tables and report what the descriptions say
# quick: yes
# packages: debian-archive-keyring python3

cargo build --release --package acpi-gen-cli
python3 -B .ci/judge/boots.py --acpi-gen target/release/acpi-gen --busybox "$(static_busybox)" \
  --kernel 6.1="$(cloud_kernel bookworm)" --kernel 6.12="$(cloud_kernel bookworm-backports)" --out target/kernel-boots
