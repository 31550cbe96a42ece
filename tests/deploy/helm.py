"""The chart as Helm itself renders it, in a process of its own: `helm_process.py`."""

import json
import sys
from pathlib import Path
from subprocess import run
from typing import Any

import yaml
from attrs import frozen

from tests.docs.pages import PROJECT

CHART = PROJECT / "deploy/helm/genai-backend"
EXAMPLES = Path(__file__).parent / "values"
RELEASE = "demo"  # as `helm_process.py` has it


class RefusedError(Exception):
    """Helm does not take the values; the text is what it says to who installs."""


@frozen
class Rendered:
    """What an installation would make."""

    objects: tuple[dict[str, Any], ...]
    notes: str

    def of(self, kind: str) -> list[dict[str, Any]]:
        """All of a kind."""
        return [each for each in self.objects if each["kind"] == kind]

    def one(self, kind: str, component: str) -> dict[str, Any]:
        """That of a component; there has to be one."""
        found = [
            each
            for each in self.of(kind)
            if each["metadata"]["labels"]["app.kubernetes.io/component"] == component
        ]
        assert len(found) == 1, (kind, component)
        return found[0]


def read_example(name: str) -> dict[str, Any]:
    """The values of one of the files."""
    values: dict[str, Any] = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text())
    return values


def render(values: dict[str, Any]) -> Rendered:
    """Raises RefusedError."""
    answer = _ask("render", values)
    if "refused" in answer:
        raise RefusedError(answer["refused"])
    texts = answer["texts"]
    [notes] = [text for name, text in texts.items() if name.endswith("NOTES.txt")]
    objects = [
        each
        for name, text in texts.items()
        if name.endswith(".yaml")
        for each in yaml.safe_load_all(text)
        if each
    ]
    return Rendered(tuple(objects), notes)


def lint(values: dict[str, Any]) -> list[str]:
    """What `helm lint --strict` finds, hints left out."""
    return [
        f"{message['path']}: {message['error']}"
        for message in _ask("lint", values)["messages"]
        if message["severity"] > 1
    ]


def _ask(what: str, values: dict[str, Any]) -> dict[str, Any]:
    done = run(
        [sys.executable, "-m", "tests.deploy.helm_process", what],
        cwd=PROJECT,
        input=json.dumps(values),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
