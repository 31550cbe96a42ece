"""The chart, rendered once from each of the files of values."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.deploy.helm import EXAMPLES, Rendered, read_example, render

NAMES = sorted(path.stem for path in EXAMPLES.glob("*.yaml"))
PAIR = ("gateway", "bridge")
each_example = pytest.mark.parametrize("name", NAMES)
each_of_the_pair = pytest.mark.parametrize("component", PAIR)


@cache
def rendered(name: str) -> Rendered:
    return render(read_example(name))


def pods(name: str) -> Iterator[dict[str, Any]]:
    """The descriptions of all pods."""
    for each in rendered(name).objects:
        if each["kind"] in {"Deployment", "Job"}:
            yield each["spec"]["template"]["spec"]


def containers(name: str) -> Iterator[dict[str, Any]]:
    for pod in pods(name):
        [container] = pod["containers"]
        yield container


def environment(container: dict[str, Any]) -> dict[str, str | None]:
    """Its variables; None where a Secret has the value."""
    return {each["name"]: each.get("value") for each in container["env"]}


def container_of(name: str, component: str) -> dict[str, Any]:
    [container] = rendered(name).one("Deployment", component)["spec"]["template"]["spec"][
        "containers"
    ]
    assert isinstance(container, dict)
    return container
