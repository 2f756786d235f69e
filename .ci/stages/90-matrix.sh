#!/usr/bin/env bash
# title: who judged what in this run, in one table: that of the README
# quick: no
# packages: python3
# That table is of Debian's versions of Xen.
readme=(README.md)
if [ -n "${XEN_TREE-}" ]; then readme=() && say "XEN_TREE is set: the table is printed and not compared with that of the README"; fi
python3 -B .ci/judge/matrix.py target/matrix "${readme[@]}"
