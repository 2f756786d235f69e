#!/usr/bin/env bash
# title: clippy finds nothing, in all targets of all packages
# quick: yes
# packages:

cargo clippy --workspace --all-targets -- -D warnings
