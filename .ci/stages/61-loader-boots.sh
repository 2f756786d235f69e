#!/usr/bin/env bash
# title: pvh-loader boots Linux 6.1 and 6.12 under OVMF and bare, with the nodes of its topology
# quick: no
# packages: cpio debian-archive-keyring python3

uefi=x86_64-unknown-uefi bare=x86_64-unknown-none
export_target_flags $uefi
export_target_flags $bare
for package in "pvh-uefi --target $uefi" "pvh-stage --target $bare"; do
  # Two words and more on purpose.
  # shellcheck disable=SC2086
  cargo clippy --release --package $package -- -D warnings
  # shellcheck disable=SC2086
  cargo build --release --package $package
done
cargo build --release --package acpi-gen-cli
programs=$(static_programs polled-serial)

# Debian's cloud kernels are packed by lz4 and zstd, its other one of 6.1 by xz.
xz_kernel=$(.ci/debian kernel bookworm linux-image-amd64)/boot
acpica=$(.ci/debian with-libs trixie acpica-tools)
kernels=$(cloud_kernels bookworm bookworm-backports)
mapfile -t kernels <<< "$kernels"
ovmf=$(.ci/debian only bookworm ovmf)
python3 -B .ci/judge/loader_boots.py --acpi-gen target/release/acpi-gen \
  --application target/$uefi/release/pvh-loader.efi --stage target/$bare/release/pvh-stage \
  --ovmf "$ovmf/usr/share/OVMF" --busybox "$(static_busybox)" --polled-serial "$programs"/polled-serial "${kernels[@]}" \
  --xz-kernel "$(find "$xz_kernel" -name 'vmlinuz*' | grep .)" --acpiexec .ci/in-root "$acpica" usr/bin/acpiexec \
  --out target/loader-boots -- pair uneven gaps
matrix_kernels "boots by pvh-loader" "${kernels[@]}"
matrix OVMF "$(package_version "$ovmf" ovmf)" "pvh-loader as a UEFI application"
