"""Valkey from the wheel: starts, keeps its data, stops."""

from pathlib import Path

import psutil
import pytest
from redis import Redis

from devstack.processes import StackError
from devstack.valkey import run_valkey


def test_valkey_keeps_its_data_on_the_same_port(tmp_path: Path) -> None:
    with run_valkey(tmp_path) as server, Redis.from_url(server.url) as client:
        client.set("name", "value")
    with run_valkey(tmp_path, port=server.port) as again, Redis.from_url(again.url) as client:
        assert client.get("name") == b"value"


def test_valkey_can_be_killed_and_started_in_the_same_place(tmp_path: Path) -> None:
    with run_valkey(tmp_path) as killed:
        killed.child.kill()
        again = run_valkey(tmp_path, port=killed.port)
        with again as server, Redis.from_url(server.url) as client:
            assert client.ping()


def test_nothing_of_valkey_is_left_after_its_block(tmp_path: Path) -> None:
    with run_valkey(tmp_path) as server:
        process = psutil.Process(server.pid)
    assert not process.is_running()


def test_valkey_says_that_its_port_is_taken(tmp_path: Path) -> None:
    with run_valkey(tmp_path / "first") as server:
        taken = run_valkey(tmp_path / "second", port=server.port)
        with pytest.raises(StackError, match=f"Valkey cannot have port {server.port}"), taken:
            pass
