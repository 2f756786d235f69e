#!/usr/bin/env bash
# title: Xen 4.20 with hv-glue boots a PVH dom0 whose nodes are the host's; without it, or with the gate not met, stock's
# quick: no
# packages: bison bzip2 ca-certificates ccache checkpolicy coccinelle debian-archive-keyring flex gcc libc6-dev m4 make patch python3 qemu-system-x86 xz-utils

cargo build --quiet --release --package acpi-gen-cli
programs=$(static_programs dom0-probe polled-serial)

build() { # NAME ARGUMENT...: a build of Xen, as an argument of xen_boots.py
  local name=$1 folder
  shift
  folder=$(hv-glue/xen/build.sh "$@")
  xen+=(--xen "$name=$folder")
}
run_readme xen CONTRIBUTING.md
xen=()
build stock --emulation 4.20 stock
build off --emulation 4.20 off
# With the option off Xen is built as if nothing had been carried in.
python3 -B .ci/judge/xen_same_code.py "${xen[1]#stock=}/tree/xen" "${xen[3]#off=}/tree/xen"
build on --emulation 4.20 on
build debug --emulation --debug 4.20 on
# The same patches and files on the version that has no common/numa.c; and without the edit for emulation.
build on-4.17 4.17 on

hv-glue/xen/policy.sh 4.20 target/xen-policies
run_readme xen hv-glue/xen/README.md

kernels=()
for suite in bookworm trixie; do
  kernel=$(.ci/debian kernel $suite linux-image-amd64)
  kernels+=(--kernel "$(kernel_version "$(find "$kernel/boot" -name 'vmlinuz-*')")=$kernel")
done
ovmf=$(.ci/debian only bookworm ovmf)
python3 -B .ci/judge/xen_boots.py --acpi-gen target/release/acpi-gen --busybox "$(static_busybox)" \
  --probe "$programs"/dom0-probe --polled-serial "$programs"/polled-serial "${xen[@]}" "${kernels[@]}" --policies target/xen-policies \
  --ovmf "$ovmf/usr/share/OVMF" --table target/xen-boots/table.md --out target/xen-boots
python3 -B .ci/judge/xen_table.py target/xen-boots/table.md README.md

# A dom0 of 32 bits asks in the compat layout.
gcc -m32 -std=c11 -O2 -Wall -Wextra -Werror -ffreestanding -fno-pie -fno-stack-protector -fcf-protection=none -mgeneral-regs-only \
  -nostdlib -static -Wl,-Ttext-segment=0x1000000,--build-id=none,-z,noexecstack -o target/compat-probe examples/dom0-probe/compat/probe.c
python3 -B .ci/judge/xen_compat.py --acpi-gen target/release/acpi-gen --xen "${xen[5]#on=}/xen" --kernel target/compat-probe \
  --out target/xen-boots/compat
matrix Xen "$(xen_version 4.17)" "a boot of a PVH dom0 with hv-glue"
matrix Xen "$(xen_version 4.20)" "boots of a PVH dom0, stock and with hv-glue"
matrix OVMF "$(package_version "$ovmf" ovmf)" "xen.efi with hv-glue and with its gate not met"
matrix_kernels "PVH dom0 of Xen with hv-glue" "${kernels[@]}"
