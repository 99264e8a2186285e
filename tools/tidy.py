#!/usr/bin/env python3
"""Runs clang-tidy over sources, several of one folder in one translation unit, and exits 1 where it finds something.

Most of what clang-tidy costs is the standard library's headers, read and searched for each unit again. Sources whose names would
collide in one unit (two local helpers of one name) go to different units; a unit that does not compile all the same is tried in halves.

usage: tidy.py BUILD_DIR SOURCE...     BUILD_DIR holds compile_commands.json
"""
import collections
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys

SOURCES_IN_A_UNIT = 10
# What a source may define for itself alone: functions, types, constants that begin in the first column.
LOCAL_NAME = re.compile(r"^(?!using|namespace)(?:template\s*<.*>\s*)?(?:(?:struct|class|enum class|enum)\s+(\w+)|[A-Za-z_][\w:<>,&*\s\[\]]*?[\s&*>](\w+)\s*(?:\(|=|\{|\[|;))", re.M)
OPTIONS = ["--quiet", "--header-filter=src/.*", "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-ignored-gch",
           "--extra-arg=-Wno-deprecated-declarations"]


def units_of(sources):
    """Lists of sources that may stand in one unit, in order of folder and name."""
    folders = collections.defaultdict(list)
    for source in sources:
        folders[os.path.dirname(source)].append(source)
    for _, members in sorted(folders.items()):
        units = []  # of (sources, names)
        for source in sorted(members):
            with open(source) as file:
                names = {first or second for first, second in LOCAL_NAME.findall(file.read())}
            for unit, taken in units:
                if len(unit) < SOURCES_IN_A_UNIT and not taken & names:
                    unit.append(source)
                    taken |= names
                    break
            else:
                units.append(([source], names))
        yield from (unit for unit, _ in units)


class Tidy:
    def __init__(self, build):
        self.build = build
        with open(os.path.join(build, "compile_commands.json")) as file:
            self.commands = {entry["file"]: entry for entry in json.load(file)}

    def run(self, unit):
        """What clang-tidy has to say of the unit; empty where it is fine."""
        path = unit[0] if len(unit) == 1 else self.together(unit)
        done = subprocess.run(["clang-tidy-19", "-p", os.path.dirname(path) if len(unit) > 1 else self.build, *OPTIONS, path],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if len(unit) > 1 and "clang-diagnostic-error" in done.stdout:
            middle = len(unit) // 2
            return self.run(unit[:middle]) + self.run(unit[middle:])
        return done.stdout if done.returncode else ""

    def together(self, unit):
        name = re.sub(r"\W", "_", unit[0])
        folder = os.path.join(self.build, "tidy", name)
        os.makedirs(folder, exist_ok=True)
        path = os.path.abspath(os.path.join(folder, name + ".cc"))
        first = os.path.abspath(unit[0])
        with open(path, "w") as file:
            file.writelines(f'#include "{os.path.abspath(source)}"\n' for source in unit)
        entry = self.commands[first]
        command = [path if argument == first else argument for argument in shlex.split(entry["command"])]
        with open(os.path.join(folder, "compile_commands.json"), "w") as file:
            json.dump([{"directory": entry["directory"], "file": path, "arguments": command}], file)
        return path


def main():
    tidy = Tidy(sys.argv[1])
    units = list(units_of(sys.argv[2:]))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [text for text in pool.map(tidy.run, units) if text]
    print(*found, sep="", end="")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
