#!/usr/bin/env bash
# usage: policy.sh VERSION FOLDER
#
# Makes two policies for a Xen with FLASK: FOLDER/policy, which Xen VERSION (4.20, 4.17) comes with, and FOLDER/refusing,
# the same without dom0's leave to read its own vCPUs' context, which XEN_DOMCTL_get_vcpu_apicids asks for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. .ci/lib.sh
[ $# = 2 ] || die "usage: $0 4.20|4.17 FOLDER"
source=$(hv-glue/xen/source.sh "$1")
mkdir -p "$2"
out=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tools/flask" "$work/xen/xsm/flask"
cp -r "$source/tools/flask/policy" "$work/tools/flask/"
cp -r "$source/xen/xsm/flask/policy" "$work/xen/xsm/flask/"

make_policy() { # NAME
    make -s -C "$work/tools/flask/policy" -f Makefile.common FLASK_BUILD_DIR="$work" POLICY_FILENAME="$out/$1" "$out/$1" > /dev/null
}
make_policy policy
dom0=$work/tools/flask/policy/modules/dom0.te
sed -i '/^allow dom0_t dom0_t:domain {/,/^};/s/ getvcpucontext / /' "$dom0"
! diff -q "$source/tools/flask/policy/modules/dom0.te" "$dom0" > /dev/null || die "dom0.te grants dom0 no getvcpucontext"
make_policy refusing
! cmp -s "$out/policy" "$out/refusing" || die "the two policies are the same"
