"""The port where Prometheus asks."""

from urllib.error import URLError
from urllib.request import urlopen

import pytest

from devstack.processes import HOST, free_port
from shared.database import create_database
from shared.metrics import serve_metrics
from shared.settings import Settings


def read(port: int) -> str:
    with urlopen(f"http://{HOST}:{port}/metrics", timeout=5) as answer:
        text: str = answer.read().decode()
    return text


async def test_it_answers_until_the_block_ends(settings: Settings) -> None:
    port = free_port()
    async with create_database(settings) as database:
        with serve_metrics(HOST, port, database):
            assert 'genai_database_connections{state="idle"} 1.0' in read(port)
    with pytest.raises(URLError):
        read(port)


async def test_a_port_that_is_taken_is_an_error(settings: Settings) -> None:
    port = free_port()
    async with create_database(settings) as database:
        with serve_metrics(HOST, port, database), pytest.raises(OSError, match="in use"):
            serve_metrics(HOST, port, database).__enter__()


async def test_port_0_is_no_port(settings: Settings) -> None:
    with serve_metrics("no host", 0, create_database(settings)):
        pass
