#!/usr/bin/env bash
# run.sh JOINER: alert rules and dashboards on a real Prometheus, Debian's: the rules' tests, and every expression against
# the metrics of `joiner demo --serve`. About two minutes.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
rules=$here/../../deploy/prometheus
"$here/../../tools/setup.sh" build prometheus
promtool check rules "$rules/alerts.yaml"
promtool test rules "$rules/alerts_test.yaml"
exec python3 "$here/ask.py" "$1"
