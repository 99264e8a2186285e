#!/bin/sh
# Builds every *_fuzz.cc with libFuzzer and runs each for some seconds.
#   tests/fuzz/run.sh [seconds] [name ...]      for example: tests/fuzz/run.sh 60 cron manifest
# CXX is the compiler (clang++-19), FUZZ_DIR where objects, inputs found and crashes are kept.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
seconds=${1:-20}
export ASAN_SYMBOLIZER_PATH="${ASAN_SYMBOLIZER_PATH-$(command -v llvm-symbolizer-19 || true)}"
[ $# -gt 0 ] && shift
cxx=${CXX:-clang++-19}
out=${FUZZ_DIR:-$root/build/fuzz}
libs="$(pkg-config --libs fmt simdjson yaml-cpp)"
flags="-std=c++20 -g -O1 -fno-omit-frame-pointer -I$root/src $(pkg-config --cflags fmt simdjson yaml-cpp) -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"
mkdir -p "$out"

# The object of a source file, built when it is older than the source.
object() {
    target=$out/$(echo "$1" | tr / _).o
    if [ ! -e "$target" ] || [ "$root/src/$1" -nt "$target" ]; then
        $cxx $flags -c "$root/src/$1" -o "$target"
    fi
    echo "$target"
}

# What a fuzzer of a layer needs: the layers below it, without tests, and without code that needs embedded files.
sources() {
    cd "$root/src"
    case $1 in
        base) ls base/*.cc ;;
        api) ls base/*.cc api/*.cc ;;
        rules) ls base/*.cc api/meta.cc api/label_text.cc rules/*.cc ;;
        kube) ls base/*.cc kube/watch_parser.cc ;;
        cloud/ec2) ls base/*.cc cloud/ec2/kubelet_expression.cc ;;
        *) ls base/*.cc "$1"/*.cc ;;
    esac | grep -v -e '_test\.cc$' -e '_bench\.cc$' -e '_fuzz\.cc$'
}

for fuzzer in $(cd "$root/src" && find . -name '*_fuzz.cc' | sed 's|^\./||' | sort); do
    name=$(basename "$fuzzer" _fuzz.cc)
    if [ $# -gt 0 ]; then
        case " $* " in *" $name "*) ;; *) continue ;; esac
    fi
    objects=$(for source in $(sources "$(dirname "$fuzzer")") "$fuzzer"; do object "$source"; done)
    $cxx -fsanitize=fuzzer,address,undefined $objects $libs -o "$out/$name"
    mkdir -p "$out/$name.found"
    seeds=$root/tests/fuzz/seeds/$name
    [ -d "$seeds" ] || seeds=
    echo "== $name, ${seconds}s"
    (cd "$out" && "./$name" -max_total_time="$seconds" -max_len=4096 -timeout=10 -print_final_stats=0 -verbosity=0 \
        -artifact_prefix="$name.crash-" "$name.found" $seeds)
done
