#!/usr/bin/env python3
"""Which sources of a folder may be compiled as one unit, because no two of them define a local name twice.

Most of what compiling and checking a source costs is the headers that it shares with its neighbours.

usage: units.py SOURCE...     prints a unit a line, its sources in order of name, separated by ';'
"""
import collections
import os
import re
import sys

MOST_SOURCES = 10
# What a source may define for itself alone: functions, types and constants that begin in the first column.
LOCAL_NAME = re.compile(r"^(?!using|namespace)(?:template\s*<.*>\s*)?(?:(?:struct|class|enum class|enum)\s+(\w+)|"
                        r"[A-Za-z_][\w:<>,&*\s\[\]]*?[\s&*>](\w+)\s*(?:\(|=|\{|\[|;))", re.M)
HEADER_TYPE = re.compile(r"^(?:template\s*<.*>\s*)?(?:struct|class|enum class|enum)\s+(\w+)(?:\s+final)?\s*[:{]", re.M)
UNNAMED = re.compile(r"^namespace \{\n(.*?)^\}  // namespace\n", re.M | re.S)
# The same alias may stand twice; two meanings of one name may not.
ALIAS = re.compile(r"^using (?:namespace )?(?:(\w+) = )?([^;]+);", re.M)


def names_in(text):
    return {first or second for first, second in LOCAL_NAME.findall(text)}


class Names:
    def __init__(self, text):
        self.own = names_in(text)
        self.unnamed = set().union(*(names_in(part) for part in UNNAMED.findall(text)))
        self.aliases = {}
        for name, target in ALIAS.findall(text):
            self.aliases[name or target.rsplit("::", 1)[-1]] = target

    def collide_with(self, other):
        return (bool(self.own & other.own) or bool(self.own & other.aliases.keys()) or bool(other.own & self.aliases.keys()) or
                any(other.aliases.get(name, target) != target for name, target in self.aliases.items()))

    def add(self, other):
        self.own |= other.own
        self.aliases |= other.aliases


def names_of_headers(folder):
    """The types that the headers under a folder define, and all that they name."""
    types, names = set(), set()
    for path, _, files in os.walk(folder):
        for name in files:
            if name.endswith(".h"):
                with open(os.path.join(path, name)) as file:
                    text = file.read()
                types.update(HEADER_TYPE.findall(text))
                names |= names_in(text)
    return types, names


def units_of(sources):
    """Lists of sources, in order of folder and name. A source that keeps for itself a name that its layer's headers have stands alone."""
    folders = collections.defaultdict(list)
    for source in sources:
        folders[os.path.dirname(source)].append(source)
    out = []
    for _, members in sorted(folders.items()):
        layer = os.sep.join(members[0].split(os.sep)[:-1])
        while os.path.basename(os.path.dirname(layer)) not in ("src", ""):
            layer = os.path.dirname(layer)
        types, header_names = names_of_headers(layer)
        units = []  # of (sources, names)
        for source in sorted(members):
            with open(source) as file:
                names = Names(file.read())
            if names.own & types or names.aliases.keys() & types or names.unnamed & header_names:
                out.append([source])
                continue
            for unit, taken in units:
                if len(unit) < MOST_SOURCES and not taken.collide_with(names):
                    unit.append(source)
                    taken.add(names)
                    break
            else:
                units.append(([source], names))
        out += [unit for unit, _ in units]
    return out


if __name__ == "__main__":
    for unit in units_of(sys.argv[1:]):
        print(";".join(unit))
