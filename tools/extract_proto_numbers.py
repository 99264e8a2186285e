#!/usr/bin/env python3
"""Write src/sim/core_kinds.proto: the protobuf field numbers of the types in src/sim/core_kinds.schema, from the
generated.proto and types.go files of Kubernetes' published Go modules:

    extract_proto_numbers.py src/sim/core_kinds.schema K8S_IO_API_FOLDER APIMACHINERY_FOLDER > src/sim/core_kinds.proto
"""

import pathlib
import re
import sys

PACKAGES = [("k8s.io.apimachinery.pkg.apis.", ""), ("k8s.io.api.", "")]
FIELD = re.compile(r"\s*(?:optional|repeated|required)\s+([\w.]+)\s+(\w+)\s*=\s*(\d+)")
MAP_FIELD = re.compile(r"\s*map<[^>]*>\s+(\w+)\s*=\s*(\d+)")
GO_POINTER = re.compile(r'^\t\w+\s+\*[\w.]+\s+`[^`]*json:"(\w+)')


def short(name):
    for prefix, replacement in PACKAGES:
        if name.startswith(prefix):
            return replacement + name[len(prefix):]
    return name


def read_messages(folder, messages):
    for path in sorted(folder.rglob("generated.proto")):
        package, message = "", None
        for line in path.read_text().splitlines():
            if found := re.match(r"package ([\w.]+);", line):
                package = found[1]
            elif found := re.match(r"message (\w+) {", line):
                message = messages.setdefault(short(f"{package}.{found[1]}"), {})
            elif found := MAP_FIELD.match(line):
                message[found[1]] = (int(found[2]), "")
            elif found := FIELD.match(line):
                kind = found[1].lstrip(".")
                if "." not in kind and kind[0].isupper():
                    kind = f"{package}.{kind}"
                message[found[2]] = (int(found[3]), short(kind))


def read_pointers(folder, pointers):
    for path in sorted(folder.rglob("types.go")):
        package = ".".join(path.parent.parts[-2:])
        struct = None
        for line in path.read_text().splitlines():
            if found := re.match(r"type (\w+) struct {", line):
                struct = f"{package}.{found[1]}"
            elif struct and (found := GO_POINTER.match(line)):
                pointers.add((struct, found[1]))


def read_schema(path):
    types, properties = {}, None
    for line in path.read_text().splitlines():
        if line.startswith("#"):
            continue
        if not line.startswith(" "):
            properties = types.setdefault(line.split()[0], set())
        else:
            properties.add(line.split()[0].rstrip("!"))
    return types


def main():
    types = read_schema(pathlib.Path(sys.argv[1]))
    messages, pointers = {}, set()
    for folder in sys.argv[2:]:
        read_messages(pathlib.Path(folder), messages)
        read_pointers(pathlib.Path(folder), pointers)
    print("# Protobuf field numbers of the types in core_kinds.schema: \"NUMBER NAME\", with '*' after a name whose")
    print("# zero is a value of its own; \"NUMBER ~TYPE\": the fields of TYPE stand in this one's JSON.")
    print("# Written by tools/extract_proto_numbers.py; the reader is protobuf.cc.")
    wanted = [(name, properties) for name, properties in sorted(types.items()) if name in messages]
    written = set()
    while wanted:
        name, properties = wanted.pop(0)
        if name in written:
            continue
        written.add(name)
        print(name)
        for field, (number, kind) in sorted(messages[name].items(), key=lambda item: item[1][0]):
            if field in properties:
                print(f" {number} {field}{'*' if (name, field) in pointers else ''}")
            elif kind in messages:
                print(f" {number} ~{kind}")
                wanted.append((kind, properties))


main()
