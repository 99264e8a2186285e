"""What README and the documents print is what the program prints: commands that begin with `$ joiner`, run in the
project's folder. Times and what hangs on them are left out of the comparison. Bars are
of plain letters."""

import os
import pathlib
import re
import shlex
import subprocess

from suite import NO_CLUSTER, expect, expect_none, test

_PROJECT = pathlib.Path(__file__).resolve().parents[2]
_DOCUMENTS = ("README.md", "docs/plan.md", "docs/explain.md", "docs/top.md")
_TIME = re.compile(r"\b\d+(\.\d+)? (ms|s|seconds?)\b")


def _shown(document):
    """[(command, lines printed)] of the blocks that are indented by four."""
    found = []
    for line in (*(_PROJECT / document).read_text().splitlines(), "end"):
        if line.startswith("    $ "):
            found.append((line.removeprefix("    $ "), []))
        elif found and found[-1][1] is not None:
            if line.startswith("    ") or not line.strip():
                found[-1][1].append(line[4:])
            else:
                found.append(("", None))
    return [(command, lines) for command, lines in found if command]


def _comparable(lines):
    text = "\n".join(_TIME.sub("TIME", line.rstrip()) for line in lines)
    return text.strip()


@test(cluster=NO_CLUSTER, needs_crds=False)
def what_the_documents_show_is_what_the_program_prints(world):
    wrong, ran = [], 0
    for document in _DOCUMENTS:
        for command, lines in _shown(document) if (_PROJECT / document).exists() else ():
            if not command.startswith("joiner "):
                continue
            ran += 1
            done = subprocess.run([world.joiner, *shlex.split(command)[1:]], cwd=_PROJECT, capture_output=True, text=True,
                                  env={**os.environ, "NO_COLOR": "1"})
            if _comparable(done.stdout.splitlines()) != _comparable(lines):
                wrong.append(f"{document}: {command}: prints\n{done.stdout}{done.stderr}")
    expect(ran, "the documents show commands")
    expect_none(wrong, "shown otherwise than printed")
