# Shared by ci.sh and the stages; sourced, at the root of the repository.
# shellcheck shell=bash

# Downloads and what is built of them, each in a folder named by a hash of its content.
# shellcheck disable=SC2034
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/vnuma-tables

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

sha256() { # of standard input
  sha256sum | cut -d' ' -f1
}

export_target_flags() { # TARGET [ARG...]: cargo's rustflags for the target, from .ci/rust-target
  local flags variable
  flags=$(.ci/rust-target "$@")
  variable=CARGO_TARGET_$(tr a-z- A-Z_ <<< "$1")_RUSTFLAGS
  export "$variable=$flags"
}
