#!/usr/bin/env bash
# usage: source-test.sh
#
# Runs source.sh on a fake mirror whose first candidates are missing, truncated or changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. .ci/lib.sh
. .ci/fake-mirror.sh
unset XEN_TREE XEN_SOURCES
export XEN_PINS=$work/pins
pool=$archive/pool/main/x/xen
mkdir -p "$pool"

make_tarballs() { # VERSION: Xen's and Debian's, in the pool
    local tree=$work/source/xen-$1
    mkdir -p "$tree/xen" "$work/source/debian/patches"
    # The dollar sign is make's.
    # shellcheck disable=SC2016
    printf 'export XEN_VERSION = %s\nexport XEN_SUBVERSION = %s\nexport XEN_EXTRAVERSION ?= %s$(X)\n' "${1%%.*}" 20 ".${1##*.}" > "$tree/xen/Makefile"
    printf 'as upstream has it\n' > "$tree/mark"
    printf 'xen (%s-1) unstable; urgency=low\n' "$1" > "$work/source/debian/changelog"
    printf '# applied in this order\n\nmark.patch -p1\n' > "$work/source/debian/patches/series"
    printf -- '--- a/mark\n+++ b/mark\n@@ -1 +1 @@\n-as upstream has it\n+%s, patched\n' "$1" > "$work/source/debian/patches/mark.patch"
    tar -C "$work/source" -caf "$pool/xen_$1.orig.tar.xz" "xen-$1"
    tar -C "$work/source" -caf "$pool/xen_$1-1.debian.tar.xz" debian
    rm -r "$work/source"
}

list() { # SUITE CODENAME VERSION: the suite's list names these tarballs; of the security suite, from its own archive
    publish "$1" "$2" main/source/Sources << SOURCES
Package: xen
Format: 3.0 (quilt)
Binary: xen
Architecture: any
Version: $3-1
Directory: pool/main/x/xen
Checksums-Sha256:
 $(sha256 <<< "$3") 1000 xen_$3-1.dsc
$(sums "$pool/xen_$3.orig.tar.xz" "$pool/xen_$3-1.debian.tar.xz")
SOURCES
}

pin() { # VERSION: as the only one
    printf '# minor, upstream, Debian\n4.20 %s %s %s %s\n' "xen_$1.orig.tar.xz" "$(sha256 < "$pool/xen_$1.orig.tar.xz")" \
        "xen_$1-1.debian.tar.xz" "$(sha256 < "$pool/xen_$1-1.debian.tar.xz")" > "$XEN_PINS"
}

taken() { # VERSION LABEL [NAME=VALUE...]: source.sh 4.20 takes this one, with Debian's patch applied
    local version=$1 label=$2 folder
    shift 2
    fresh_cache
    folder=$(env "$@" hv-glue/xen/source.sh 4.20 2> "$work/said") || { cat "$work/said" >&2 && die "$version is not taken"; }
    expect "$work/said" "Xen 4.20: $version-1, $label"
    expect "$folder/mark" "$version, patched"
}

refused() { # LINE...: source.sh 4.20 fails with these lines
    fresh_cache
    if hv-glue/xen/source.sh 4.20 > "$work/printed" 2> "$work/said"; then die "a source is taken: $(cat "$work/said")"; fi
    [ ! -s "$work/printed" ] || die "an error prints a folder: $(cat "$work/printed")"
    expect "$work/said" "$@"
}

damage() { # missing|short|cut|changed FILE: what the mirror has in its place
    cp "$2" "$work/kept"
    case $1 in
        missing) rm "$2" ;;
        short) truncate -s -20 "$2" ;;
        cut) touch "$2.cut" ;;
        changed) printf 'changed' | dd of="$2" bs=1 seek=20 conv=notrunc status=none ;;
    esac
}

repair() { # FILE
    cp "$work/kept" "$1"
    rm -f "$1.cut"
}

# The characters that addresses encode.
pinned=4.20.3+127-gc42 old=4.20.2~rc1 new=4.20.4 other=4.99.1
for version in $pinned $old $new $other; do make_tarballs "$version"; done
pin $pinned
list trixie trixie $new
list stable trixie $old
label="pool, xen_$pinned.orig.tar.xz"

taken $pinned "$label"
# A mirror that does not answer stops nobody who has the tarballs.
cp -r "$pool" "$work/a folder+50%"
for folder in "$pool" "$work/a folder+50%"; do
    taken $pinned "XEN_SOURCES, xen_$pinned.orig.tar.xz" XEN_SOURCES="$folder" DEBIAN_MIRROR=http://127.0.0.1:9/debian
