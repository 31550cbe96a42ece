"""Asks Helm's library about the chart: values come by stdin, the answer goes to stdout, as JSON.

In a process of its own, as Helm brings threads, and a process that has some should not fork, as
other tests do.
"""

import json
import sys
from pathlib import Path
from typing import Any

import helm_python

CHART = Path("deploy/helm/genai-backend")
RELEASE, NAMESPACE = "demo", "production"


def _answer(what: str, values: dict[str, Any]) -> dict[str, Any]:
    if what == "lint":
        report: dict[str, Any] = helm_python.lint(CHART, values, strict=True)
        return report
    with helm_python.Chart.load(CHART) as chart:
        try:
            return {"texts": chart.render(values, name=RELEASE, namespace=NAMESPACE)}
        except (helm_python.HelmValuesError, helm_python.HelmRenderError) as fault:
            return {"refused": str(fault)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_answer(sys.argv[1], json.load(sys.stdin))))
