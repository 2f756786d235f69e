#!/usr/bin/env bash
# usage: source.sh 4.20 | 4.17 (with XEN_TREE any)
#
# Prints a folder of the cache with the source of that Xen, named by its content; standard error has the exact version.
# The first of these is taken:
#   1. XEN_TREE, where it is set: a source tree of any version, taken as it is, or a tarball of one, which gets the
#      patches of its debian/patches/series where it has that. One that cannot be used is an error. A relative path
#      starts at the root of this repository.
#   2. Debian's tarballs that sources.pins names, from the folder XEN_SOURCES, where it is set, then from the mirror
#   3. what the suites that had this version have now, by apt's signed lists
# Tarballs are verified by SHA-256, and Debian's patches applied. Where no candidate comes whole, the error lists each
# with its answer. XEN_PINS names another file than sources.pins.
#
# Functions are called by the name that try gets.
# shellcheck disable=SC2317
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. .ci/lib.sh

usage="usage: $0 4.20|4.17"
[ $# = 1 ] || die "$usage"
case $1 in
    4.20) suites='trixie stable trixie-security testing sid' ;;
    4.17) suites='bookworm oldstable bookworm-security' ;;
    *) [ -n "${XEN_TREE-}" ] || die "$usage" ;;
esac
minor=$1
store=$CACHE/xen-sources
mkdir -p "$store"
exec 9> "$store/lock"
flock 9
work=$(mktemp -d "$store/.new.XXXXXX")
trap 'rm -rf "$work"' EXIT

exact_version() { # TREE: of Debian's changelog, where there is one, or of Xen's Makefile
    if [ -e "$1/debian/changelog" ]; then
        sed -nE '1 s/.*\((.*)\).*/\1/p' "$1/debian/changelog"
    else
        sed -nE 's/^export XEN_(VERSION|SUBVERSION|EXTRAVERSION) *\?*= *([^$]*).*/\2/p' "$1/xen/Makefile" | paste -sd. | sed 's/\.\./\./'
    fi
}

finish() { # KEY LABEL: the tree in the work folder, where it is new, becomes the one of that key; prints it and ends
    local folder=$store/$1
    if [ ! -d "$folder" ]; then mv -T "$work/tree" "$folder"; fi
    say "Xen $minor: $(exact_version "$folder"), $2"
    cached "$folder"
    exit
}

apply_debian() { # TREE
    local patch
    while read -r patch _; do
        case $patch in '' | '#'*) continue ;; esac
        patch -s -p1 --batch --forward -d "$1" < "$1/debian/patches/$patch" >&2 || die "debian/patches/$patch does not apply"
    done < "$1/debian/patches/series"
}

pack() { # FOLDER [OPTION...]: an archive of it, the same for the same content where the times are
    tar -C "$1" --exclude=./.git --sort=name --owner=0 --group=0 --numeric-owner "${@:2}" -cf - .
}

user_tree() { # PATH
    local key inner
    mkdir "$work/tree"
    if [ -d "$1" ]; then
        [ -e "$1/xen/Makefile" ] || die "XEN_TREE=$1 has no xen/Makefile; expected the root of Xen's source"
        key=$(pack "$1" --mtime=@0 | sha256)
        if [ ! -d "$store/$key" ]; then pack "$1" | tar -xf - -C "$work/tree"; fi
    else
        [ -f "$1" ] || die "XEN_TREE=$1 is missing; expected a folder or a tarball"
        key=$(sha256 < "$1")
        if [ ! -d "$store/$key" ]; then
            tar -xf "$1" -C "$work/tree" || die "XEN_TREE=$1 cannot be unpacked"
            inner=$(find "$work/tree" -mindepth 3 -maxdepth 3 -path '*/xen/Makefile' -printf '%H/%P\n')
            if [ -n "$inner" ]; then
                mv "${inner%/xen/Makefile}" "$work/inner"
                rm -rf "$work/tree"
                mv "$work/inner" "$work/tree"
            fi
            [ -e "$work/tree/xen/Makefile" ] || die "XEN_TREE=$1 has no xen/Makefile; expected Xen's source in it"
            # A tree of dpkg-source has Debian's patches already.
            if [ -e "$work/tree/debian/patches/series" ] && [ ! -e "$work/tree/.pc/applied-patches" ]; then apply_debian "$work/tree"; fi
        fi
    fi
    finish "$key" "XEN_TREE=$1"
}

