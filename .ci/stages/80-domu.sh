#!/usr/bin/env bash
# title: the domU toolstack boots PVH guests with any vCPU count on real Xen, and the guests agree with Xen
# quick: no
# packages: debian-archive-keyring python3 qemu-system-x86 coccinelle flex bison m4 gcc make bc libc6-dev
. .ci/lib.sh

target=x86_64-unknown-linux-gnu
RUSTFLAGS='-Ctarget-feature=+crt-static' cargo build --release --package domu-toolstack --bins --target $target
on=$(hv-glue/xen/build.sh --emulation 4.20 on)
stock=$(hv-glue/xen/build.sh 4.20 stock)
package() { # SUITE META-PACKAGE: the folder of the kernel that it depends on
  local name
  name=$(.ci/debian depends "$1" "$2" | grep '^linux-image-')
  .ci/debian only "$1" "$name"
}
python3 -B .ci/judge/domu.py --on "$on/xen" --stock "$stock/xen" \
  --kernel "$(package bookworm linux-image-amd64)" --guest-kernel "$(package bookworm linux-image-cloud-amd64)" \
  --busybox "$(static_busybox)" --toolstack target/$target/release/domu-toolstack \
  --guest-report target/$target/release/guest-report --out target/domu
