"""An estate as operators have it, against one and one: what all of it together costs.

Four gateways and four bridges behind PgBouncer, lists from a streaming standby, a Redis Cluster of
three masters.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from devstack.postgres import PostgresServer, run_postgres
from shared.upgrade.migrate import migrate
from tests.benchmarks.chat import chatting
from tests.benchmarks.installation import (
    STUB,
    Bench,
    Installation,
    start_stub,
    until_connected,
)
from tests.benchmarks.load import run_in_turn, run_load
from tests.benchmarks.results import Row, Target, at_least
from tests.estates.programs import program_of
from tests.estates.running import Estate, run_cluster
from tests.pooler import Pooler, run_pooler
from tests.system import Stores, System, create_database, make_secrets, start_executed, url_of

USERS = 256
EACH = 4  # gateways, and bridges
SECONDS, ROUNDS = 2.0, 7

NAME = f"estate, {USERS} users"
TARGETS: dict[str, Target] = {f"{NAME}: chats": at_least(0.85, of_floor=True)}


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """The same load on both; the floor is one and one."""
    one, estate = bench.start(), bench.add(_run_estate())
    async with chatting(one, USERS) as ones, chatting(estate, USERS) as many:
        single, whole = await run_in_turn(
            ROUNDS,
            partial(run_load, [chat.ask for chat in ones], SECONDS, one),
            partial(run_load, [chat.ask for chat in many], SECONDS, estate),
        )
    yield Row(f"{NAME}: chats", whole.per_second, "/s", single.per_second, whole.cpu())
    yield Row(f"{NAME}: p50", whole.ms(50), "ms", single.ms(50))
    yield Row(f"{NAME}: p99", whole.ms(99), "ms", single.ms(99))
    spent, least = sum(whole.cpu().values()), sum(single.cpu().values())
    yield Row(f"{NAME}: CPU per chat", spent, "ms", least)
    yield Row(f"one and one, {USERS} users: chats", single.per_second, "/s", cpu=single.cpu())


@contextmanager
def _run_estate() -> Iterator[Installation]:
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)  # the users of PostgreSQL and PgBouncer have to enter it
        password = make_secrets()["POSTGRES_PASSWORD"]
        primary = stack.enter_context(run_postgres(folder / "primary", password=password))
        template = create_database(primary)
        migrate(url_of(primary, template))
        standby = stack.enter_context(
            run_postgres(folder / "standby", password=password, primary=primary)
        )
        cluster = stack.enter_context(run_cluster(folder / "redis", program_of("Valkey 9.1")))
        (folder / "pooler").mkdir()
        pooler = stack.enter_context(run_pooler(folder / "pooler", primary))
        stores = Stores(primary, cluster, template)
        system = stack.enter_context(stores.system(start_executed))
        yield _start(system, primary, standby, cluster, pooler)


def _start(
    system: System,
    primary: PostgresServer,
    standby: PostgresServer,
    cluster: Estate,
    pooler: Pooler,
) -> Installation:
    database = system.settings.postgres.database
    variables = {
        "POSTGRES_PORT": str(pooler.port),
        "DATABASE_READ_URL": url_of(standby, database),
    }
    router = system.start_router()
    bridges = [system.start_bridge(**variables).pid for _ in range(EACH)]
    stub = start_stub(system, STUB)
    until_connected(system, stub)
    processes = {
        "gateway": [system.start_gateway(**variables).pid for _ in range(EACH)],
        "bridge": bridges,
        "router": [router.pid],
        STUB: [stub.pid],
        "PostgreSQL": [primary.pid, standby.pid],
        "PgBouncer": [pooler.child.pid],
        "Valkey": [node.child.pid for node in cluster.nodes],
    }
    return Installation(system, processes)
