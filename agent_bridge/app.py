"""The agent bridge as one value: its loops, and an HTTP server for its health."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TypedDict
from uuid import uuid4

from databases import Database
from starlette.applications import Starlette
from starlette.requests import Request

from agent_bridge.backlog import measure_backlog
from agent_bridge.dismissals import dismiss_agents
from agent_bridge.inbox import Inbox
from agent_bridge.leadership import Leadership
from agent_bridge.logs import Logs
from agent_bridge.metrics import ROUTER_SESSION_HELD
from agent_bridge.registry import Registry
from agent_bridge.requests import Requests
from agent_bridge.retention import remove_what_is_old
from agent_bridge.router.session import RouterSession
from shared.background import background
from shared.database import create_database
from shared.health import Check, database_answers, health_routes
from shared.metrics import serve_metrics
from shared.news import News, create_redis
from shared.secrets import Vault
from shared.settings import Settings
from shared.tracing import export_traces

DRAIN_SECONDS = 8.0  # less than the 10 s after which a container is usually killed


class State(TypedDict):
    """What the health routes ask."""

    database: Database
    news: News


def create_app(settings: Settings) -> Starlette:
    """The bridge for these settings."""
    return Starlette(
        routes=health_routes(_checks, dispensable=["redis"]),
        lifespan=partial(_lifespan, settings=settings),
    )


@asynccontextmanager
async def _lifespan(_app: Starlette, settings: Settings) -> AsyncIterator[State]:
    bridge_id = uuid4()
    vault = Vault(settings.encryption_keys)
    async with AsyncExitStack() as stack:
        traces = export_traces(settings.otel_exporter_otlp_endpoint, "genai-agent-bridge")
        await stack.enter_async_context(traces)
        database = await stack.enter_async_context(create_database(settings))
        redis = create_redis(settings)
        stack.push_async_callback(redis.aclose)
        news = News(redis)
        stack.enter_context(
            serve_metrics(settings.metrics_host, settings.bridge_metrics_port, database)
        )
        registry = Registry(settings, database)
        inbox = Inbox(registry, Logs(settings, database, news, vault))
        session = RouterSession(settings, inbox.put)
        ROUTER_SESSION_HELD.set_function(lambda: session.is_held)
        leadership = Leadership(settings, database, session, inbox.put)
        requests = Requests(settings, database, news, vault, bridge_id)
        # Left in reverse: no more claims, then what runs here ends, news and leases still alive.
        await stack.enter_async_context(
            background(
                news_reader=news.read(),
                news_writer=news.write(),
                inbox=inbox.handle(),
                dismissals=dismiss_agents(news, registry),
                leadership=leadership.run(),
                leases=requests.renew(),
                cancellations=requests.drop_cancelled(),
                sweeper=requests.sweep(),
                retention=remove_what_is_old(database, settings.retention_days),
                backlog=measure_backlog(database, wanted=bool(settings.bridge_metrics_port)),
            )
        )
        stack.push_async_callback(requests.drain, DRAIN_SECONDS)
        await stack.enter_async_context(background(claims=requests.claim()))
        yield State(database=database, news=news)


def _checks(request: Request) -> Mapping[str, Check]:
    state = request.state
    return {
        "postgresql": partial(database_answers, state["database"]),
        "redis": state["news"].is_up,
    }
