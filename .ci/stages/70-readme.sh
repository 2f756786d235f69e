#!/usr/bin/env bash
# title: every command of the README files does what it says
# quick: yes
# packages: binutils debian-archive-keyring gcc git libc6-dev python3

# Commands stand in fences marked "sh" and nowhere else; what starts ci.sh is left to its caller. These fences are run
# by other stages, which have what they need:
#   sh esp, sh stage   loader-boots, which boots what they make: pvh-loader's
#   sh fuzz            fuzz: fuzz's
#   sh xen             xen: hv-glue/xen's
export_target_flags x86_64-unknown-none
mapfile -t readmes < <(git ls-files -- 'README.md' '*/README.md')
awk '
  function bad(what) { printf "%s:%d: %s: %s\n", FILENAME, FNR, what, $0; found = 1 }
  BEGIN {
    others["pvh-loader/README.md", "esp"] = others["pvh-loader/README.md", "stage"] = 1
    others["fuzz/README.md", "fuzz"] = others["hv-glue/xen/README.md", "xen"] = 1
  }
  FNR == 1 { inside = 0; blank = 1 }
  /^ *```/ && !inside && !/```(sh)?$/ && !(/```sh [a-z]+$/ && (FILENAME, $2) in others) { bad("a fence that no stage runs") }
  /^ *```/ { inside = !inside; next }
  inside && /^ *\$ / { bad("a command in a fence of output") }
  !inside && blank && /^(    |\t)/ { bad("an indented block, where a fence says what it is") }
  { blank = /^ *$/ }
  END { exit found }' "${readmes[@]}" >&2 || die "these lines of README files are not run"

count=0
for file in "${readmes[@]}"; do
  run_readme '' "$file"
  count=$((count + $(readme_commands sh "$file" | wc -l)))
done
[ $count -gt 0 ] || die "no README has a command"
say "$count commands of README files did what they do"
