# Shared by ci.sh and the stages; sourced, at the root of the repository.
# shellcheck shell=bash

# Downloads and what is built of them, each in a folder named by a hash of its content.
# shellcheck disable=SC2034
CACHE=$(realpath -ms "${XDG_CACHE_HOME:-${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}/.cache}")/vnuma-tables

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

cached() { # FOLDER: prints this folder of the cache, and marks it as in use
  touch "$1"
  printf '%s\n' "$1"
}

sha256() { # of standard input
  sha256sum | cut -d' ' -f1
}

debian_mirror() { # main | security: prints the address of that archive on the mirror that the machine's apt names
  local label=Debian address
  if [ -n "${DEBIAN_MIRROR-}" ]; then
    address=${DEBIAN_MIRROR%/}
    if [ "$1" = security ]; then address+=-security; fi
    printf '%s\n' "$address"
    return
  fi
  if [ "$1" = security ]; then label=Debian-Security; fi
  # The dollar signs are apt's.
  # shellcheck disable=SC2016
  address=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' 2> /dev/null |
    sed -nE "s,^Debian\|$label\|((https?|file|copy|mirror)\b.*[^/])/*\$,\1,p" | sed -n 1p) || true
  [ -n "$address" ] || die "apt's lists on this machine have no archive with the label $label; expected one, after" \
    "'apt-get update', or DEBIAN_MIRROR with the address of a mirror of Debian"
  printf '%s\n' "$address"
}

apt_answer() { # FILE: apt's first error in its standard error, as NAME: ANSWER where a file is missing
  sed -nE 's,^E: (Failed to fetch [^ ]*/)?,,p' "$1" | sed -nE '1 { s,%2b,+,gi; s,%7e,~,gi; s, +\[IP: .*,,; s,^([^ ]+)  +,\1: ,; s,  +, ,g; p }' | grep . ||
    tail -n 1 "$1"
}

# Candidates of which the first good one is taken: what each of the others answered.
answers=() result=''

try() { # LABEL COMMAND...: sets result to what it prints; where it fails, notes its last error and fails
  local label=$1 log
  shift
  log=$(mktemp)
  if result=$("$@" 2> "$log"); then
    cat "$log" >&2
    rm "$log"
    return 0
  fi
  answers+=("$label: $( (grep '^error: ' "$log" || cat "$log") | sed -n '$ { s/^error: //; p }')")
  rm "$log"
  return 1
}

list_answers() { # one a line
  printf '  %s\n' "${answers[@]}"
}

export_target_flags() { # [--core-only] TARGET [FLAG...]: cargo's rustflags for it, from .ci/rust-target
  local flags target=$1
  if [ "$target" = --core-only ]; then target=$2; fi
  flags=$(.ci/rust-target "$@")
  export "CARGO_TARGET_$(tr a-z- A-Z_ <<< "$target")_RUSTFLAGS=$flags"
}

static_busybox() { # prints the file
  local root
  root=$(.ci/debian only bookworm busybox-static) || return 1
  printf '%s/bin/busybox\n' "$root"
}

static_programs() { # PACKAGE...: builds their programs for an initrd; prints the folder
  local target=x86_64-unknown-linux-gnu
  RUSTFLAGS=-Ctarget-feature=+crt-static cargo build --quiet --release "${@/#/--package=}" --bins --target $target
  printf '%s\n' target/$target/release
}

cloud_kernel() { # SUITE: prints the file of Debian's kernel for virtual machines
  local root
  root=$(.ci/debian kernel "$1" linux-image-cloud-amd64) || return 1
  find "$root" -name 'vmlinuz*' | grep .
}

kernel_version() { # VMLINUZ: its first two numbers, from the name of the file or of its folder
  sed -nE 's|.*/(vmlinuz-)?([0-9]+\.[0-9]+)\.[^/]*(/vmlinuz)?$|\2|p' <<< "$1" | grep .
}

cloud_kernels() { # SUITE...: the judges' arguments for these, "--kernel" and "VERSION=FILE" on a line each
  local suite file version
  for suite in "$@"; do
    file=$(cloud_kernel "$suite") || return 1
    version=$(kernel_version "$file") || return 1
    printf -- '--kernel\n%s=%s\n' "$version" "$file"
  done
}

