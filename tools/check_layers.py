#!/usr/bin/env python3
"""Hold the tree to layers.txt and to its manners: which layer includes which, no stray clocks or sleeps, no header
without an owner. Prints one line a breach and exits 1, or says how many files it read."""

import pathlib
import re
import sys

PURE = {"base", "api", "rules", "model", "plan"}
# Reading a clock, sleeping or starting a thread belongs to io, and to the few places named here.
CLOCK = re.compile(r"(system_clock|steady_clock)::now|\bsleep(_for|_until)?\(|\busleep\(|\bnanosleep\(|gettimeofday\(")
CHANCE = re.compile(r"std::random_device|\bs?rand\(|std::mt19937")
CLOCK_ALLOWED = ("src/io/", "src/cli/", "src/main.cc")


def read_layers(path):
    layers = {}
    for line in path.read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            name, _, allowed = line.partition(":")
            layers[name.strip()] = set(allowed.split())
    return layers


def find_cycle(layers):
    done, path = set(), []

    def visit(layer):
        if layer in path:
            return path[path.index(layer):] + [layer]
        if layer in done:
            return None
        path.append(layer)
        for other in sorted(layers[layer]):
            cycle = visit(other)
            if cycle:
                return cycle
        path.pop()
        done.add(layer)
        return None

    for layer in layers:
        cycle = visit(layer)
        if cycle:
            return cycle
    return None


def main():
    root = pathlib.Path(sys.argv[1])
    layers = read_layers(root / "layers.txt")
    breaches = []
    cycle = find_cycle(layers)
    if cycle:
        breaches.append("layers.txt: a circle of layers: " + " -> ".join(cycle))
    files = sorted(p for p in (root / "src").rglob("*") if p.suffix in (".h", ".cc"))
    included = set()
    for path in files:
        name = path.relative_to(root).as_posix()
        layer = path.relative_to(root / "src").parts[0]
        text = path.read_text()
        is_test = re.search(r"_(test|bench|fuzz)\.cc$", name)
        if layer != "main.cc" and layer not in layers:
            breaches.append(f"{name}: layer {layer} is not in layers.txt")
            continue
        for number, line in enumerate(text.splitlines(), 1):
            include = re.match(r'#include "(([a-z_]+)/[^"]+)"', line)
            if include:
                included.add(include.group(1))
                other = include.group(2)
                if layer != "main.cc" and other != layer and other not in layers[layer]:
                    breaches.append(f"{name}:{number}: {layer} may not include {other}")
            code = line.split("//")[0]
            if CLOCK.search(code) and not name.startswith(CLOCK_ALLOWED) and not re.search(r"_(bench|fuzz)\.cc$", name):
                breaches.append(f"{name}:{number}: reads a clock or sleeps outside io")
            if layer in PURE and not is_test and CHANCE.search(code):
                breaches.append(f"{name}:{number}: randomness of its own in a pure layer")
    for path in files:
        name = path.relative_to(root / "src").as_posix()
        if path.suffix == ".h" and name not in included:
            breaches.append(f"src/{name}: nobody includes this header")
        if path.suffix == ".h" and "#pragma once" not in path.read_text():
            breaches.append(f"src/{name}: no #pragma once")
    for breach in breaches:
        print(breach)
    if breaches:
        sys.exit(1)
    print(f"{len(files)} files keep to {len(layers)} layers")


main()
