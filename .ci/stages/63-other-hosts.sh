#!/usr/bin/env bash
# title: Debian's Xen 4.17 and 4.20 and GNU Mach take our tables for the host's firmware and say of it what we described
# quick: no
# packages: debian-archive-keyring python3 qemu-system-x86

cargo build --quiet --release --package acpi-gen-cli
hypervisor() { # SUITE VERSION: the file
  local root
  root=$(.ci/debian only "$1" "xen-hypervisor-$2-amd64") || return 1
  find "$root/boot" -name "xen-$2-amd64.gz" | grep .
}
dom0=$(.ci/debian kernel bookworm linux-image-amd64)
python3 -B .ci/judge/xen_host.py --acpi-gen target/release/acpi-gen --kernel "$(find "$dom0/boot" -name 'vmlinuz-*')" \
  --xen 4.17="$(hypervisor bookworm 4.17)" --xen 4.20="$(hypervisor trixie 4.20)" --out target/xen-host
for version in 4.17 4.20; do
  matrix Xen $version "Debian's own, on hosts with our SRAT, SLIT and MADT"
done

# The only kernel of another family for 64-bit PCs that Debian has; sid's is the first with several processors.
gnumach=$(.ci/debian kernel "sid|testing" gnumach-image-1-amd64-smp)
python3 -B .ci/judge/mach.py --acpi-gen target/release/acpi-gen --out target/mach \
  --kernel "$(find "$gnumach/boot" -name 'gnumach-*.gz')" memory-only uneven gaps
matrix "GNU Mach" "$(package_version "$gnumach" 'gnumach-image-.*' | cut -d+ -f1)" "the processors of our MADT, which it starts"
