#!/usr/bin/env bash
# title: what has unsafe blocks and runs without a kernel of its own passes its tests on a standard library that checks itself
# quick: no
# packages: debian-archive-keyring

# cargo-careful builds std with its debug assertions, checks of unsafe preconditions and of values' validity in. It asks
# for a nightly compiler's flags, which this variable lets a stable one take, and keeps that std in a cache.
careful=$(cargo_tool cargo-careful 0.4.10)
RUST_LIB_SRC=$(rust_source)
export RUST_LIB_SRC RUSTC_BOOTSTRAP=1 XDG_CACHE_HOME=$CACHE CARGO_PROFILE_DEV_DEBUG=0
# The replay of all corpora calls the C interface, too.
"$careful/cargo-careful" careful test --quiet --target-dir target/careful --package fuzz --package pvh-boot --package xen-hypercall --tests