done
taken $pinned "$label" XEN_SOURCES="$work/nowhere"
while read -r kind file sources; do
    damage "$kind" "$pool/xen_$pinned$file"
    taken $new "trixie $new-1" XEN_SOURCES="$sources"
    repair "$pool/xen_$pinned$file"
done << KINDS
missing .orig.tar.xz $pool
short -1.debian.tar.xz $pool
changed .orig.tar.xz $pool
cut -1.debian.tar.xz
KINDS
rm "$pool/xen_$pinned.orig.tar.xz"
while read -r kind file; do
    damage "$kind" "$pool/xen_$new$file"
    taken $old "stable $old-1"
    repair "$pool/xen_$new$file"
done << 'KINDS'
missing -1.debian.tar.xz
short .orig.tar.xz
changed -1.debian.tar.xz
cut .orig.tar.xz
KINDS
say "a candidate that is missing, truncated, cut off or changed is followed by the next one"

# Every candidate fails in a way of its own.
rm "$pool/xen_$new-1.debian.tar.xz"
damage changed "$pool/xen_$old.orig.tar.xz"
list testing forky $other
sed 's/^Package: xen/Package: hello/' "$archive/dists/trixie/main/source/Sources" | publish sid sid main/source/Sources
answers=("  pool, xen_$pinned.orig.tar.xz: xen_$pinned.orig.tar.xz: 404 File not found"
    "  trixie $new-1: xen_$new-1.debian.tar.xz: 404 File not found"
    "  stable $old-1: xen_$old.orig.tar.xz: Hash Sum mismatch"
    "  trixie-security: no package lists: The repository '$DEBIAN_MIRROR-security trixie-security Release' does not have a Release file."
    "  testing $other-1: not Xen 4.20"
    '  sid: Unable to find a source package for xen')
refused 'error: no source of Xen 4.20 came whole; expected one of these, or XEN_TREE with a source tree:' "${answers[@]}"
[ "$(grep -c '^  ' "$work/said")" = ${#answers[@]} ] || { cat "$work/said" >&2 && die "not ${#answers[@]} candidates"; }
say "where none is left, the message has each of ${#answers[@]} candidates with its answer"

# A list that another key has signed is none.
list trixie trixie $other
DEBIAN_KEYRING=/dev/null refused 'error: no source of Xen 4.20 came whole; expected one of these, or XEN_TREE with a source tree:'
grep -q '^  trixie: no package lists: ' "$work/said" || die "a list without a known signature is read: $(cat "$work/said")"

# A tree of the user's comes before all others, and has its own version.
mkdir "$work/tree"
tar -xf "$pool/xen_$other.orig.tar.xz" -C "$work/tree" --strip-components=1
folder=$(XEN_TREE=$work/tree hv-glue/xen/source.sh 4.20 2> "$work/said")
expect "$work/said" "Xen 4.20: 4.20.1, XEN_TREE=$work/tree"
expect "$folder/mark" 'as upstream has it'
printf 'changed\n' > "$work/tree/mark"
[ "$(XEN_TREE=$work/tree hv-glue/xen/source.sh 4.20 2> "$work/said")" != "$folder" ] || die "a changed tree has the folder of the other"
tar -C "$work/tree" -xf "$pool/xen_$other-1.debian.tar.xz"
printf 'as upstream has it\n' > "$work/tree/mark"
tar -C "$work" -czf "$work/tree.tar.gz" tree
folder=$(XEN_TREE=$work/tree.tar.gz hv-glue/xen/source.sh 4.21 2> "$work/said")
expect "$work/said" "Xen 4.21: $other-1, XEN_TREE=$work/tree.tar.gz"
expect "$folder/mark" "$other, patched"
XEN_TREE=$work/nowhere refused "error: XEN_TREE=$work/nowhere is missing; expected a folder or a tarball"

# No address is made up.
printf 'Dir::State::lists "%s";\nDir::Etc::SourceList "/dev/null";\nDir::Etc::SourceParts "/dev/null";\n' "$work/nothing" >> "$APT_CONFIG"
DEBIAN_MIRROR='' refused "  mirror: apt's lists on this machine have no archive with the label Debian; expected one, after 'apt-get update', or DEBIAN_MIRROR with the address of a mirror of Debian"
say "XEN_TREE, an unknown signature and a machine without a mirror have the answers that they should"
