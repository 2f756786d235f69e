#!/usr/bin/env bash
# title: the hypercall structures agree with Xen's public headers, by a C compiler
# quick: yes
# packages: gcc libc6-dev
. .ci/lib.sh

cargo build --quiet -p xen-hypercall
check=target/debug/xen-header-check
probe=examples/dom0-probe/compat/probe.c
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$check" > "$work/listed"

interface_version() { # HEADERS INTERFACE: the number in lower case and without leading zeros
  sed -nE "s/^#define XEN_${2^^}_INTERFACE_VERSION +0x0*([0-9a-fA-F]+)\$/0x\L\1/p" "$1/xen/$2.h" | grep .
}

probe_numbers() { # the 32-bit probe's own numbers, under their names in the headers
  local ours theirs value
  echo '#include <xen/sched.h>'
  while read -r ours theirs; do
    value=$(sed -nE "s/^#define $ours ([0-9]+)\$/\1/p" $probe | grep .)
    echo "_Static_assert((uint64_t)($theirs) == ${value}u, \"$probe: $ours\");"
  done << 'NUMBERS'
MEMORY_OP __HYPERVISOR_memory_op
CONSOLE_IO __HYPERVISOR_console_io
SCHED_OP __HYPERVISOR_sched_op
CONSOLEIO_WRITE CONSOLEIO_write
SCHEDOP_SHUTDOWN SCHEDOP_shutdown
SHUTDOWN_REBOOT SHUTDOWN_reboot
XENMEM_GET_MFN_PXMS XENMEM_get_mfn_pxms
MOST XEN_GET_MFN_PXMS_MAX
NUMBERS
}

# Headers of each interface version that Debian has. bookworm has Xen 4.17 and trixie 4.20. sid gets new versions on any
# day, so its headers are optional.
: > "$work/checked"
for suite in bookworm trixie sid; do
  if ! root=$(.ci/debian only $suite libxen-dev); then
    [ $suite = sid ] || die "$suite: libxen-dev is not available"
    say "sid: libxen-dev is not available; its headers are optional"
    continue
  fi
  headers=$work/$suite
  mkdir "$headers"
  cp -r "$root/usr/include/xen" "$headers/xen"
  cp hv-glue/xen/tree/include/public/hv_glue.h "$headers/xen/"
  domctl=$(interface_version "$headers" domctl) || die "$suite: xen/domctl.h has no interface version"
  sysctl=$(interface_version "$headers" sysctl) || die "$suite: xen/sysctl.h has no interface version"
  for version in "domctl $domctl" "sysctl $sysctl"; do
    if grep -q "^$version " "$work/listed"; then
      echo "$version $suite" >> "$work/checked"
    else
      [ $suite = sid ] || die "$suite: interface version $version is not in versions.rs"
      say "sid: interface version $version is not in versions.rs; its structures are not checked"
    fi
  done
  compile() { # FILE
    gcc -std=gnu11 -D__XEN_TOOLS__ -isystem "$headers" -fsyntax-only "$1"
  }

  { "$check" "$domctl" "$sysctl" && probe_numbers; } > "$work/check.c"
  if ! compile "$work/check.c"; then
    [ $suite = sid ] || die "$suite: the structures differ from Xen's public headers"
    say "warning: the structures differ from the headers of sid's new version"
    continue
  fi
  checks=$(grep -c '^_Static_assert' "$work/check.c")
  say "$suite, domctl $domctl, sysctl $sysctl: $checks sizes, offsets and numbers are those of Xen's public headers"

  # Each check can fail: with one more than the right value, none of them passes.
  sed -E 's/^(_Static_assert.*== )([0-9]+)/\11 + \2/' "$work/check.c" > "$work/wrong.c"
  refused=$(compile "$work/wrong.c" 2>&1 | grep -c 'error: static assertion failed' || true)
  [ "$refused" = "$checks" ] || die "$suite: $checks wrong values, but the compiler refuses $refused"
done

# Every listed version is checked with headers, or has a reason not to be.
while read -r interface number evidence; do
  suites=$(awk -v version="$interface $number" '$1 " " $2 == version { printf " %s", $3 }' "$work/checked")
  if [ -n "$suites" ]; then
    say "$interface $number: checked with the headers of$suites"
  elif [ "$evidence" != headers ]; then
    say "$interface $number: no headers; $evidence"
  else
    die "$interface $number: no suite has its headers; expected headers, or Evidence::Read with a reason in versions.rs"
  fi
done < "$work/listed"
