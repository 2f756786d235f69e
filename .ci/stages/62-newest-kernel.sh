#!/usr/bin/env bash
# title: the newest kernel that Debian's backports have boots with our tables and reports what the descriptions say
# quick: no
# packages: debian-archive-keyring python3
. .ci/lib.sh

cargo build --release --package acpi-gen-cli
python3 -B .ci/judge/boots.py --acpi-gen target/release/acpi-gen --busybox "$(static_busybox)" \
  --kernel newest="$(cloud_kernel trixie-backports)" --out target/newest-kernel uneven gaps memory-only
