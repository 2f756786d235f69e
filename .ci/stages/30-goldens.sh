#!/usr/bin/env bash
# title: iasl of bookworm and trixie reads in every golden table what its topology says; regenerating changes nothing
# quick: yes
# packages: acpica-tools debian-archive-keyring git python3

cargo build
trixie=$(.ci/debian with-libs trixie acpica-tools)
python3 .ci/judge/goldens.py target/debug/acpi-gen /usr/bin/iasl
python3 .ci/judge/goldens.py target/debug/acpi-gen "$PWD/.ci/in-root" "$trixie" usr/bin/iasl
# One test at a time: others read the goldens that one writes.
UPDATE_GOLDENS=1 cargo test -p acpi-gen-cli -- --test-threads=1
changed=$(git status --porcelain -- fixtures acpi-gen)
[ -z "$changed" ] || die "regenerating changed: $changed"
