#!/usr/bin/env bash
# One would guess: what redis-py needs to tell OpenTelemetry its metrics is loaded when somebody turns
#   that on, by `redis.observability`.
# What happens: `import redis` loads the whole metrics SDK of OpenTelemetry wherever that is installed,
#   for traces alone too, by any other package's wish. Nothing of it is used before it is turned on.
# Where it matters: each process of a service that exports traces starts later, by tens of
#   milliseconds, and has some MiB more at rest. Where `sys.modules` has None in place of the module while redis is imported, all else works.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check redis==8.1.0 opentelemetry-sdk==1.45.2
cat >"$tmp/loads.py" <<'PY'
import sys
from importlib.metadata import version

METRICS = "opentelemetry.sdk.metrics"

if "without" in sys.argv:
    sys.modules[METRICS] = None
before = set(sys.modules)
import redis.asyncio

loaded = [name for name in set(sys.modules) - before if name.startswith("opentelemetry")]
how = "metrics left out" if "without" in sys.argv else "as it is"
print(f"redis {version('redis')}, {how}: loads {len(loaded)} modules of OpenTelemetry", end=" ")
print(version("opentelemetry-sdk"))
assert redis.asyncio.Redis().get_connection_kwargs() is not None
assert any(name.startswith(METRICS) for name in loaded) is ("without" not in sys.argv)
PY
"$tmp/venv/bin/python" "$tmp/loads.py"
"$tmp/venv/bin/python" "$tmp/loads.py" without
