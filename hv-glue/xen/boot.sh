#!/usr/bin/env bash
# usage: boot.sh [--case NAME] VERSION stock|off|on [XEN_OPTION...]
#
# Builds Xen (build.sh --emulation) and boots it in QEMU with Debian bookworm's Linux as dom0, the console on the terminal.
# On a terminal dom0 starts a shell: dom0-probe is in /bin, "reboot -f" or Ctrl-A x ends the machine. Without a terminal
# dom0 prints its report and ends the machine.
#
# NAME is a case of .ci/judge/xen_boots.py, which has the host and Xen's options: by default 3x2, three nodes of two CPUs
# and a PVH dom0. XEN_OPTION... come after those. The files of the boot are in target/xen-by-hand/NAME.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. .ci/lib.sh
case=3x2
if [ "${1-}" = --case ]; then
    case=${2-}
    shift 2
fi
[ $# -ge 2 ] || die "usage: $0 [--case NAME] 4.20|4.17 stock|off|on [XEN_OPTION...]"
build=$(hv-glue/xen/build.sh --emulation "$1" "$2")
name=$2
shift 2

cargo build --quiet --release --package acpi-gen-cli
programs=$(static_programs dom0-probe polled-serial)
kernel=$(.ci/debian kernel bookworm linux-image-amd64)
ovmf=$(.ci/debian only bookworm ovmf)
exec python3 -B .ci/judge/xen_boots.py --acpi-gen target/release/acpi-gen --busybox "$(static_busybox)" --probe "$programs"/dom0-probe \
    --polled-serial "$programs"/polled-serial --xen "$name=$build" --kernel "bookworm=$kernel" --ovmf "$ovmf/usr/share/OVMF" \
    --out target/xen-by-hand --terminal "$*" "$case"
