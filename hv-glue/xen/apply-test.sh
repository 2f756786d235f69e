#!/usr/bin/env bash
# usage: apply-test.sh 4.20|4.17
#
# Verifies that apply.sh changes nothing the second time, names a hook without a place in the tree, and takes the number
# of places from the tree.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir "$tree"
cp -r "$("$here/source.sh" "$1")/xen" "$tree/xen"
sums() { find "$tree" -type f -exec sha256sum {} + | sort -k 2; }

stock=$work/domctl.c
cp "$tree/xen/common/domctl.c" "$stock"
sums > "$work/stock"
"$here/apply.sh" "$tree"
sums > "$work/once"
"$here/apply.sh" "$tree"
sums > "$work/twice"
if cmp -s "$work/stock" "$work/once"; then echo 'the first time changes nothing' >&2 && exit 1; fi
cmp "$work/once" "$work/twice"
cp -r "$tree/xen" "$work/applied"

refused() { # apply.sh fails; its messages are in $work/said
    if "$here/apply.sh" "$tree" 2> "$work/said"; then echo "apply.sh accepts a tree without all hooks" >&2 && exit 1; fi
}
named() { # FILE HOOK NUMBERS: the messages name it with these
    grep -qE "^xen/$1: $2: $3\$" "$work/said" ||
        { echo "$1: $2 is missing, but apply.sh does not say so:" >&2 && cat "$work/said" >&2 && exit 1; }
}

# Each hook under another name: neither Xen's expression nor the hook is in the tree.
hooks=()
while read -r file hook; do
    sed -i "s/\\b$hook(/renamed(/" "$tree/xen/$file"
    hooks+=("$file $hook")
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
common/domctl.c hv_glue_unpause
arch/x86/hvm/vlapic.c hv_glue_lapic_loaded
arch/x86/mm/mem_sharing.c hv_glue_fork
xsm/flask/hooks.c hv_glue_flask_domctl
HOOKS
refused
for hook in "${hooks[@]}"; do
    named "${hook% *}" "${hook#* }" '0 replacements, 0 left unreplaced; expected [1-9][0-9]*, 0 left'
done
[ "$(wc -l < "$work/said")" = ${#hooks[@]} ] || { echo "apply.sh misses other hooks, too:" >&2 && cat "$work/said" >&2 && exit 1; }
rm -rf "$tree/xen"
cp -r "$work/applied" "$tree/xen"

# Other versions have another number of calls of arch_do_domctl(). A call with a fourth argument is one that the semantic
# patch does not match.
domctl=$tree/xen/common/domctl.c
call='arch_do_domctl\(op, d, u_domctl\)'
one_call() { sed -E "0,/$call/! s/$call/-ENOSYS/" "$stock"; }
again=''
for calls in 1 2 3 4; do
    one_call | sed -E "/$call/ { h; $again }" > "$domctl"
    again+='G; '
    "$here/apply.sh" "$tree"
    replaced=$(grep -c 'hv_glue_do_domctl(op, d, u_domctl)' "$domctl")
    [ "$replaced" = $calls ] || { echo "$calls calls of arch_do_domctl(), but $replaced replacements" >&2 && exit 1; }
done
one_call | sed -E "s/$call/-ENOSYS/" > "$domctl"
refused
named common/domctl.c hv_glue_do_domctl '0 replacements, 0 left unreplaced; expected 1, 0 left'
one_call | sed -E "/$call/ { p; s/$call/arch_do_domctl(op, d, u_domctl, 0)/ }" > "$domctl"
refused
named common/domctl.c hv_glue_do_domctl '1 replacements, 1 left unreplaced; expected 2, 0 left'
echo "Xen $1: the second run changes nothing, each of ${#hooks[@]} hooks is named where it is missing, and 1 to 4 domctl calls are replaced"
