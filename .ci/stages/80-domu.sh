#!/usr/bin/env bash
# title: the domU toolstack boots PVH guests with any vCPU count on real Xen, and the guests agree with Xen
# quick: no
# packages: bison bzip2 ca-certificates ccache coccinelle debian-archive-keyring flex gcc libc6-dev m4 make patch python3 qemu-system-x86 xz-utils
. .ci/lib.sh

programs=$(static_programs domu-toolstack polled-serial)
on=$(hv-glue/xen/build.sh --emulation 4.20 on)
off=$(hv-glue/xen/build.sh --emulation 4.20 off)
stock=$(hv-glue/xen/build.sh --emulation 4.20 stock)
guest=$(.ci/debian kernel bookworm linux-image-cloud-amd64)
dom0=$(.ci/debian kernel bookworm linux-image-amd64)
python3 -B .ci/judge/domu.py --on "$on/xen" --off "$off/xen" --stock "$stock/xen" \
  --kernel "$dom0" --guest-kernel "$guest" \
  --busybox "$(static_busybox)" --polled-serial "$programs"/polled-serial --toolstack "$programs"/domu-toolstack \
  --guest-report "$programs"/guest-report --out target/domu
matrix Xen "$(xen_version 4.20)" "PVH guests of our toolstack"
matrix Linux "$(kernel_version "$(find "$guest/boot" -name 'vmlinuz-*')")" "PVH guest with vNUMA"
