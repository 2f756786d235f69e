#!/usr/bin/env bash
# title: the newest kernel that Debian's backports have boots with our tables and reports what the descriptions say
# quick: no
# packages: debian-archive-keyring python3
. .ci/lib.sh

cargo build --release --package acpi-gen-cli
kernels=$(cloud_kernels trixie-backports)
mapfile -t kernels <<< "$kernels"
python3 -B .ci/judge/boots.py --acpi-gen target/release/acpi-gen --busybox "$(static_busybox)" \
  "${kernels[@]}" --out target/newest-kernel uneven gaps memory-only
matrix_kernels "boots of three of the machines" "${kernels[@]}"
