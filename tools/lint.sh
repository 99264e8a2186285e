#!/usr/bin/env bash
# Formatting, the layers, and a few clang-tidy rules. Prints what is wrong and exits 1, or "lint: fine".
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t files < <(git ls-files 'src/*.cc' 'src/*.h')
clang-format-19 --dry-run -Werror "${files[@]}"
python3 tools/check_layers.py .

# Only for the list of compile commands; the embedded files must be there to be included.
cmake --preset release -B build/lint -DJOINER_UNITS=OFF >/dev/null
cmake --build build/lint --target embed_crds embed_catalogue embed_core_kinds embed_core_protos embed_page >/dev/null
mapfile -t sources < <(git ls-files 'src/*.cc' | grep -vE '_(test|bench|fuzz)\.cc$')
python3 tools/tidy.py build/lint "${sources[@]}"
echo "lint: fine"
