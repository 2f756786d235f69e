# Sourced first by ci.sh: restarts it in an environment in which the caller's settings change no verdict.
# shellcheck shell=bash

# Only these variables pass: where programs and folders are, how to reach the network, and the options of ci.sh and its
# scripts. Others select a locale (sort order, compilers' messages), compiler flags, another target folder, git's
# repository or an update of goldens.
if [ "${VNUMA_TABLES_ENVIRONMENT-}" != clean ]; then
  passed=()
  for name in $(compgen -e); do
    case $name in
      PATH | USER | LOGNAME | TMPDIR | XDG_CACHE_HOME | LD_LIBRARY_PATH | APT_CONFIG | CI_SEED | RANDOM_SEED | BLESS | \
        RUST_SRC_LIBRARY | RUST_BACKTRACE | RUSTUP_HOME | RUSTUP_DIST_* | RUSTUP_UPDATE_* | CARGO_HOME | CARGO_INCREMENTAL | CARGO_BUILD_JOBS | CARGO_NET_* | \
        CARGO_HTTP_* | CARGO_SOURCE_* | CARGO_REGISTRY_* | CARGO_REGISTRIES_* | SSL_CERT_* | XEN_TREE | XEN_SOURCES | DEBIAN_MIRROR | DEBIAN_KEYRING | FUZZ_TOOLCHAIN | FUZZ_FOUND | \
        http_proxy | https_proxy | no_proxy | all_proxy | HTTP_PROXY | HTTPS_PROXY | NO_PROXY | ALL_PROXY)
        passed+=("$name=${!name}")
        ;;
    esac
  done
  # Without a home folder in the environment, the user database names it. git refuses a clone of another user, as in a
  # container, unless it is declared safe; the user's own settings could colour its output.
  exec env -i "HOME=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}" "${passed[@]}" VNUMA_TABLES_ENVIRONMENT=clean \
    "CARGO_BUILD_TARGET_DIR=$PWD/target" LC_ALL=C.UTF-8 PYTHONUTF8=1 TZ=UTC TERM=dumb GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 \
    GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory "GIT_CONFIG_VALUE_0=$PWD" bash ./ci.sh "$@"
fi

# What is built and unpacked is readable, also where the caller's files are private.
umask 022
