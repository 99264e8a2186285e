#!/usr/bin/env python3
"""ask.py JOINER: starts `joiner demo --serve` and a Prometheus that scrapes it, both on loopback, and asks Prometheus for
every expression of deploy/grafana and deploy/prometheus. Each must parse, name only metrics of docs/metrics.md, and have
a value where the demo has the thing. Prints one line a breach and exits 1."""

import contextlib
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_PATIENCE = 240  # Seconds, for a scale-down with all that is counted of it.
# What the demo has none of, and so expressions over it have no value there.
_ABSENT = {
    "joiner_hedged_launches_total", "joiner_launch_offerings_sold_out_total", "joiner_offering_sold_out",
    "joiner_offering_interruptions_per_hour", "joiner_offering_interruption_cost_per_hour",  # No spot machine is taken back,
    "joiner_plan_fallbacks_total",
    "karpenter_cloudprovider_errors_total", "karpenter_cloudprovider_instance_launch_failures_total",
    "karpenter_cloudprovider_instance_type_offering_available",  # the pretend cloud shows none,
    "karpenter_interruption_received_messages_total",
    "karpenter_nodeclaims_unhealthy_disrupted_total",  # no node is sick,
    "karpenter_voluntary_disruption_failed_validations_total", "karpenter_voluntary_disruption_queue_failures_total",
}
# Of the process itself, which docs/metrics.md names in a sentence.
_OF_PROCESS = {"process_cpu_seconds_total", "process_resident_memory_bytes"}
_METRIC = re.compile(r"\b(?:joiner|karpenter|operator|process|aws)_\w+")
_COMPARES = re.compile(r"==|[<>]")


def _call(url, method="GET", body=None):
    request = urllib.request.Request(url, method=method, data=json.dumps(body).encode() if body else None)
    if body:
        request.add_header("Content-Type", "application/merge-patch+json" if method == "PATCH" else "application/json")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def _running(command, **options):
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@contextlib.contextmanager
def _demo(joiner):
    """(API server's address, host and port of the metrics)"""
    with _running([joiner, "demo", "--serve"], stdout=subprocess.PIPE, text=True) as process:
        said = ""
        while not (found := re.search(r"http://localhost:(\d+)/metrics", said)):
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"the demo ended and has said: {said}")
            said += line
        # What it says from now on is nobody's, and must not fill the pipe.
        with tempfile.TemporaryFile("w") as rest:
            reader = subprocess.Popen(["cat"], stdin=process.stdout, stdout=rest)
            yield re.search(r"--server (http://\S+)", said).group(1), f"127.0.0.1:{found.group(1)}"
            process.terminate()
            reader.wait(20)


@contextlib.contextmanager
def _prometheus(target):
    """Its address."""
    with tempfile.TemporaryDirectory() as folder:
        settings = pathlib.Path(folder) / "prometheus.json"  # JSON is YAML.
        settings.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(_ROOT / "deploy/prometheus/alerts.yaml")],
            "scrape_configs": [{"job_name": "joiner", "static_configs": [{"targets": [target]}]}]}))
        port = _free_port()
        with _running(["prometheus", f"--config.file={settings}", f"--storage.tsdb.path={folder}/data",
                       f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]):
            yield f"http://127.0.0.1:{port}/api/v1/"


def _ask(api, expression):
    """The result, or the error as a string."""
    try:
        answer = _call(api + "query?" + urllib.parse.urlencode({"query": expression}))
    except (urllib.error.URLError, ConnectionError) as error:
        return str(error)
    return answer["data"]["result"] if answer["status"] == "success" else answer["error"]


def _wait_for(api, expression):
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        result = _ask(api, expression)
        if isinstance(result, list) and result:
            return
        time.sleep(1)
    raise SystemExit(f"there is no value of {expression} within {_PATIENCE} seconds")


