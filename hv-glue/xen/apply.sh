#!/usr/bin/env bash
# usage: apply.sh [--emulation | --emulation-alone] TREE
#
# Carries the integration into TREE, a Xen source root (with xen/ in it), or fails naming the hook that did not land.
# Applying twice is applying once. --emulation adds the edit that boots under software emulation need;
# --emulation-alone makes only that one, for a stock Xen to compare with.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
emulation=''
case ${1-} in --emulation*) emulation=$1 && shift ;; esac
tree=${1:?usage: apply.sh [--emulation | --emulation-alone] TREE}/xen
failed=0

# The code of a file on one line, without comments: a comment that names a function is not a call.
code() { # FILE
    gcc -fpreprocessed -dD -E -P -w -x c "$tree/$1" | tr -s ' \t\n' ' '
}
count() { # CODE REGEX: how often the expression is in the code; "-" is in none
    [ "$2" != - ] || { echo 0 && return; }
    { grep -oP -- "$2" <<< "$1" || [ $? = 1 ]; } | wc -l
}
# spatch exits 0 where it finds nothing, so the expressions to replace are counted before and after. Their number differs
# inside minor versions of Xen, so it is taken from the tree. COUNT is what the hook needs by its meaning: "1" is exactly
# one, "1+" at least one, "0+" any number. STOCK matches Xen's expression and not ours, "-" where the patch only adds; HOOK matches ours.
patch_file() { # COCCI FILE (COUNT STOCK HOOK)...
    local cocci=$1 file=$2 before after sites found left expected name
    shift 2
    before=$(code "$file")
    spatch --macro-file "$here/cocci/macros.h" --no-includes --very-quiet --smpl-spacing --in-place \
        --sp-file "$here/cocci/$cocci.cocci" "$tree/$file" > /dev/null
    after=$(code "$file")
    while [ $# -gt 0 ]; do
        sites=$(($(count "$before" "$2") + $(count "$before" "$3")))
        found=$(count "$after" "$3")
        left=$(count "$after" "$2")
        expected=${1%+}
        if [ "$1" != "$expected" ] && [ "$sites" -gt "$expected" ]; then expected=$sites; fi
        if [ "$found" != "$expected" ] || [ "$left" != 0 ]; then
            # The name is what a search in the tree finds.
            name=$(grep -oE '[A-Za-z0-9_]*(hv_glue|HV_GLUE|guest_vcpu|is_hardware)[A-Za-z0-9_]*' <<< "${3//\\b/}" | head -n 1)
            echo "xen/$file: $name: $found replacements, $left left unreplaced; expected $expected, 0 left" >&2
            failed=1
        fi
        shift 3
    done
}
once() { # FILE MARK: text on standard input is appended unless MARK stands in FILE
    if grep -q "$2" "$tree/$1"; then cat > /dev/null; else cat >> "$tree/$1"; fi
}

if [ -n "$emulation" ]; then
    patch_file emulation arch/x86/time.c \
        1 'MODE_DEFAULT && host_tsc_is_safe\(\)' 'MODE_DEFAULT && \(is_hardware_domain\(d\) \|\| host_tsc_is_safe\(\)\)'
fi
if [ "$emulation" = --emulation-alone ]; then exit $failed; fi

# From 4.18 on the memory blocks are in common code.
numa=common/numa.c
[ -f "$tree/$numa" ] || numa=arch/x86/srat.c

# CPUID has the id in leaves 1 and 0xB, the local APIC in its registers for xAPIC and x2APIC mode.
patch_file apic-id arch/x86/cpuid.c 2+ '->vcpu_id \* 2\b' '\bguest_vcpu_x2apic_id\('
patch_file apic-id arch/x86/hvm/vlapic.c 2+ '->vcpu_id \* 2\b' '\bguest_vcpu_x2apic_id\('
# A definition names its parameters' types, and a call does not.
patch_file dom0-build arch/x86/hvm/dom0_build.c \
    1 '\bpvh_setup_e820\((?!struct )' '\bhv_glue_setup_e820\(' \
    1 '\bpvh_populate_p2m\((?!struct )' '\bhv_glue_populate_p2m\(' \
    1+ '\bpvh_populate_memory_range\((?!struct )' '\bhv_glue_populate_memory_range\(' \
    1 '\bpvh_setup_acpi_madt\((?!struct )' '\bhv_glue_setup_acpi_madt\(' \
    1 '= pvh_setup_acpi\(' '\bhv_glue_acpi_status\(pvh_setup_acpi\(' \
    1+ 'local_apic_id = i \* 2\b' 'local_apic_id = hv_glue_x2apic_id\(d, i\)' \
    1 - 'asm/hv_glue_pvh\.h'
patch_file create-dom0 arch/x86/setup.c 1 '\bdomain_create\([^;]*&dom0_cfg' '\bhv_glue_create_dom0\(' 1 - 'xen/hv_glue\.h'
patch_file domain-config common/domain.c 1 - '\| XEN_HV_GLUE_CDF\b' \
    1 '\barch_sanitise_domain_config\((?!struct )' '\bhv_glue_sanitise_domain_config\('
patch_file domctl common/domctl.c \
    1 'vnuma = vnuma_init\(' 'vnuma = hv_glue_vnuma_set\(d, vnuma_init\(' \
    1+ 'vcpu_to_vnode = xmalloc_array\(unsigned int, (?!hv_glue)' \
    'vcpu_to_vnode = xmalloc_array\(unsigned int, hv_glue_vcpu_slots\(nr_vcpus\)\)' \
    1+ '\barch_do_domctl\((?!struct )' '\bhv_glue_do_domctl\(' \
    1 '\bdomain_unpause_by_systemcontroller\(' '\bhv_glue_unpause\(' \
    1 - 'xen/hv_glue_vnuma\.h'
patch_file cpu-policy arch/x86/domctl.c 1+ '\brecalculate_cpuid_policy\((?!struct )' '\bhv_glue_recalculate_cpuid_policy\('
patch_file memory-op arch/x86/mm.c 1+ '\bsubarch_memory_op\((?!unsigned |int )' '\bhv_glue_memory_op\('
patch_file memory-op common/compat/memory.c 1+ '\bcompat_arch_memory_op\((?!unsigned |int )' '\bhv_glue_compat_memory_op\('
patch_file lapic-load arch/x86/hvm/vlapic.c 1 'lapic_rearm\(s\); return 0;' '\bhv_glue_lapic_loaded\('
patch_file fork arch/x86/mm/mem_sharing.c 1 '= fork\(' '\bhv_glue_fork\('
# Only where a killed domain's layout is freed and not cleared.
patch_file vnuma-destroy common/domain.c 0+ '\bvnuma_destroy\(d->vnuma\)' '\bhv_glue_vnuma_destroy\('
patch_file memblks "$numa" 1 - 'xen/hv_glue_memblks\.h'
patch_file flask xsm/flask/hooks.c 1+ '\bavc_unknown_permission\("domctl",' '\bhv_glue_flask_domctl\(d, '

once common/Kconfig 'config HV_GLUE' < "$here/tree/Kconfig"
once arch/x86/Makefile hv_glue < "$here/tree/arch/x86/Makefile"
once arch/x86/hvm/Makefile hv_glue < "$here/tree/arch/x86/hvm/Makefile"

# Names that differ between versions, asked of the tree itself.
asm=arch/x86/include/asm
{
    echo '/* Written by apply.sh from the tree that it stands in. */'
    if grep -q numa_node_to_arch_nid "$tree/$asm/numa.h"; then
        echo '#define HV_GLUE_NODE_TO_PXM(node) numa_node_to_arch_nid(node)'
    else
        echo '#define HV_GLUE_NODE_TO_PXM(node) node_to_pxm(node)'
    fi
} > "$tree/include/xen/hv_glue_names.h"
cp "$here"/tree/include/xen/*.h "$tree/include/xen/"
cp "$here/../capi/include/hv_glue.h" "$tree/include/xen/hvg.h"
cp "$here"/tree/include/public/*.h "$tree/include/public/"
cp "$here"/tree/include/asm/*.h "$tree/$asm/"
cp "$here"/tree/arch/x86/*.c "$tree/arch/x86/"
cp "$here"/tree/arch/x86/hvm/*.c "$tree/arch/x86/hvm/"
exit $failed
