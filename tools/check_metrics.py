#!/usr/bin/env python3
"""Hold metrics together: what src/observe/metrics.cc describes is recorded somewhere under src/, outside of tests
(that nothing else is recorded is a CHECK), and docs/metrics.md lists it with the same type and labels: Karpenter's,
each "yes", or "no" with a reason and then not described; and our own. Prints one line a breach and exits 1, or says
how many metrics there are."""

import pathlib
import re
import sys

_TABLE = re.compile(r"constexpr DescribedMetric k\w+\[\] = \{\n(.*?)\n\};", re.DOTALL)
_ENTRY = re.compile(r'^    \{"(\w+)",\s*MetricType::k(\w+),\s*"([^"]*)",', re.MULTILINE)
_ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \| ([^|]+) \|$", re.MULTILINE)
_OF_CONDITIONS = ("status_condition_", "termination_")


def _full_name(name):
    if name.startswith(("joiner_", "aws_")):
        return name
    return ("operator_KIND_" if name.startswith(_OF_CONDITIONS) else "karpenter_") + name


def _described(table):
    """[(name, type, labels)] of the code, names as the code has them."""
    entries = [entry for part in _TABLE.findall(table.read_text()) for entry in _ENTRY.findall(part)]
    return [(name, kind.lower(), labels.split()) for name, kind, labels in entries]


def _document_breaches(described, document):
    text = document.read_text()
    listed = {}
    for name, kind, labels, here in _ROW.findall(text):
        if name in listed:
            yield f"{name} is listed twice"
        listed[name] = (kind, [label.strip() for label in labels.split(",") if label.strip()], here)
    code = {_full_name(name): (kind, labels) for name, kind, labels in described}
    for name, (kind, labels, here) in listed.items():
        if here.startswith("no: "):
            if name in code:
                yield f"{name} is said to be left out, and the code describes it"
        elif not name.startswith("joiner_") and here != "yes":
            yield f'{name}: "{here}" is neither "yes" nor "no: " with a reason'
        elif name not in code:
            yield f"{name} is listed, and the code does not describe it"
        elif code[name] != (kind, labels):
            yield f"{name} is listed as {kind} of {labels}, and the code has {code[name][0]} of {code[name][1]}"
    for name in code.keys() - listed.keys():
        yield f"{name} is described by the code, and not listed"
    for name, _, labels in described:
        if labels != sorted(labels):
            yield f"the labels of {name} are not in order"


def main(root):
    sources = root / "src"
    table = sources / "observe" / "metrics.cc"
    described = _described(table)
    if not described:
        print(f"{table}: no table of descriptions was found")
        return 1
    names = [name for name, _, _ in described]
    code = "".join(path.read_text() for path in sorted(sources.rglob("*.cc"))
                   if path != table and not path.name.endswith("_test.cc"))
    breaches = [f"{table}: {name} is described, and nothing records it" for name in names if f'"{name}"' not in code]
    breaches += [f"{table}: {name} is described twice" for name in sorted({n for n in names if names.count(n) > 1})]
    document = root / "docs" / "metrics.md"
    breaches += [f"{document}: {breach}" for breach in sorted(_document_breaches(described, document))]
    print("\n".join(breaches) or f"{len(names)} metrics, each recorded somewhere and listed as it is")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
