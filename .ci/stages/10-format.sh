#!/usr/bin/env bash
# title: Rust, shell and Python sources are formatted and clean, and name no machine
# quick: yes
# packages: git pyflakes3 shellcheck

cargo fmt --all --check

mapfile -t scripts < <(git grep -lE '^#!.*\b(ba)?sh\b' -- ':!*.md')
shellcheck --source-path=SCRIPTDIR --source-path=. .ci/environment.sh .ci/fake-mirror.sh .ci/lib.sh "${scripts[@]}"
mapfile -t programs < <(git ls-files '*.py')
pyflakes3 "${programs[@]}"

# What is committed works anywhere: it names no home or work folder. The list is the same on every machine, so that the
# result is. The patterns are written so that this file does not match them.
places=(/ro"ot" /home"/[a-z0-9]+" /Users"/[a-z0-9]+" /work"/[a-z0-9]+" /work"spaces?" /bu"ilds")
if git grep -nIE "(^|[^[:alnum:]_}.])($(IFS='|' && echo "${places[*]}"))(/|[^[:alnum:]_/]|\$)"; then
  die "these committed lines name a place of one machine"
fi
say "$(git ls-files | wc -l) files name no place of one machine; ${#scripts[@]} scripts and ${#programs[@]} Python files are clean"
