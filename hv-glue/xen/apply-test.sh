#!/usr/bin/env bash
# usage: apply-test.sh 4.20|4.17
#
# Sees apply.sh change nothing the second time, and name a hook that has nowhere to land.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir "$tree"
cp -r "$("$here/source.sh" "$1")/xen" "$tree/xen"
sums() { find "$tree" -type f -exec sha256sum {} + | sort -k 2; }

sums > "$work/stock"
"$here/apply.sh" "$tree"
sums > "$work/once"
"$here/apply.sh" "$tree"
sums > "$work/twice"
if cmp -s "$work/stock" "$work/once"; then echo 'the first time changes nothing' >&2 && exit 1; fi
cmp "$work/once" "$work/twice"

# What each hook stands in for, under another name.
hooks=0
while read -r file ours; do
    cp "$tree/xen/$file" "$work/kept"
    sed -i "s/\\b$ours(/renamed(/" "$tree/xen/$file"
    if "$here/apply.sh" "$tree" 2> "$work/said"; then echo "$file: $ours is missed by nobody" >&2 && exit 1; fi
    grep -q "^$file: .* stands [0-9]* times" "$work/said" || { cat "$work/said" >&2 && exit 1; }
    cp "$work/kept" "$tree/xen/$file"
    hooks=$((hooks + 1))
done << 'HOOKS'
arch/x86/cpuid.c guest_vcpu_x2apic_id
arch/x86/hvm/vlapic.c guest_vcpu_x2apic_id
arch/x86/hvm/dom0_build.c hv_glue_setup_e820
arch/x86/hvm/dom0_build.c hv_glue_populate_p2m
arch/x86/hvm/dom0_build.c hv_glue_populate_memory_range
arch/x86/hvm/dom0_build.c hv_glue_setup_acpi_madt
arch/x86/hvm/dom0_build.c hv_glue_x2apic_id
arch/x86/setup.c hv_glue_create_dom0
arch/x86/domctl.c hv_glue_recalculate_cpuid_policy
arch/x86/mm.c hv_glue_memory_op
common/compat/memory.c hv_glue_compat_memory_op
common/domain.c hv_glue_sanitise_domain_config
common/domctl.c hv_glue_vnuma_set
common/domctl.c hv_glue_do_domctl
common/domctl.c hv_glue_vcpu_slots
xsm/flask/hooks.c hv_glue_flask_domctl
HOOKS
echo "Xen $1: applied twice is applied once, and each of $hooks hooks is missed where it does not land"
