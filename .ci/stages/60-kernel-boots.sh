#!/usr/bin/env bash
# title: Linux 6.1 and 6.12 boot with our tables and report what the descriptions say
# quick: yes
# packages: debian-archive-keyring python3

cargo build --release --package acpi-gen-cli
kernels=$(cloud_kernels bookworm bookworm-backports)
mapfile -t kernels <<< "$kernels"
python3 -B .ci/judge/boots.py --acpi-gen target/release/acpi-gen --busybox "$(static_busybox)" \
  "${kernels[@]}" --out target/kernel-boots
matrix_kernels "boots of all machines of fixtures/qemu" "${kernels[@]}"
