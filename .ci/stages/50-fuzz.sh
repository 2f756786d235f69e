#!/usr/bin/env bash
# title: each fuzz target runs for 20 seconds under AddressSanitizer
# quick: no
# packages: g++
run_readme fuzz fuzz/README.md
# What a guest's owner hands to the loader gets a minute in all.
printf '%s\n' kernel_image placement | xargs -P 2 -I TARGET fuzz/run fuzz TARGET 40