rust_source() { # prints the folder "library" of the source of rustc
  local folder release
  release=$(rustc --version --verbose | sed -n 's/^release: //p')
  for folder in "${RUST_SRC_LIBRARY-}" "$(rustc --print sysroot)/lib/rustlib/src/rust/library"; do
    if [ -n "$folder" ] && [ -e "$folder/core/Cargo.toml" ]; then
      printf '%s\n' "$folder"
      return
    fi
  done
  if command -v apt-get > /dev/null && folder=$(.ci/debian only 'trixie-backports|trixie|sid|testing' "rust-src=$release+*"); then
    printf '%s/usr/src/rustc-%s/library\n' "$folder" "$release"
    return
  fi
  die "no source of Rust $release: 'rustup component add rust-src', or Debian's rust-src unpacked and" \
    "RUST_SRC_LIBRARY naming its folder 'library'"
}

readme_commands() { # FENCE FILE: the commands in the file's fences with these words, each on a line; not those that start ci.sh
  # The lines of a command that ends in \ are one.
  awk -v fence="\`\`\`$1" '
    /^ *```/ { sub(/^ */, ""); inside = !inside && $0 == fence; next }
    inside && held == "" && ($0 ~ /^ *(#|$)/ || $0 ~ /^ *(bash )?(\.\/ci\.sh|\.ci\/run)( |$)/) { next }
    inside && sub(/\\$/, "") { held = held $0; next }
    inside { print held $0; held = "" }' "$2"
}

run_readme() { # NAME FILE: runs the commands of the fences "sh NAME", or "sh" where the name is empty
  local commands command start
  commands=$(readme_commands "sh${1:+ $1}" "$2")
  [ -n "$commands" ] || return 0
  while IFS= read -r command; do
    start=$SECONDS
    say "$2: $command"
    bash -euo pipefail -c "$command" < /dev/null || die "$2: this command fails: $command"
    say "$2: $((SECONDS - start)) s: $command"
  done <<< "$commands"
}

under_valgrind() { # PROGRAM...: 99 where it sees an error
  valgrind --command-line-only=yes --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=all "$@"
}

cargo_tool() { # NAME VERSION: prints the folder that holds this command of cargo's, built once and not optimised
  local folder=$CACHE/cargo-tools/$1-$2
  if [ ! -x "$folder/bin/$1" ]; then
    say "building $1 $2"
    env -u CARGO_BUILD_TARGET_DIR CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug --root "$folder" "$1@$2" >&2
  fi
  printf '%s/bin\n' "$(cached "$folder")"
}

matrix() { # CONSUMER VERSION WHAT: a row of the consumer matrix, written once WHAT has passed
  [ -n "$2" ] || die "$1 has no version"
  mkdir -p target/matrix
  printf '%s\t%s\t%s\n' "$@" >> "target/matrix/$(basename "$0" .sh).tsv"
}

xen_version() { # 4.20 | 4.17: the version of the source that is built for it, which XEN_TREE can replace
  local source
  source=$(hv-glue/xen/source.sh "$1" 2> /dev/null) || return 1
  sed -nE 's/^export XEN_(SUB)?VERSION += ([0-9]+)$/\2/p' "$source/xen/Makefile" | paste -sd.
}

iasl_version() { # ROOT: of the iasl in it, as in 20250404
  .ci/in-root "$1" usr/bin/iasl -v | sed -nE 's/.* version ([0-9]{8}).*/\1/p'
}

package_version() { # ROOT PACKAGE: of it in a folder of .ci/debian, without epoch and Debian's own part
  sed -nE "s/^$2 ([0-9]+:)?([^-]*)-.*/\2/p" "$1/.packages"
}

matrix_kernels() { # WHAT ARGUMENT...: a row for each "VERSION=FILE" among the arguments
  local what=$1 argument
  shift
  for argument in "$@"; do
    [ "$argument" = --kernel ] || matrix Linux "${argument%%=*}" "$what"
  done
}
