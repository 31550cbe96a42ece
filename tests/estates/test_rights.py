"""The documented rights are all that is needed, and each of them is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.redis.looking import WrongRedisError, look_at_redis
from tests.docs.pages import DOCS, PAGES
from tests.estates.listening import settings_of
from tests.estates.programs import NAMES, program_of
from tests.estates.running import MASTER, QUICK, Node, run_cluster, run_node, run_sentinels
from tests.estates.test_ways_in import assert_all_works

LINE = re.compile("^ACL SETUSER genai on >password (.*)$", re.MULTILINE)
LINES = LINE.findall(PAGES[DOCS / "how-to/redis.md"])
SERVER, CLUSTER, SENTINEL = (line.split() for line in LINES)

RESET = "resetchannels"  # takes rights away: those of a new user may be all channels


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with run_node(tmp_path_factory.mktemp("a") / "node", program_of("Valkey 9.1"), QUICK) as node:
        yield node


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Node]]:
    with run_cluster(tmp_path_factory.mktemp("b"), program_of("Valkey 9.1")) as estate:
        yield estate.nodes


def let_in(nodes: list[Node], rights: list[str]) -> None:
    """A user with these rights, and no refusals of before."""
    for node in nodes:
        node.ask("ACL SETUSER", "genai", "reset", "on", ">password", *rights)
        node.ask("ACL LOG", "RESET")


def refusals(nodes: list[Node]) -> list[Any]:
    return [refused for node in nodes for refused in node.ask("ACL LOG")]


def url_of(nodes: list[Node], scheme: str = "redis") -> str:
    places = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    return f"{scheme}://genai:password@{places}"


@pytest.mark.parametrize("name", NAMES)
async def test_they_are_enough_for_a_server(name: str, tmp_path: Path) -> None:
    with run_node(tmp_path / "node", program_of(name), QUICK) as node:
        let_in([node], SERVER)
        await look_at_redis(settings_of(url_of([node])))
        await assert_all_works(url_of([node]))
        assert refusals([node]) == []
        let_in([node], [*SERVER, "+select"])
        await look_at_redis(settings_of(f"{url_of([node])}/1"))
        assert refusals([node]) == []


async def test_they_are_enough_for_a_cluster(cluster: list[Node]) -> None:
    let_in(cluster, CLUSTER)
    url = url_of(cluster, "redis+cluster")
    await look_at_redis(settings_of(url))
    await assert_all_works(url)
    assert refusals(cluster) == []


async def test_they_are_enough_for_sentinels(tmp_path: Path) -> None:
    with run_sentinels(tmp_path, program_of("Valkey 9.1")) as estate:
        let_in(estate.nodes, SERVER)
        let_in(estate.sentinels, SENTINEL)
        login = "?sentinel_username=genai&sentinel_password=password"
        url = f"{url_of(estate.sentinels, 'redis+sentinel')}/{MASTER}{login}"
        await look_at_redis(settings_of(url))
        await assert_all_works(url)
        assert refusals([*estate.nodes, *estate.sentinels]) == []


async def assert_needed(right: str, rights: list[str], nodes: list[Node], url: str) -> None:
    """Something is refused without it, and that is told at the start."""
    let_in(nodes, [each for each in rights if each != right])
    if right == "+client|setinfo":
        await look_at_redis(settings_of(url))
    else:
        with pytest.raises(
            WrongRedisError, match=r"^names a user who may not do all that is needed"
        ):
            await look_at_redis(settings_of(url))
    assert refusals(nodes)


@pytest.mark.parametrize("right", [each for each in SERVER if each != RESET])
async def test_each_is_needed_at_a_server(right: str, server: Node) -> None:
    await assert_needed(right, SERVER, [server], url_of([server]))


@pytest.mark.parametrize("right", [each for each in CLUSTER if each != RESET])
async def test_each_is_needed_in_a_cluster(right: str, cluster: list[Node]) -> None:
    await assert_needed(right, CLUSTER, cluster, url_of(cluster, "redis+cluster"))
