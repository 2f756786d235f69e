#!/usr/bin/env bash
# title: licences, sources and versions of all dependencies, what the libraries depend on, and every unsafe block
# quick: yes
# packages: python3
deny=$(cargo_tool cargo-deny 0.20.2)
"$deny/cargo-deny" --all-features check --hide-inclusion-graph licenses bans sources
python3 -B .ci/dependencies.py
