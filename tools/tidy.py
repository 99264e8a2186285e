#!/usr/bin/env python3
"""Runs clang-tidy over sources, several of one folder in one unit (units.py), and exits 1 where it finds something.

A unit with findings is tried in halves, for they may come of its sources' neighbourhood.

usage: tidy.py BUILD_DIR SOURCE...     BUILD_DIR holds compile_commands.json
"""
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys

from units import units_of

OPTIONS = ["--quiet", "--header-filter=src/.*", "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-ignored-gch",
           "--extra-arg=-Wno-deprecated-declarations"]


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
        if len(unit) > 1 and done.returncode:
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
    units = units_of(sys.argv[2:])
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [text for text in pool.map(tidy.run, units) if text]
    print(*found, sep="", end="")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
