#!/usr/bin/env python3
"""Hold the table of metrics to the code: what src/observe/metrics.cc describes is recorded somewhere under src/,
outside of tests. (That nothing else is recorded is a CHECK.) Prints one line a breach and exits 1, or says how many
metrics there are."""

import pathlib
import re
import sys

_TABLE = re.compile(r"constexpr Description k\w+\[\] = \{\n(.*?)\n\};", re.DOTALL)
_ENTRY = re.compile(r'^    \{"(\w+)",', re.MULTILINE)


def main(root):
    sources = root / "src"
    table = sources / "observe" / "metrics.cc"
    described = [name for part in _TABLE.findall(table.read_text()) for name in _ENTRY.findall(part)]
    if not described:
        print(f"{table}: no table of descriptions was found")
        return 1
    code = "".join(path.read_text() for path in sorted(sources.rglob("*.cc"))
                   if path != table and not path.name.endswith("_test.cc"))
    breaches = [name for name in described if f'"{name}"' not in code]
    for name in breaches:
        print(f"{table}: {name} is described, and nothing records it")
    breaches += sorted({name for name in described if described.count(name) > 1})
    if not breaches:
        print(f"{len(described)} metrics, each recorded somewhere")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
