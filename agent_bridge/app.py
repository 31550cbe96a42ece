"""The agent bridge as one value: its loops, and an HTTP server for its health."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TypedDict
from uuid import uuid4

from starlette.applications import Starlette

from agent_bridge.agents.reconciliation import Reconciliation
from agent_bridge.agents.registry import Registry
from agent_bridge.agents.revocations import refuse_agents_of_locked, refuse_revoked_agents
from agent_bridge.doors.doors import Doors, create_doors
from agent_bridge.intake.entries import Entries
from agent_bridge.intake.inbox import AgentInbox, LogInbox
from agent_bridge.intake.leadership import Leadership
from agent_bridge.logs.store import Logs
from agent_bridge.metrics import ROUTER_SESSION_HELD
from agent_bridge.parts.parts import Parts
from agent_bridge.requests.backlog import measure_backlog
from agent_bridge.requests.claiming import Claiming
from agent_bridge.requests.ending import Endings
from agent_bridge.requests.invoking import Invoker
from agent_bridge.requests.running import Running
from agent_bridge.requests.upkeep import Upkeep
from agent_bridge.retention import make_partitions, remove_what_is_old
from agent_bridge.router.lanes import Lanes
from agent_bridge.router.session import RouterSession
from agent_bridge.stored_secrets import StoredSecrets
from agent_bridge.telling import told_numbers
from shared.codec.converter import unstructure
from shared.notifications.bus import Notifications
from shared.notifications.telling import Telling
from shared.postgres.pool import create_database
from shared.process.background import background
from shared.process.drain import Drain
from shared.process.health import Check, DatabaseProbe, Readiness, health_routes
from shared.process.memory import give_back
from shared.process.server import Listening
from shared.redis.servers import RedisServer, create_redis
from shared.secrets import Vault
from shared.settings.bridge import BridgeSettings
from shared.telemetry.metrics import measure_loop_lag, serve_metrics
from shared.telemetry.snapshots import Self
from shared.telemetry.tracing import export_traces

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 2.0


class State(TypedDict):
    """What the health routes and the server ask."""

    readiness: Readiness
    drain: Drain


def listening(settings: BridgeSettings) -> Listening:
    """Where the bridge answers who asks after its health."""
    return Listening(
        settings.bridge_host,
        settings.bridge_port,
        metrics=(settings.metrics_host, settings.bridge_metrics_port),
    )


def create_app(settings: BridgeSettings) -> Starlette:
    """The bridge for these settings."""
    return Starlette(
        routes=health_routes(),
        lifespan=partial(_lifespan, settings=settings),
    )


@asynccontextmanager
async def _lifespan(_app: Starlette, settings: BridgeSettings) -> AsyncIterator[State]:
    if not settings.agents_port:
        logger.warning(
            "AGENTS_PORT is 0: agents reach the router themselves, which checks no token, so"
            " whoever reaches it can take an agent's place"
        )
    vault = Vault(settings.encryption_keys)
    async with AsyncExitStack() as stack:
        traces = export_traces(settings.otel_exporter_otlp_endpoint, "genai-agent-bridge")
        await stack.enter_async_context(traces)
        database = await stack.enter_async_context(create_database(settings, plans_once=True))
        await make_partitions(database, settings.retention_days)  # before the first entry comes
        redis = create_redis(settings)
        stack.push_async_callback(redis.aclose)
        notifications = Notifications(redis)
        stack.enter_context(
            serve_metrics(settings.metrics_host, settings.bridge_metrics_port, database)
        )
        registry = Registry(settings, database)
        agents = AgentInbox(registry)
        entries = Entries(settings.log_entries_per_agent)
        stored = Logs(settings, database, notifications, vault)
        bridge_id = uuid4()
        parts = Parts(database, notifications, bridge_id)
        logs = LogInbox(stored, entries, parts, agents.is_verified)
        doors = create_doors(settings, database, notifications, vault, logs, bridge_id)
        lanes = doors.lanes if doors else Lanes(settings)
        session = RouterSession(settings, logs.put, lanes.pass_marker)
        reconciliation = Reconciliation(settings, database)
        leadership = Leadership(settings, session, reconciliation, agents.put, bridge_id)
        ROUTER_SESSION_HELD.set_function(lambda: leadership.state.is_held)
        endings = Endings(database, notifications)
        running = Running(Invoker(settings, database, vault, lanes, endings), endings, parts)
        claiming = Claiming(settings, database, notifications, bridge_id, running)
        secrets = StoredSecrets(database, vault)
        upkeep = Upkeep(database, notifications, running, endings)
        leave = partial(_leave, claiming, running, doors)
        drain = Drain(leave)
        this = Self(
            bridge_id,
            "agent_bridge",
            listening(settings).address,
            datetime.now(UTC),
            told_numbers(database),
            lambda: drain.has_begun,
        )
        # Left in reverse: no claims, nothing that runs, no router session (what runs here is logged
        # until its end), nothing heard that is not stored, nothing that Redis is still to be told.
        await stack.enter_async_context(
            background(
                notifications_reader=notifications.read(),
                notifications_writer=notifications.outbox.write(),
                log_entries=logs.handle(),
                agents=agents.handle(),
                parts=parts.run(),
                revocations=refuse_revoked_agents(notifications, database, registry),
                locked_users=refuse_agents_of_locked(database, registry),
                leases=upkeep.renew(),
                cancellations=upkeep.drop_cancelled(),
                sweeper=upkeep.sweep(),
                retention=remove_what_is_old(database, settings.retention_days),
                secrets=secrets.watch(),
                loop_lag=measure_loop_lag(),
                memory=give_back(),
                telling=Telling(settings, notifications, this).run(),
                backlog=measure_backlog(database, wanted=bool(settings.bridge_metrics_port)),
            )
        )
        stack.push_async_callback(notifications.outbox.flush)
        stack.push_async_callback(_flush, logs, agents)
        await stack.enter_async_context(background(leadership=leadership.run()))
        if doors:
            await stack.enter_async_context(doors.open())
        stack.push_async_callback(leave, 0)
        await stack.enter_async_context(
            background(claims=claiming.claim(), heartbeats=claiming.send_heartbeats())
        )
        probe = DatabaseProbe(settings, database)
        stack.callback(probe.close)
        checks: dict[str, Check] = {
            "postgresql": probe.answers,
            "redis": notifications.is_up,
        }
        describe = partial(_describe, probe, redis, leadership, doors, secrets)
        readiness = Readiness(drain, checks, ["redis"], describe)
        yield State(readiness=readiness, drain=drain)


def _describe(
    probe: DatabaseProbe,
    redis: RedisServer,
    leadership: Leadership,
    doors: Doors | None,
    secrets: StoredSecrets,
) -> dict[str, object]:
    """Decides nothing: one bridge of all holds the session, and the others work as well."""
    return {
        **probe.describe(),
        "redis_kind": redis.kind,
        "router_session": unstructure(leadership.state),
        "agents_are_authenticated": doors is not None,
        "agents_door": doors.describe() if doors else None,
        "secrets_to_reencrypt": secrets.left,
    }


async def _leave(claiming: Claiming, running: Running, doors: Doors | None, seconds: float) -> None:
    """Take no more requests nor agents, and let those requests that run end in these seconds."""
    if doors:
        doors.leave()
    await claiming.leave()
    now = asyncio.get_running_loop().time
    deadline = now() + seconds
    await running.drain(seconds)
    if doors:
        await doors.drain(max(0.0, deadline - now()))


async def _flush(logs: LogInbox, agents: AgentInbox) -> None:
    """Wait until what was heard on the session is stored, but not for ever."""
    try:
        async with asyncio.timeout(FLUSH_SECONDS):
            await logs.flush()
            await agents.flush()
    except TimeoutError:
        logger.warning("not all that the router said is stored")
