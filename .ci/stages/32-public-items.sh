#!/usr/bin/env bash
# title: every public item of the libraries has a caller that ships, or an issue that will add one
# quick: yes
# packages: python3
python3 -B .ci/public-items.py

if said=$(python3 -B .ci/public-items.py --also nobody_calls_this); then
  die "an item without a caller is not found: $said"
fi
grep -q 'nothing that ships uses check::nobody_calls_this' <<< "$said" || die "the check fails for another reason: $said"
say "an item without a caller is found"
