#!/usr/bin/env bash
# title: iasl of bookworm, trixie and sid reads in every golden table what its topology says; regenerating changes nothing
# quick: yes
# packages: debian-archive-keyring git python3
cargo build
bookworm=$(.ci/debian with-libs bookworm acpica-tools)
trixie=$(.ci/debian with-libs trixie acpica-tools)
sid=$(.ci/debian with-libs "sid|testing" acpica-tools)
for root in "$bookworm" "$trixie" "$sid"; do
  python3 .ci/judge/goldens.py target/debug/acpi-gen "$PWD/.ci/in-root" "$root" usr/bin/iasl
  matrix iasl "$(iasl_version "$root")" "every golden table, field by field"
done
# One test at a time: others read the goldens that one writes.
run_readme goldens CONTRIBUTING.md
changed=$(git status --porcelain -- fixtures acpi-gen)
[ -z "$changed" ] || die "regenerating changed: $changed"
