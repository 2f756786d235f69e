#!/usr/bin/env bash
# title: ci.sh names the first error of each failed stage and how to run it again
# quick: yes
# packages: git

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/.ci/stages"
git -C "$work" init -q
git -C "$work" -c user.name=ci -c user.email=ci@localhost commit -q --allow-empty -m empty
cp ci.sh "$work/"
cp .ci/environment.sh .ci/lib.sh "$work/.ci/"
stage() { # FILE COMMAND...
  printf '# title: a stage\n# quick: no\n# packages:\n' > "$work/.ci/stages/$1"
  printf '%s\n' "${@:2}" >> "$work/.ci/stages/$1"
}
stage 10-good.sh 'matrix Linux 6.1 boots'
stage 20-fed.sh 'echo first line' 'say "error: no room"' 'echo error: a later one' 'exit 3' 'matrix Xen 4.20 boots'
stage 30-bare.sh 'echo some words' 'false'
stage 40-silent.sh 'false'
stage 50-broken-set.sh 'echo "error: Linux: SRAT: as expected"' 'say "error: the set differs"' false
stage 90-matrix.sh 'exit 1'
if said=$(CI_SEED=1 XDG_CACHE_HOME=$work/cache "$work/ci.sh"); then
  die "ci.sh exits 0 after two stages failed"
fi
expected='fed: error: no room
    again by: CI_SEED=1 ./ci.sh fed
bare: some words
    again by: CI_SEED=1 ./ci.sh bare
silent: no output
    again by: CI_SEED=1 ./ci.sh silent
broken-set: error: the set differs
    again by: CI_SEED=1 ./ci.sh broken-set'
[[ $said == *$'\n\n'"$expected" ]] || die "unexpected end of ci.sh's output:"$'\n'"$said"
grep -q '^6 stages, [0-9]* s, 4 failed$' <<< "$said" || die "unexpected count:"$'\n'"$said"
grep -qE '^matrix .* not run: fed failed$' <<< "$said" || die "matrix is not reported as not run:"$'\n'"$said"
said=$(CI_SEED=1 XDG_CACHE_HOME=$work/cache "$work/ci.sh" good) || die "ci.sh fails without a failed stage:"$'\n'"$said"
