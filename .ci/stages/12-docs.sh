#!/usr/bin/env bash
# title: the documentation builds without a warning
# quick: yes
# packages:

RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
