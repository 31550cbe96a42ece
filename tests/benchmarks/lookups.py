"""MCP servers that are looked up: a large one when it is added, and many again in a minute."""

from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from time import perf_counter
from urllib.request import urlopen

import orjson

from devstack.processes import HOST, free_port, wait_until_ready
from tests.benchmarks.installation import Bench, Installation
from tests.benchmarks.neighbours import forget_peak, peak
from tests.benchmarks.people import Person, WrongAnswerError, insert_people
from tests.benchmarks.results import Row, Target, at_least, at_most
from tests.benchmarks.tool_server import LOOKS, PORT
from tests.benchmarks.wire import connections, http_request
from tests.sql import run_sql
from tests.system import read_status
from tests.users import eventually

TOOLS, FEW = 1000, 3
ROUNDS = 5
OWNERS, EACH = 100, 100
MINUTE = 60.0
REFRESH_SECONDS = 5.0
OK = 200

SECONDS, MEMORY = f"a server of {TOOLS:,} tools", "the gateway's memory for it"
MANY = "again in a minute"
TARGETS: dict[str, Target] = {
    SECONDS: at_most(2),
    MEMORY: at_most(50),
    MANY: at_least(OWNERS * EACH),
}
COPY_SERVERS = """
    INSERT INTO mcpservers (id, creator_id, server_url, is_active, server_info, protocol_version,
                            lookup_digest, whole_lookup_at)
    SELECT gen_random_uuid(), owner, %s || owner || '-' || number || %s, true, server_info,
           protocol_version, lookup_digest, whole_lookup_at
    FROM unnest(CAST(%s AS uuid[])) AS owner CROSS JOIN generate_series(1, %s) AS number,
         mcpservers WHERE server_url = %s
"""
COPY_TOOLS = """
    INSERT INTO mcptools (id, name, description, "inputSchema", alias, mcp_server_id)
    SELECT gen_random_uuid(), tool.name, tool.description, "inputSchema", alias, mcpservers.id
    FROM mcptools AS tool, mcpservers
    WHERE mcp_server_id = (SELECT id FROM mcpservers WHERE server_url = %s)
      AND mcpservers.id <> mcp_server_id
"""


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """How long a look-up takes at most, what it takes of memory, and how many there are."""
    one = bench.start(ALLOW_PRIVATE_URLS="true", REFRESH_SECONDS=str(REFRESH_SECONDS))
    url = _start_servers(one)
    people = insert_people(one.system.settings, OWNERS)
    seconds, memory = await _add_large(one, url, people[0])
    yield Row(SECONDS, seconds, "s")
    yield Row(MEMORY, memory, "MiB")
    await _fill(one, url, people)
    before = one.spent()
    count = await _count_in_a_minute(f"{url}{LOOKS}")
    spent = {name: (each - before[name]) / count for name, each in one.spent().items()}
    yield Row(MANY, count, "servers", cpu=spent)


def _start_servers(one: Installation) -> str:
    port = free_port()
    url = f"http://{HOST}:{port}"
    child = one.system.start("tool servers", "tests.benchmarks.tool_server", {PORT: str(port)})
    wait_until_ready(child, lambda: read_status(f"{url}{LOOKS}") == OK)
    return url


async def _add_large(one: Installation, url: str, owner: Person) -> tuple[float, float]:
    """Seconds that it takes at most, and MiB that the gateway has more then than idle."""
    took, pid = [], one.pid("gateway")
    forget_peak(pid)
    idle = peak(pid)
    for number in range(ROUNDS):
        began = perf_counter()
        await _add(one, f"{url}/{number}/{TOOLS}", owner, TOOLS)
        took.append(perf_counter() - began)
    return max(took), peak(pid) - idle


async def _add(one: Installation, url: str, owner: Person, tools: int) -> None:
    body = orjson.dumps({"server_url": url})
    head = http_request("POST", "/api/mcp/servers", len(body), owner.token, "application/json")
    async with connections(one.system.gateway, 1) as [connection]:
        answer = await connection.ask(head + body)
    if answer.status != OK or len(orjson.loads(answer.body)["mcp_tools"]) != tools:
        raise WrongAnswerError(f"{answer.status} {answer.body[:500]!r}")


async def _fill(one: Installation, url: str, people: list[Person]) -> None:
    """Give each of these servers, in place of those of before, as they are after a look-up."""
    first = f"{url}/first/{FEW}"
    with run_sql(one.system.settings) as sql:
        sql("DELETE FROM mcpservers")
        await _add(one, first, people[0], FEW)
        owners = [person.id for person in people]
        sql(COPY_SERVERS, f"{url}/", f"/{FEW}", owners, EACH, first)
        sql(COPY_TOOLS, first)


async def _count_in_a_minute(url: str) -> int:
    """How many servers are looked up in a minute from the first one on, each once."""
    known = set(_looks(url))

    async def looked(number: int) -> bool:
        return len(_looks(url).keys() - known) >= number

    await eventually(partial(looked, 1), "a round has begun", 4 * REFRESH_SECONDS)
    began = perf_counter()
    with suppress(AssertionError):  # which is what is measured
        await eventually(partial(looked, OWNERS * EACH), "all are looked up", MINUTE)
    return round(len(_looks(url).keys() - known) * MINUTE / (perf_counter() - began))


def _looks(url: str) -> dict[str, int]:
    with urlopen(url, timeout=5) as response:  # noqa: S310 (an address of ours)
        looks: dict[str, int] = orjson.loads(response.read())
    return looks
