#!/usr/bin/env bash
# title: Linux 6.1 and 6.12 boot with our tables and report what the descriptions say
# quick: yes
# packages: python3

cargo build --release --package acpi-gen-cli
kernels=()
for suite in bookworm bookworm-backports; do
  package=$(.ci/debian depends $suite linux-image-cloud-amd64)
  image=$(echo "$(.ci/debian only $suite "$package")"/boot/vmlinuz-*)
  version=$(sed -nE 's/.*vmlinuz-([0-9]+\.[0-9]+).*/\1/p' <<< "$image")
  kernels+=(--kernel "$version=$image")
done
python3 -B .ci/judge/boots.py --acpi-gen target/release/acpi-gen --busybox "$(.ci/debian only bookworm busybox-static)/bin/busybox" \
  "${kernels[@]}" --out target/kernel-boots
