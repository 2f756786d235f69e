#!/usr/bin/env bash
# title: a user's first commands, plain cargo build and test, then every package's tests
# quick: yes
# packages:

cargo build
cargo test
cargo test --workspace
