#!/usr/bin/env bash
# Every check of the project, in one script; other entries (.ci/run, the workflow) only call it.
#
#   ./ci.sh            all stages, under 60 minutes on two cores without a cache
#   ./ci.sh quick      the stages marked "quick: yes", under 15 minutes
#   ./ci.sh NAME...    these stages, by file name with or without its number
#   ./ci.sh list       what there is
#
# CI_SEED: the seed of the property tests and fuzzers, instead of the commit's.
# XEN_TREE, XEN_SOURCES: a tree or tarball of Xen, or a folder with Debian's tarballs (hv-glue/xen/source.sh).
# DEBIAN_MIRROR: a mirror of Debian, instead of that of the machine's apt.
# BLESS=1 with benchmark: writes the instruction counts as the new baseline.
# Variables that are not in the list of .ci/environment.sh do not reach the stages.
#
# A stage is a file .ci/stages/NN-name.sh, run by bash at the root with the functions of .ci/lib.sh,
# with -euo pipefail, and with three header lines:
#   # title: one line on what it shows
#   # quick: yes | no
#   # packages: Debian packages that it needs, or nothing
# A stage fails by its exit status. None is skipped: what cannot run, fails.
set -euo pipefail
cd -- "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")" > /dev/null
. .ci/environment.sh
. .ci/lib.sh

header() { # FILE KEY: the value of a header line
  local value
  value=$(sed -n "s/^# $2: *//p" "$1" | head -n 1)
  grep -q "^# $2:" "$1" || die "$1: no header line '# $2:'"
  printf '%s\n' "$value"
}

stage_name() { # FILE: the name without folder, number and suffix
  basename "$1" .sh | sed 's/^[0-9]*-//'
}

list_stages() {
  local file
  for file in .ci/stages/*.sh; do
    printf '%-16s quick: %-4s %s\n' "$(stage_name "$file")" "$(header "$file" quick)" "$(header "$file" title)"
  done
}

find_stage() { # NAME
  local file
  for file in .ci/stages/*.sh; do
    case $1 in "$(stage_name "$file")" | "$(basename "$file" .sh)")
      printf '%s\n' "$file"
      return
      ;;
    esac
  done
  die "no stage $1; there are: $(for file in .ci/stages/*.sh; do stage_name "$file"; done | paste -sd' ')"
}

free_mib() { # on the project's file system
  df --output=avail --block-size=1M . | tail -n 1
}

install_packages() { # NAME...: installs what is missing, or names it
  [ $# -gt 0 ] || return 0
  command -v dpkg-query > /dev/null || die "this is no Debian machine; needed are: $*"
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null || true)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || die "missing Debian packages, install them as root: apt-get install ${missing[*]}"
  say "installing ${missing[*]}"
  apt-get -q update
  DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "${missing[@]}"
}

stages=()
case ${1-} in
  list) list_stages && exit ;;
  '') stages=(.ci/stages/*.sh) ;;
  quick) for file in .ci/stages/*.sh; do [ "$(header "$file" quick)" = no ] || stages+=("$file"); done ;;
  *) for name in "$@"; do
    file=$(find_stage "$name")
    stages+=("$file")
  done ;;
esac

packages=()
for file in "${stages[@]}"; do
  header "$file" title > /dev/null
  wanted=$(header "$file" packages)
  read -ra wanted <<< "$wanted"
  packages+=("${wanted[@]}")
done
install_packages "${packages[@]}"
# Images of containers come without apt's lists, which name the mirror.
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null && [ -z "$(apt-get indextargets 'Created-By: Packages')" ]; then
  apt-get -q update
fi

# Figures of all stages; single ones need less, so that this is no reason to fail.
[ "$(free_mib)" -ge 12288 ] || say "warning: $(free_mib) MiB of disk are free; all stages need 12288 MiB"
memory=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
[ "$memory" -ge 11264 ] || say "warning: $memory MiB of memory are available; the largest stages need 11264 MiB for two machines at a time"

# What nobody asked the cache for in a week, by the one time that no unpacking sets back; apt and cargo-careful keep their own.
mkdir -p "$CACHE" || die "cannot create the cache's folder: $CACHE; set XDG_CACHE_HOME to a folder that you can write"
# A folder gets another name first: one that is half deleted must not be taken for whole. Other runs may do the same now.
find "$CACHE" -ignore_readdir_race -mindepth 2 -maxdepth 2 ! -path "$CACHE/apt/*" ! -path "$CACHE/ccache/*" ! -path "$CACHE/cargo-careful/*" \
  ! -name '.old.*' -ctime +7 -execdir sh -c 'mv -T "$1" ".old.$$.$(basename "$1")"' sh {} \; 2> /dev/null || true
find "$CACHE" -ignore_readdir_race -mindepth 2 -maxdepth 2 -name '.old.*' -exec rm -rf {} + || true

# Random tests draw by the commit: other cases with each, and the same ones wherever it is tested.
commit=$(git rev-parse --verify HEAD) || die "this folder is no git clone: $PWD; stages list and compare the committed files"
seed=${CI_SEED:-$((0x${commit:0:7}))}
export PROPTEST_RNG_SEED=$seed FUZZ_SEED=$seed
say "the property tests and fuzzers draw by CI_SEED=$seed"

first_error() { # LOG: the first line that reports an error, else the last line
  # Not an "error: Linux: ..." of acpi-gen check: stages print those of broken tables, where they are right.
  grep -vE 'error: (Linux|Xen|fwts): ' "$1" |
    grep -m 1 -E '^error|: error: |FAILED|panicked at|^[A-Za-z.]*Error: |\*\*\* |No space left' ||
    grep . "$1" | tail -n 1 || true
}

# The stages that write rows for the stage "matrix".
feeds_matrix() { # FILE
  grep -qE '^ *matrix(_kernels)? ' "$1"
}

logs=target/ci-logs
mkdir -p $logs
# A run of all stages writes all rows; those of a stage that has gone stay otherwise.
[ $# -gt 0 ] || rm -rf target/matrix
rows=() failures=() unfed=''
for file in "${stages[@]}"; do
  name=$(stage_name "$file")
  printf '\n==== %s: %s\n' "$name" "$(header "$file" title)"
  start=$SECONDS result=ok
  rm -f "target/matrix/$(basename "$file" .sh).tsv"
  if [ "$name" = matrix ] && [ -n "$unfed" ]; then
    result="not run: $unfed failed"
  elif ! bash -euo pipefail -c '. .ci/lib.sh && . "$0"' "$file" < /dev/null 2>&1 | tee "$logs/$name.log"; then
    result=FAILED
    error=$(first_error "$logs/$name.log")
    failures+=("$name: ${error:-no output}" "    again by: CI_SEED=$seed ./ci.sh $name")
    if feeds_matrix "$file"; then unfed=${unfed:+$unfed, }$name; fi
  fi
  rows+=("$(printf '%-16s %5d s  %6d MiB free  %s' "$name" $((SECONDS - start)) "$(free_mib)" "$result")")
  printf '==== %s\n' "${rows[-1]}"
done

failed=$((${#failures[@]} / 2))
printf '\n%d stages, %d s, %d failed\n' ${#stages[@]} $SECONDS $failed
printf '%s\n' "${rows[@]}"
[ $failed = 0 ] || printf '%s\n' '' "${failures[@]}"
[ $failed = 0 ]
