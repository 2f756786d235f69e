#!/usr/bin/env bash
# usage: source.sh 4.20 | 4.17
#
# Debian's source of that Xen (trixie's, bookworm's), verified, unpacked and with Debian's patches applied, into a
# folder of the cache named by its content; prints the folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. .ci/lib.sh

case ${1-} in
    4.20) suite=trixie ;;
    4.17) suite=bookworm ;;
    *) die "usage: $0 4.20|4.17" ;;
esac

# Lists of the suite's sources alone: nothing of the machine's own apt is touched.
state=$CACHE/apt/$suite-source
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mkdir -p "$state"/{lists,archives}/partial "$CACHE/xen-sources"
exec 9> "$state/lock"
flock 9
# The dollar signs are apt's.
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' 2> /dev/null |
    sed -n 's|^Debian \(.*/debian\)/*$|\1|p' | head -n 1)
echo "deb-src [signed-by=$keyring] ${mirror:-http://deb.debian.org/debian} $suite main" > "$state/sources.list"
: > "$state/status"
apt=(apt-get -qq -o Dir::State="$state" -o Dir::State::lists="$state/lists" -o Dir::State::status="$state/status"
    -o Dir::Cache="$state" -o Dir::Cache::archives="$state/archives" -o Dir::Etc::SourceList="$state/sources.list"
    -o Dir::Etc::SourceParts=/dev/null -o APT::Sandbox::User= -o Acquire::Languages=none -o Acquire::Retries=3)
if [ -z "$(find "$state/updated" -mmin -60 2> /dev/null)" ]; then
    "${apt[@]}" -o APT::Update::Error-Mode=any update >&2
    touch "$state/updated"
fi

# Address, name, size and SHA-256 of the tarballs; the .dsc may be missing on a mirror, and is not needed.
uris=$("${apt[@]}" --print-uris --only-source source xen | grep -E "\.(orig|debian)\.tar\.[a-z]+ ")
[ "$(wc -l <<< "$uris")" = 2 ] || die "$suite: not two tarballs of xen, but: $uris"
folder=$CACHE/xen-sources/$(awk '{ print $4 }' <<< "$uris" | sha256)
if [ ! -d "$folder" ]; then
    work=$(mktemp -d "$CACHE/xen-sources/.new.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    mkdir "$work/tree"
    # The upstream tarball comes before Debian's: its name sorts behind, so by kind.
    for kind in orig debian; do
        read -r uri name _ sum < <(grep -F ".$kind.tar." <<< "$uris")
        curl -fsSL --retry 3 -o "$work/$name" "${uri//\'/}"
        echo "${sum#SHA256:}  $work/$name" | sha256sum --check --quiet - >&2 || die "$name is not what apt's lists name"
        if [ "$kind" = orig ]; then
            tar -xf "$work/$name" -C "$work/tree" --strip-components=1
        else
            tar -xf "$work/$name" -C "$work/tree"
        fi
    done
    grep -vE '^(#|$)' "$work/tree/debian/patches/series" | while read -r patch _; do
        patch -s -p1 -d "$work/tree" < "$work/tree/debian/patches/$patch" >&2
    done
    mv -T "$work/tree" "$folder"
fi
cached "$folder"
