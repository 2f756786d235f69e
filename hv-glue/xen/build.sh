#!/usr/bin/env bash
# usage: build.sh [--debug] [--emulation] VERSION stock|off|on
#
# Builds the source that source.sh has of Xen VERSION (4.20, 4.17, or any that XEN_TREE names), configured as Debian's
# where it has debian/xen-kconfig, and prints the folder that holds xen (multiboot, for a boot loader or QEMU's -kernel),
# xen.efi (for UEFI firmware) and xen-syms; that of stock and off has the tree with its objects, too, to compare:
#   stock   the source as it is
#   off     with the integration carried in and its option off
#   on      with the option on
# --debug adds CONFIG_DEBUG=y, so that Xen's assertions speak, and FLASK without a policy (policy.sh makes one for
# flask=enforcing; without one boot it with flask=permissive). --emulation adds the edit that boots under software
# emulation need (cocci/emulation.cocci), whatever the option.
#
# The folder is in the cache, named by all that decides its content.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. .ci/lib.sh
here=hv-glue/xen
debug='' emulation=''
while :; do
    case ${1-} in
        --debug) debug=yes ;;
        --emulation) emulation=yes ;;
        *) break ;;
    esac
    shift
done
[ $# = 2 ] || die "usage: $0 [--debug] [--emulation] 4.20|4.17 stock|off|on"
version=$1 what=$2
source=$($here/source.sh "$version")

ours=()
if [ "$what" != stock ]; then ours=(hv-glue/xen hv-glue/capi/include); fi
if [ "$what" = on ]; then
    ours+=(hv-glue/capi hv-glue/src hv-glue/Cargo.toml acpi-gen/src acpi-gen/Cargo.toml Cargo.toml Cargo.lock .ci/rust-target .ci/lib.sh)
fi
key=$({
    printf '%s\n' "$source" "$what" "$debug" "$emulation" "$(gcc --version)" "$(ld --version)"
    cat $here/build.sh
    if [ -n "$emulation" ]; then cat $here/cocci/emulation.cocci; fi
    if [ -n "$emulation" ] || [ "$what" != stock ]; then spatch --version; fi
    if [ "$what" = on ]; then rustc --version --verbose; fi
    [ ${#ours[@]} = 0 ] || find "${ours[@]}" -type f ! -name '*.md' ! -name policy.sh ! -name boot.sh ! -name '*-test.sh' -exec sha256sum {} + | sort -k 2
} | sha256)
folder=$CACHE/xen-builds/$key
mkdir -p "$CACHE/xen-builds"
exec 9> "$CACHE/xen-builds/lock.$key"
flock 9
if [ -d "$folder" ]; then
    cached "$folder"
    exit
fi

say "building Xen $version, $what${debug:+, debug}${emulation:+, for emulation}"
work=$(mktemp -d "$CACHE/xen-builds/.new.XXXXXX")
trap 'rm -rf "$work"' EXIT
# With its times: objects of a tree that was built in place are older than a source that was changed since.
cp -a "$source" "$work/tree"
case $what in
    stock) if [ -n "$emulation" ]; then $here/apply.sh --emulation-alone "$work/tree"; fi ;;
    off | on) $here/apply.sh ${emulation:+--emulation} "$work/tree" ;;
    *) die "not stock, off or on: $what" ;;
esac
xen=$work/tree/xen
log=$work/log
run() { "$@" >> "$log" 2>&1 || { tail -n 40 "$log" >&2; die "failed: $*"; }; }
if [ -e "$work/tree/debian/xen-kconfig" ]; then
    say "configuration: Debian's xen-kconfig"
    cp "$work/tree/debian/xen-kconfig" "$xen/.config"
else
    say "configuration: Xen's x86_64_defconfig"
    run make -C "$xen" XEN_TARGET_ARCH=x86_64 defconfig
fi
if [ -n "$debug" ]; then
    sed -i '/CONFIG_DEBUG[ =]/d' "$xen/.config"
    # Xen builds its policy in where checkpolicy is installed: it is to come as a module, or not at all.
    printf 'CONFIG_%s\n' DEBUG=y XSM=y XSM_FLASK=y XSM_FLASK_POLICY=n >> "$xen/.config"
fi
if [ "$what" = on ]; then
    echo CONFIG_HV_GLUE=y >> "$xen/.config"
fi
run make -C "$xen" XEN_TARGET_ARCH=x86_64 olddefconfig
if [ "$what" = on ]; then
    grep -q '^CONFIG_HV_GLUE=y' "$xen/.config" || die "CONFIG_HV_GLUE did not stay on"
    [ -z "$debug" ] || grep -q '^CONFIG_XSM_FLASK=y' "$xen/.config" || die "CONFIG_XSM_FLASK did not stay on"
    thunk=''
    if grep -q '^CONFIG_RETURN_THUNK=y' "$xen/.config"; then thunk=--return-thunk; fi
    mkdir "$xen/arch/x86/hvg"
    run hv-glue/capi/xen-objects.sh $thunk "$xen/arch/x86/hvg"
fi
# The variants of one version share most objects: ccache compiles each of them once. Paths below the tree are relative,
# and the folder of the first build, which is in debug information alone, does not count.
export CCACHE_DIR=$CACHE/ccache CCACHE_BASEDIR=$work/tree CCACHE_NOHASHDIR=1 CCACHE_COMPILERCHECK=content CCACHE_MAXSIZE=1G
# The compiler check is of gcc alone.
CCACHE_EXTRAFILES=$(command -v as):$(gcc -print-prog-name=cc1)
export CCACHE_EXTRAFILES
# SOURCE_DATE_EPOCH and the fixed names keep the build the same for the same content.
run env PATH="/usr/lib/ccache:$PATH" XEN_BUILD_USER=none XEN_BUILD_HOST=none XEN_BUILD_DATE=none XEN_BUILD_TIME=none \
    make -C "$xen" -j"$(nproc)" XEN_TARGET_ARCH=x86_64 build
[ -e "$xen/xen.efi" ] || die "Xen's build made no xen.efi: its linker has to know i386pep"
cp "$xen/xen" "$xen/xen.efi" "$xen/xen-syms" "$work/"
if [ "$what" = on ]; then rm -rf "$work/tree"; fi
chmod 755 "$work"
mv -T "$work" "$folder"
cached "$folder"
