#!/usr/bin/env bash
# title: what the libraries depend on, licences, duplicates, and every unsafe block
# quick: yes
# packages: python3
python3 -B .ci/dependencies.py
