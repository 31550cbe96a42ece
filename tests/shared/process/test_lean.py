"""What a service has loaded when it is ready: nothing that few need, or nobody."""

import subprocess
import sys

import orjson
import pytest

from shared.process.lean import UNUSED, lean

LOAD = """
import sys
import {service}.__main__
import {service}.app
import orjson
sys.stdout.buffer.write(orjson.dumps(list(sys.modules)))
"""
SELDOM = frozenset({"a2a", "botocore", "genai_prices", "google", "mcp", "mcp_types", "pydantic"})


@pytest.mark.parametrize("service", ["gateway", "agent_bridge"])
def test_a_service_loads_nothing_that_few_need(service: str) -> None:
    command = [sys.executable, "-W", "error", "-c", LOAD.format(service=service)]
    done = subprocess.run(command, capture_output=True, check=True)
    loaded = {name.partition(".")[0] for name in orjson.loads(done.stdout)}
    assert not loaded & SELDOM
    assert not set(orjson.loads(done.stdout)) & set(UNUSED)


def test_what_was_left_out_can_be_loaded_afterwards() -> None:
    script = (
        "from shared.process.lean import lean\n"
        "with lean():\n"
        "    try:\n"
        "        import rich\n"
        "    except ModuleNotFoundError:\n"
        "        print('left out')\n"
        "import rich\n"
        "print(rich.__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.decode().split("\n")[:2] == ["left out", "rich"]


def test_what_is_loaded_already_stays() -> None:
    import rich  # noqa: PLC0415

    with lean():
        assert sys.modules["rich"] is rich
    assert sys.modules["rich"] is rich
