#!/usr/bin/env bash
# title: Linux loses of broken sets what check says that it loses
# quick: no
# packages: debian-archive-keyring python3
. .ci/lib.sh

cargo build --release --package acpi-gen-cli
python3 -B .ci/judge/broken_sets.py --acpi-gen target/release/acpi-gen --busybox "$(static_busybox)" \
  --kernel "$(cloud_kernel bookworm-backports)" --out "$PWD/target/broken-sets"
