# A small mirror of Debian on loopback for tests, signed with a key of its own; sourced, after .ci/lib.sh. Everything that
# apt and the scripts read or write is in a scratch folder.
# shellcheck shell=bash

# Not in TMPDIR: the path of gpg's socket is limited to 108 characters, and apt's lists take no spaces.
work=$(mktemp -d /tmp/fake-mirror.XXXXXX)
trap 'kill "${server-}" 2> /dev/null; gpgconf --homedir "$work/gpg" --kill all; rm -rf "$work"' EXIT
archive=$work/www/debian
mkdir -p "$archive" "$work/www/debian-security"
mkdir -m 700 "$work/gpg"

gpg() { command gpg --homedir "$work/gpg" --batch --quiet --pinentry-mode loopback --passphrase '' "$@"; }
gpg --quick-generate-key 'Fake mirror' ed25519
gpg --export > "$work/keyring.gpg"

python3 -B .ci/judge/fake_mirror.py "$work/www" > "$work/port" &
server=$!
for _ in {1..600}; do [ -s "$work/port" ] || sleep 0.1; done
# What fails is tried again at once, and without a proxy.
printf '%s;\n' 'Acquire::Retries::Delay "false"' 'Acquire::http::Proxy::127.0.0.1 "DIRECT"' > "$work/apt.conf"
export APT_CONFIG=$work/apt.conf DEBIAN_MIRROR DEBIAN_KEYRING=$work/keyring.gpg
DEBIAN_MIRROR=http://127.0.0.1:$(grep . "$work/port")/debian

sums() { # FILE...: an indented line "SHA256 SIZE NAME" for each, as in Debian's lists
  local file
  for file in "$@"; do
    printf ' %s %s %s\n' "$(sha256 < "$file")" "$(stat -c %s "$file")" "${file##*/}"
  done
}

publish() { # SUITE CODENAME INDEX: standard input is this index (main/source/Sources, main/binary-amd64/Packages)
  local folder=$archive/dists/$1
  case $1 in *-security) folder=$archive-security/dists/$1 ;; esac
  mkdir -p "$folder/$(dirname "$3")"
  cat > "$folder/$3"
  {
    printf '%s\n' 'Origin: Debian' "Suite: $1" "Codename: $2" "Date: $(date -Ru)" 'Architectures: amd64' 'Components: main' 'SHA256:'
    printf ' %s %s %s\n' "$(sha256 < "$folder/$3")" "$(stat -c %s "$folder/$3")" "$3"
  } | gpg --yes --clearsign -o "$folder/InRelease"
}

fresh_cache() {
  rm -rf "$work/cache"
  export XDG_CACHE_HOME=$work/cache
}

expect() { # FILE LINE...: the file has these lines, one after the other
  local file=$1 line
  shift
  for line in "$@"; do
    grep -qxF -- "$line" "$file" || { cat "$file" >&2 && die "no line '$line' in this output"; }
  done
}
