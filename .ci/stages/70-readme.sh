#!/usr/bin/env bash
# title: every command of the README files does what it says
# quick: yes
# packages: git python3

# The lines of fences marked "sh" are commands; those that start this script are left to its caller,
# and those of the fence "sh esp" to the stage loader-boots, which boots what they make.
# A line that ends in \ goes on in the next.
commands=$(mktemp)
trap 'rm -f "$commands"' EXIT
git ls-files -z -- 'README.md' '*/README.md' | while IFS= read -r -d '' file; do
  awk -v file="$file" '
    /^ *```/ { inside = !inside && $1 == "```sh" && NF == 1; next }
    inside && held == "" && ($0 ~ /^ *(#|$)/ || $0 ~ /^ *(bash )?(\.\/ci\.sh|\.ci\/run)( |$)/) { next }
    inside && sub(/\\$/, "") { held = held $0; next }
    inside { print file "\t" held $0; held = "" }' "$file"
done > "$commands"
[ -s "$commands" ] || die "no README has a command"

while IFS=$'\t' read -r file command; do
  say "$file: $command"
  start=$SECONDS
  bash -euo pipefail -c "$command" < /dev/null || die "$file: this command fails: $command"
  [ $((SECONDS - start)) -lt 600 ] || die "$file: this command takes over 10 minutes: $command"
done < "$commands"
say "$(wc -l < "$commands") commands of README files did what they do"
