#!/usr/bin/env python3
"""Write src/sim/core_kinds.schema: the field names and types of the built-in kinds the embedded API server serves,
as a running kube-apiserver publishes them. `kubectl proxy` says where:

    extract_core_kinds.py http://127.0.0.1:8001 > src/sim/core_kinds.schema
"""

import json
import sys
import urllib.request

GROUPS = ["api/v1", "apis/apps/v1", "apis/batch/v1", "apis/policy/v1", "apis/storage.k8s.io/v1",
          "apis/coordination.k8s.io/v1", "apis/scheduling.k8s.io/v1", "apis/node.k8s.io/v1",
          "apis/apiextensions.k8s.io/v1"]
KINDS = {
    "": ["Pod", "Node", "Namespace", "Event", "ConfigMap", "Secret", "Service", "ServiceAccount", "Binding",
         "PersistentVolumeClaim", "PersistentVolume", "PodTemplate", "ReplicationController", "LimitRange"],
    "apps": ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"],
    "autoscaling": ["Scale"],
    "batch": ["Job"],
    "policy": ["PodDisruptionBudget", "Eviction"],
    "storage.k8s.io": ["StorageClass", "CSINode", "VolumeAttachment"],
    "coordination.k8s.io": ["Lease"],
    "scheduling.k8s.io": ["PriorityClass"],
    "node.k8s.io": ["RuntimeClass"],
    "apiextensions.k8s.io": ["CustomResourceDefinition"],
}
PREFIXES = [("io.k8s.apiextensions-apiserver.pkg.apis.", ""), ("io.k8s.apimachinery.pkg.apis.", ""),
            ("io.k8s.api.", "")]
SCALARS = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "time",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
}


def short(name):
    for prefix, replacement in PREFIXES:
        if name.startswith(prefix):
            return replacement + name[len(prefix):]
    return name


def reference(schema):
    target = schema.get("$ref") or next((part["$ref"] for part in schema.get("allOf", []) if "$ref" in part), None)
    return target.rsplit("/", 1)[-1] if target else None


class Writer:
    def __init__(self, schemas):
        self.schemas = schemas
        self.wanted = []

    def type_of(self, schema):
        name = reference(schema)
        if name:
            if name in SCALARS:
                return SCALARS[name]
            if not self.schemas[name].get("properties"):
                return "any"
            self.want(name)
            return short(name)
        kind = schema.get("type")
        if kind == "array":
            return "[]" + self.type_of(schema["items"])
        if kind == "object":
            return "map:" + (self.type_of(schema["additionalProperties"]) if "additionalProperties" in schema else "any")
        if kind == "string" and schema.get("format") == "byte":
            return "bytes"
        return kind or "any"

    def want(self, name):
        if name not in self.wanted:
            self.wanted.append(name)

    def field(self, name, schema, required):
        words = [name + ("!" if required else ""), self.type_of(schema)]
        if schema.get("format") in ("int32", "int64", "double"):
            words.append("format=" + schema["format"])
        if "enum" in schema:
            words.append("enum=" + ",".join(schema["enum"]))
        if "x-kubernetes-list-type" in schema:
            words.append("list=" + schema["x-kubernetes-list-type"])
        if "x-kubernetes-list-map-keys" in schema:
            words.append("keys=" + ",".join(schema["x-kubernetes-list-map-keys"]))
        if "x-kubernetes-patch-merge-key" in schema:
            words.append("merge-key=" + schema["x-kubernetes-patch-merge-key"])
        if "x-kubernetes-patch-strategy" in schema:
            words.append("strategy=" + schema["x-kubernetes-patch-strategy"])
        if schema.get("x-kubernetes-map-type") == "atomic":
            words.append("map=atomic")
        return " " + " ".join(words)

    def write(self, name):
        schema = self.schemas[name]
        lines = []
        heading = short(name)
        for gvk in schema.get("x-kubernetes-group-version-kind", []):
            if gvk["kind"] in KINDS.get(gvk["group"], []) and name.endswith("." + gvk["kind"]):
                heading += f" kind={gvk['group']}/{gvk['version']}/{gvk['kind']}"
        if schema.get("x-kubernetes-map-type") == "atomic":
            heading += " map=atomic"
        lines.append(heading)
        required = schema.get("required", [])
        for field, field_schema in schema["properties"].items():
            lines.append(self.field(field, field_schema, field in required))
        return lines


def main():
    base = sys.argv[1].rstrip("/")
    schemas = {}
    for group in GROUPS:
        with urllib.request.urlopen(f"{base}/openapi/v3/{group}") as answer:
            schemas.update(json.load(answer)["components"]["schemas"])
    writer = Writer(schemas)
    for name, schema in sorted(schemas.items()):
        for gvk in schema.get("x-kubernetes-group-version-kind", []):
            if gvk["kind"] in KINDS.get(gvk["group"], []) and name.endswith("." + gvk["kind"]):
                writer.want(name)
    blocks = {}
    while missing := [name for name in writer.wanted if name not in blocks]:
        for name in missing:
            blocks[name] = writer.write(name)
    print("# Fields of the built-in kinds. Written by tools/extract_core_kinds.py; the reader is core_schema.cc.")
    for name in sorted(blocks, key=short):
        print("\n".join(blocks[name]))


main()
