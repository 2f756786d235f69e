#!/usr/bin/env bash
# title: the libraries build for bare metal without alloc, and no public function of theirs can panic
# quick: yes
# packages: debian-archive-keyring python3

target=x86_64-unknown-none

# A core without alloc beside it: a crate that names alloc does not compile.
export_target_flags --core-only $target

for program in .ci/panic-check/src/bin/call-*.rs; do
  library=$(basename "$program" .rs) && library=${library#call-}
  cargo build --release --target $target --package "$library"
  python3 -B .ci/judge/entries.py "$library" "$program"
  cargo build --release --target $target --package panic-check --bin "call-$library"
done

if said=$(cargo build --release --target $target --package panic-check --bin panic-path 2>&1); then
  die "a program with a panic path links, so linking shows nothing"
fi
grep -q 'undefined symbol: a_panic_path_is_left' <<< "$said" || die "the program with a panic path fails for another reason: $said"
say "a panic path is refused by the linker"
