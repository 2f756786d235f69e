#!/usr/bin/env bash
# usage: debian-test.sh
#
# Runs .ci/debian on a fake mirror whose first candidates are missing or changed, and whose lists go away.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. .ci/lib.sh
. .ci/fake-mirror.sh

make_package() { # NAME VERSION [DEPENDS]: in the pool; its one file /NAME holds the version
  local folder=$work/package
  mkdir -p "$folder/DEBIAN" "$archive/pool"
  printf '%s\n' "Package: $1" "Version: $2" 'Architecture: amd64' 'Maintainer: nobody <nobody@localhost>' "Depends: ${3-}" \
    'Description: for a test' | sed '/^Depends: $/d' > "$folder/DEBIAN/control"
  echo "$2" > "$folder/$1"
  dpkg-deb --root-owner-group -b "$folder" "$archive/pool/$1_$2.deb" > /dev/null
  rm -r "$folder"
}

list() { # SUITE CODENAME NAME_VERSION...: the suite's list names these packages
  local name
  for name in "${@:3}"; do
    dpkg-deb -f "$archive/pool/$name.deb"
    sums "$archive/pool/$name.deb" | sed -E 's,^ (.*) (.*) (.*),SHA256: \1\nSize: \2\nFilename: pool/\3\n,'
  done | publish "$1" "$2" main/binary-amd64/Packages
}

taken() { # VERSION ACTION SUITES PACKAGE: what .ci/debian takes; sets root
  root=$(.ci/debian "${@:2}" 2> "$work/said") || { cat "$work/said" >&2 && die "$1 is not taken"; }
  local name=${4%%=*}
  expect "$root/$name" "$1"
  expect "$root/.packages" "$name $1"
}

refused() { # ACTION SUITES PACKAGE LINE...
  if .ci/debian "${@:1:3}" > /dev/null 2> "$work/said"; then die "a package is taken: $(cat "$work/said")"; fi
  expect "$work/said" "${@:4}"
}

for version in 3 2 1; do
  make_package tool $version "lib (= $version)"
  make_package lib $version
done
list trixie trixie tool_3 tool_2 lib_3 lib_2
list stable trixie tool_1 lib_1

fresh_cache
taken 3 only trixie tool
expect "$work/said" 'trixie: tool 3'
taken 2 only trixie 'tool=2*'
taken 3 with-libs trixie tool
expect "$root/lib" 3

# The next version of the suite, then the suite by its other name, with all that is needed.
fresh_cache
mv "$archive/pool/tool_3.deb" "$work/kept"
taken 2 only trixie tool
printf 'changed' | dd of="$archive/pool/lib_2.deb" bs=1 seek=100 conv=notrunc status=none
taken 1 with-libs trixie tool
expect "$root/lib" 1
taken 1 only 'sid|trixie' lib=1
say "a package that is missing or changed is followed by the next version or suite"

# None is left: a machine that had one keeps it, another one hears of each.
cp -r "$archive/dists" "$work/dists"
make_package tool 4 lib
list trixie trixie tool_4 lib_1
list stable trixie tool_4 lib_1
rm "$archive"/pool/tool_*.deb
touch -d '2 hours ago' "$XDG_CACHE_HOME"/vnuma-tables/apt/*/updated
taken 1 with-libs trixie tool
expect "$work/said" 'no suite has tool: the packages of an earlier run are used' '  stable tool 4: tool_4.deb: 404 File not found'
rm -r "$archive/dists"
mv "$work/dists" "$archive/dists"
fresh_cache
answers=('  trixie tool 3: tool_3.deb: 404 File not found' '  trixie tool 2: tool_2.deb: 404 File not found')
refused only trixie tool 'error: no suite has tool; expected one of these:' "${answers[@]}" '  stable tool 1: tool_1.deb: 404 File not found' \
  "  trixie-security: no package lists: The repository '$DEBIAN_MIRROR-security trixie-security Release' does not have a Release file."
refused only trixie 'tool=4*' '  trixie: no tool=4*, but 3, 2'
rm -rf "$archive/dists/trixie"
rm -rf "$XDG_CACHE_HOME"/vnuma-tables/requests
mv "$work/kept" "$archive/pool/tool_3.deb"
list stable forky lib_1
touch -d '2 hours ago' "$XDG_CACHE_HOME"/vnuma-tables/apt/*/updated
taken 3 only trixie tool
grep -q '^the package lists of trixie are those of ' "$work/said" || die "old lists are taken for new: $(cat "$work/said")"
refused only trixie other '  trixie: no other, but no version at all' '  stable: is forky, not trixie'
say "without a package or a list, what an earlier run had is used, else each candidate is named"

# An image may be a shell around another package.
make_package linux-image-amd64 7.3.4-1 'linux-image-7.3-amd64 (= 7.3.4-1)'
make_package linux-image-7.3-amd64 7.3.4-1 'kmod, linux-binary-7.3-amd64 (= 7.3.4-1)'
make_package linux-binary-7.3-amd64 7.3.4-1 kmod
list sid sid linux-image-amd64_7.3.4-1 linux-image-7.3-amd64_7.3.4-1 linux-binary-7.3-amd64_7.3.4-1
root=$(.ci/debian kernel sid linux-image-amd64 2> "$work/said") || { cat "$work/said" >&2 && die "no kernel"; }
expect "$root/.packages" 'linux-binary-7.3-amd64 7.3.4-1'
[ "$(package_version "$root" linux-binary-7.3-amd64)" = 7.3.4 ] || die "other version: $(cat "$root/.packages")"
