#!/usr/bin/env bash
# Formatting, the rooms, and a few clang-tidy rules. Prints what is wrong and exits 1, or "lint: fine".
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t files < <(git ls-files 'src/*.cc' 'src/*.h')
clang-format-19 --dry-run -Werror "${files[@]}"
python3 tools/check_rooms.py .

# The preset only for its list of compile commands; the embedded files must be there to be included.
cmake --preset release >/dev/null
cmake --build build --target embed_crds embed_catalogue embed_core_kinds embed_core_protos >/dev/null
mapfile -t sources < <(git ls-files 'src/*.cc' | grep -vE '_(test|bench|fuzz)\.cc$')
printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy-19 -p build --quiet \
    --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-gch --extra-arg=-Wno-deprecated-declarations 2>/dev/null
echo "lint: fine"
