"""Mistakes made at start: one sentence that names the flag or file, and exit code 2."""

import dataclasses
import json
import subprocess

from instance_types import generic_instance_types
from processes import free_port
from suite import NO_CLUSTER, expect, test


@dataclasses.dataclass(frozen=True)
class _Mistake:
    name: str
    flags: tuple
    named: str         # the sentence has this in it
    files: dict = dataclasses.field(default_factory=dict)
    kubeconfig: str = "kubeconfig"


def _types_without_price():
    types = generic_instance_types()[:2]
    del types[1]["offerings"][0]["Price"]
    return json.dumps(types)


def _kubeconfig(server):
    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": server}}],
        "users": [{"name": "test", "user": {"token": "secret"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]})


_MISTAKES = (
    _Mistake("an unknown flag", ("--no-such-flag=1",), "no-such-flag"),
    _Mistake("a boolean that is neither true nor false", ("--enable-profiling=maybe",), "enable-profiling"),
    _Mistake("a number that is none", ("--metrics-port=many",), "metrics-port"),
    _Mistake("a duration that is none", ("--batch-idle-duration=soon",), "batch-idle-duration"),
    _Mistake("a value that is no choice", ("--preference-policy=Sometimes",), "preference-policy"),
    _Mistake("a binding that is no choice", ("--pod-binding=never-heard-of",), "pod-binding"),
    _Mistake("a kubeconfig that is not there", (), "missing-kubeconfig", kubeconfig="missing-kubeconfig"),
    _Mistake("a kubeconfig that is no YAML", (), "kubeconfig", files={"kubeconfig": "clusters: [}"}),
    _Mistake("a kubeconfig without its cluster", (), "kubeconfig",
             files={"kubeconfig": '{"current-context": "test", "contexts": [{"name": "test", "context": '
                                  '{"cluster": "absent", "user": "absent"}}]}'}),
    _Mistake("a server that nobody serves", (), "127.0.0.1"),
    _Mistake("a types file that is not there", ("--instance-types-file-path=no-types.json",), "no-types.json"),
    _Mistake("a types file that is no JSON", ("--instance-types-file-path=types.json",), "types.json",
             files={"types.json": "[{"}),
    _Mistake("a types file without a price", ("--instance-types-file-path=types.json",), "types.json",
             files={"types.json": _types_without_price()}),
    _Mistake("a scheduler configuration with an unknown field", ("--scheduler-config={surprise: 1}",), "surprise"),
)


@test(NO_CLUSTER)
def a_mistake_at_start_gets_one_sentence_and_exit_code_2(world):
    complaints = []
    for mistake in _MISTAKES:
        folder = world.directory / "start-up" / mistake.name.replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kubeconfig").write_text(_kubeconfig(f"https://127.0.0.1:{free_port()}"))
        for file, text in mistake.files.items():
            (folder / file).write_text(text)
        try:
            ended = subprocess.run(
                [world.joiner, "controller", f"--kubeconfig={mistake.kubeconfig}", "--disable-leader-election=true",
                 *mistake.flags], cwd=folder, capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            complaints.append(f"{mistake.name}: still runs after 60 s")
            continue
        said = ended.stderr.strip()
        if ended.returncode != 2:
            complaints.append(f"{mistake.name}: exit code {ended.returncode}")
        if not said or "\n" in said or mistake.named not in said:
            complaints.append(f"{mistake.name}: said {said[:200]!r}")
    expect(not complaints, "; ".join(complaints))
