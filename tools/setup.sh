#!/usr/bin/env bash
# setup.sh WHAT [PACKAGE…]: installs the Debian packages that WHAT needs, and those that are named, where they are
# missing. WHAT: build, tests or lint.
set -euo pipefail

case ${1:-build} in
build)
    packages=(
        g++ cmake ninja-build ccache pkg-config python3 git ca-certificates
        libcurl4-openssl-dev libssl-dev zlib1g-dev libsimdjson-dev nlohmann-json3-dev libyaml-cpp-dev libfmt-dev libspdlog-dev
        libcli11-dev libexpected-dev libre2-dev prometheus-cpp-dev libcpp-httplib-dev libjemalloc-dev libpugixml-dev
        libtomlplusplus-dev libncurses-dev
    ) ;;
tests) packages=(openssl libgtest-dev libgmock-dev libbenchmark-dev) ;;
lint) packages=(clang-format-19 clang-tidy-19) ;;
*)
    echo "setup: WHAT is build, tests or lint, not $1" >&2
    exit 1
    ;;
esac
packages+=("${@:2}")
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "setup: these packages are missing, and there is no apt-get to install them: ${missing[*]}" >&2
    exit 1
fi
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
