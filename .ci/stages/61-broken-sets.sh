#!/usr/bin/env bash
# title: Linux loses of broken sets what check says that it loses
# quick: no
# packages: debian-archive-keyring python3
. .ci/lib.sh

cargo build --release --package acpi-gen-cli
kernel=$(cloud_kernel bookworm-backports)
python3 -B .ci/judge/broken_sets.py --acpi-gen target/release/acpi-gen --busybox "$(static_busybox)" \
  --kernel "$kernel" --out "$PWD/target/broken-sets"
matrix Linux "$(kernel_version "$kernel")" "broken sets, against check"
