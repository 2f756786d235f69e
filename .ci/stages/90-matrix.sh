#!/usr/bin/env bash
# title: who judged what in this run, in one table: that of the README
# quick: no
# packages: python3
python3 -B .ci/judge/matrix.py target/matrix README.md
