#!/usr/bin/env bash
# title: every command of the Markdown files runs, and every link has a target
# quick: yes
# packages: binutils debian-archive-keyring gcc git libc6-dev python3

# Commands stand in fences marked "sh" and nowhere else; what starts ci.sh is left to its caller. These fences are run
# by other stages, which have what they need:
#   sh esp, sh stage   loader-boots, which boots what they make: pvh-loader's
#   sh fuzz            fuzz: fuzz's
#   sh goldens         goldens: CONTRIBUTING.md's
#   sh xen             xen: hv-glue/xen's and CONTRIBUTING.md's
export_target_flags x86_64-unknown-none
mapfile -t documents < <(git ls-files -- '*.md')
python3 -B .ci/links.py "${documents[@]}"
awk '
  function bad(what) { printf "%s:%d: %s: %s\n", FILENAME, FNR, what, $0; found = 1 }
  BEGIN {
    others["pvh-loader/README.md", "esp"] = others["pvh-loader/README.md", "stage"] = 1
    others["fuzz/README.md", "fuzz"] = others["hv-glue/xen/README.md", "xen"] = 1
    others["CONTRIBUTING.md", "goldens"] = others["CONTRIBUTING.md", "xen"] = 1
  }
  FNR == 1 { inside = 0; blank = 1 }
  /^ *```/ && !inside && !/```(sh)?$/ && !(/```sh [a-z]+$/ && (FILENAME, $2) in others) { bad("a fence that no stage runs") }
  /^ *```/ { inside = !inside; next }
  inside && /^ *\$ / { bad("a command in a fence of output") }
  !inside && blank && /^(    |\t)/ { bad("an indented block, where a fence says what it is") }
  { blank = /^ *$/ }
  END { exit found }' "${documents[@]}" >&2 || die "no stage runs these lines"

count=0
for file in "${documents[@]}"; do
  run_readme '' "$file"
  count=$((count + $(readme_commands sh "$file" | wc -l)))
done
[ $count -gt 0 ] || die "no Markdown file has a command"
say "$count commands of Markdown files ran"
