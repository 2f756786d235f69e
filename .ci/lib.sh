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

export_target_flags() { # [--core-only] TARGET [FLAG...]: cargo's rustflags for it, from .ci/rust-target
  local flags target=$1
  if [ "$target" = --core-only ]; then target=$2; fi
  flags=$(.ci/rust-target "$@")
  export "CARGO_TARGET_$(tr a-z- A-Z_ <<< "$target")_RUSTFLAGS=$flags"
}

static_busybox() { # prints the file
  printf '%s/bin/busybox\n' "$(.ci/debian only bookworm busybox-static)"
}

cloud_kernel() { # SUITE: prints the file of Debian's kernel for virtual machines
  local package binary
  package=$(.ci/debian depends "$1" linux-image-cloud-amd64 | grep '^linux-image-')
  # From 7.x on the image package is a shell around another one.
  binary=$(.ci/debian depends "$1" "$package" | grep '^linux-binary-' || true)
  find "$(.ci/debian only "$1" "${binary:-$package}")" -name 'vmlinuz*' | grep .
}