def _dashboard_expressions():
    """(where, expression), with Grafana's variables filled in."""
    for path in sorted((_ROOT / "deploy/grafana").glob("*.json")):
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                expression = target["expr"].replace("$__rate_interval", "1m").replace("$nodepool", ".*")
                yield f'{path.name}, "{panel["title"]}"', expression
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()
                yield f"{path.name}, the variable {variable['name']}", f'{metric}{{{label}!=""}}'


def _listed_metrics():
    text = (_ROOT / "docs/metrics.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| [^|]* \| ([^|]+) \|$", text, re.MULTILINE)
    out = set(_OF_PROCESS)
    for name, kind, here in rows:
        if here.startswith("no: "):
            continue
        kinds = ["nodeclaim", "nodepool", "node", "capacitybuffer"] if "KIND" in name else [""]
        for of in kinds:
            full = name.replace("KIND", of)
            out.add(full)
            if kind in ("histogram", "summary"):
                out.update(full + end for end in ("_bucket", "_count", "_sum"))
    return out


def _unknown_reasons(expression):
    """Reasons of kept nodes that are none of the planner's words."""
    words = set(re.findall(r'\{Rule::k\w+, "([a-z-]+)"', (_ROOT / "src/plan/reason.cc").read_text()))
    named = re.findall(r'joiner_blocked_nodes\{[^}]*reason=~"([^"]*)"', expression)
    return sorted({word for part in named for word in part.split("|")} - words)


def _plain(metric):
    return re.sub(r"_(bucket|count|sum)$", "", metric)


def _breaches(api):
    listed = _listed_metrics()
    rules = [rule for group in _call(api + "rules")["data"]["groups"] for rule in group["rules"]]
    if not rules:
        yield "Prometheus has no rules"
    for rule in rules:
        if rule["health"] != "ok":
            yield f'alert {rule["name"]}: {rule.get("lastError", rule["health"])}'
    asked = list(_dashboard_expressions()) + [(f'alert {rule["name"]}', rule["query"]) for rule in rules]
    valued = 0
    for where, expression in asked:
        metrics = set(_METRIC.findall(expression))
        for metric in sorted(metrics - listed):
            yield f"{where}: {metric} is no metric of docs/metrics.md"
        for word in _unknown_reasons(expression):
            yield f"{where}: {word} is no reason"
        result = _ask(api, expression)
        if isinstance(result, str):
            yield f"{where}: {result}: {expression}"
        elif result:
            valued += 1
        elif not metrics & _ABSENT and not {_plain(m) for m in metrics} & _ABSENT and not _COMPARES.search(
                re.sub(r'\{[^}]*\}', "", expression)):
            yield f"{where}: no value: {expression}"
    for alert in _call(api + "alerts")["data"]["alerts"]:
        if alert["state"] == "firing":
            yield f'the demo is well, and this alert fires: {alert["labels"]["alertname"]}'
    print(f"{len(asked)} expressions, {valued} of them with a value")


def main(joiner):
    with _demo(joiner) as (server, target), _prometheus(target) as api:
        _wait_for(api, 'karpenter_nodepools_usage{resource_type="nodes"} > 0')
        _wait_for(api, "karpenter_pods_startup_duration_seconds_count >= 1")
        _call(f"{server}/apis/karpenter.sh/v1/nodepools/default", "PATCH", {"spec": {"limits": {"cpu": "1000"}}})
        deployments = f"{server}/apis/apps/v1/namespaces/default/deployments"
        labels = {"app": "huge"}
        container = {"name": "main", "image": "none", "resources": {"requests": {"cpu": "10000"}}}
        _call(deployments, "POST", {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "huge"},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}}})
        time.sleep(15)  # Pods that have just come keep consolidation from their nodes.
        _call(f"{deployments}/batch", "PATCH", {"spec": {"replicas": 0}})
        _wait_for(api, 'joiner_savings_realised_per_hour_total{reason="underutilized"} > 0')
        _wait_for(api, "karpenter_pods_unbound_time_seconds > 0")
        time.sleep(15)  # A whole round of what is summed every ten seconds.
        breaches = list(_breaches(api))
    print("\n".join(breaches), end="\n" if breaches else "")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
