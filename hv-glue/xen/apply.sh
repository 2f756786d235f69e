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

# spatch exits 0 where nothing matched, so each hook is counted afterwards.
expect() { # FILE COUNT REGEX
    local found
    found=$(grep -cE "$3" "$tree/$1" || true)
    [ "$found" = "$2" ] || { echo "$1: /$3/ stands $found times, $2 expected" >&2; failed=1; }
}
patch_file() { # COCCI FILE (COUNT REGEX)...
    local cocci=$1 file=$2
    shift 2
    spatch --macro-file "$here/cocci/macros.h" --no-includes --very-quiet --smpl-spacing --in-place \
        --sp-file "$here/cocci/$cocci.cocci" "$tree/$file" > /dev/null
    while [ $# -gt 0 ]; do expect "$file" "$1" "$2"; shift 2; done
}
once() { # FILE MARK: text on standard input is appended unless MARK stands in FILE
    if grep -q "$2" "$tree/$1"; then cat > /dev/null; else cat >> "$tree/$1"; fi
}

if [ -n "$emulation" ]; then patch_file emulation arch/x86/time.c 1 'is_hardware_domain\(d\) \|\| host_tsc_is_safe'; fi
if [ "$emulation" = --emulation-alone ]; then exit $failed; fi

# How often the generic domctls fall through to the architecture's.
case $(sed -nE 's/^export XEN_SUBVERSION *= *([0-9]+)$/\1/p' "$tree/Makefile") in
    17) domctls=1 ;;
    18 | 19 | 20 | 21) domctls=2 ;;
    *) domctls=3 ;;
esac
numa=common/numa.c
[ -f "$tree/$numa" ] || numa=arch/x86/srat.c

patch_file apic-id arch/x86/cpuid.c 2 'guest_vcpu_x2apic_id\(v\)'
patch_file apic-id arch/x86/hvm/vlapic.c 2 'guest_vcpu_x2apic_id\(v\)'
patch_file dom0-build arch/x86/hvm/dom0_build.c \
    1 '\bhv_glue_setup_e820\(' 1 '\bhv_glue_populate_p2m\(' 1 '\bhv_glue_populate_memory_range\(' \
    1 '\bhv_glue_setup_acpi_madt\(' 1 '\bhv_glue_acpi_status\(' \
    1 'local_apic_id = hv_glue_x2apic_id\(d, i\)' 1 'asm/hv_glue_pvh\.h'
patch_file create-dom0 arch/x86/setup.c 1 'hv_glue_create_dom0\(' 1 'xen/hv_glue\.h'
patch_file domain-config common/domain.c 1 'XEN_HV_GLUE_CDF' 1 'hv_glue_sanitise_domain_config\(config\)'
patch_file domctl common/domctl.c \
    1 'hv_glue_vnuma_set\(d, vnuma_init\(' 1 'hv_glue_vcpu_slots\(nr_vcpus\)' 0 '[^_]arch_do_domctl\([^)]' \
    "$domctls" 'hv_glue_do_domctl\([^)]' \
    1 'xen/hv_glue_vnuma\.h'
patch_file cpu-policy arch/x86/domctl.c 1 'hv_glue_recalculate_cpuid_policy\(d\)'
patch_file memory-op arch/x86/mm.c 1 'hv_glue_memory_op\('
patch_file memory-op common/compat/memory.c 1 'hv_glue_compat_memory_op\('
patch_file memblks "$numa" 1 'xen/hv_glue_memblks\.h'
patch_file flask xsm/flask/hooks.c 1 'hv_glue_flask_domctl\(d, '

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