download() { # NAME SHA256 ADDRESS: into the work folder, verified
    /usr/lib/apt/apt-helper -qq -o APT::Sandbox::User= -o Acquire::Retries=3 \
        download-file "$3" "$work/$1" "SHA256:$2" > /dev/null 2> "$work/errors" || die "$(apt_answer "$work/errors")"
}

unpack() { # ORIG DEBIAN: the two tarballs in the work folder
    rm -rf "$work/tree"
    mkdir "$work/tree"
    tar -xf "$work/$1" -C "$work/tree" --strip-components=1 || die "$1 cannot be unpacked"
    tar -xf "$work/$2" -C "$work/tree" || die "$2 cannot be unpacked"
    apply_debian "$work/tree"
}

take() { # LABEL ORIG SHA256 ADDRESS DEBIAN SHA256 ADDRESS: ends with this source where it comes whole
    local label=$1 key
    shift
    key=$(printf 'SHA256:%s\n' "$2" "$5" | sha256)
    if [ ! -d "$store/$key" ]; then
        try "$label" download "$1" "$2" "$3" || return 0
        try "$label" download "$4" "$5" "$6" || return 0
        try "$label" unpack "$1" "$4" || return 0
    else
        label+=' (cached)'
    fi
    finish "$key" "$label"
}

address() { # BASE NAME: an address for apt
    local method=${1%%:*} path=${1#*:}/$2
    path=${path//%/%25}
    path=${path// /%20}
    printf '%s:%s\n' "$method" "${path//+/%2b}"
}

pinned() { # LABEL BASE
    local version orig orig_sum debian debian_sum
    while read -r version orig orig_sum debian debian_sum; do
        [ "$version" = "$minor" ] || continue
        take "$1, $orig" "$orig" "$orig_sum" "$(address "$2" "$orig")" "$debian" "$debian_sum" "$(address "$2" "$debian")"
    done < "${XEN_PINS:-hv-glue/xen/sources.pins}"
}

suite() { # NAME
    local lines orig debian version
    try "$1" .ci/debian-suite "$1" tarballs xen || return 0
    lines=$result
    orig=$(grep -F '.orig.tar.' <<< "$lines" || true)
    debian=$(grep -F '.debian.tar.' <<< "$lines" || true)
    version=$(sed -nE 's/^[^ ]+ xen_([^ ]*)\.debian\.tar\..*/\1/p' <<< "$debian")
    if [ "$(wc -l <<< "$lines")" != 2 ] || [ -z "$orig" ] || [ -z "$version" ]; then
        answers+=("$1: not two tarballs of xen, but: ${lines//$'\n'/, }")
        return
    fi
    case $version in
        "$minor" | "$minor"[!0-9]*) ;;
        *) answers+=("$1 $version: not Xen $minor") && return ;;
    esac
    read -r orig_sum orig orig_address <<< "$orig"
    read -r debian_sum debian debian_address <<< "$debian"
    take "$1 $version" "$orig" "$orig_sum" "$orig_address" "$debian" "$debian_sum" "$debian_address"
}

if [ -n "${XEN_TREE-}" ]; then user_tree "$XEN_TREE"; fi
if [ -n "${XEN_SOURCES-}" ]; then pinned XEN_SOURCES "copy:$(realpath -m "$XEN_SOURCES")"; fi
if try mirror debian_mirror main; then pinned "pool" "$result/pool/main/x/xen"; fi
for name in $suites; do suite "$name"; done
die "no source of Xen $minor came whole; expected one of these, or XEN_TREE with a source tree:"$'\n'"$(list_answers)"
