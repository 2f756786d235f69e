#!/usr/bin/env bash
# title: each fuzz target runs for 30 seconds under AddressSanitizer
# quick: no
# packages: g++
fuzz/run all "${FUZZ_SECONDS:-30}"
