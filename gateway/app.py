"""The gateway as one value."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import cache, partial
from uuid import uuid4

from anyio.lowlevel import checkpoint
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gateway.a2a.kind import A2A_AGENTS
from gateway.accounts.admission import UnknownKeys
from gateway.accounts.attempts import Attempts
from gateway.accounts.page import account_pages
from gateway.accounts.passwords import Passwords
from gateway.accounts.queries import select_named
from gateway.agui.followed import Followed
from gateway.audit.failures import Failures
from gateway.audit.queries import pruning
from gateway.changes.queries import select_states
from gateway.console.pages import console_routes, load_assets
from gateway.files.objects import Objects
from gateway.files.storage import create_storage
from gateway.files.sweep import Sweep
from gateway.grants.renewing import Renewals
from gateway.identities.bearers import Bearers
from gateway.identities.providers import Providers
from gateway.keys.known import Keys
from gateway.keys.uses import Uses
from gateway.leaving.working import Deletions
from gateway.mail.sending import Mail
from gateway.mcp.kind import MCP_SERVERS
from gateway.mcpserver.changes import select_tools
from gateway.openapi.channels import describe_channels
from gateway.openapi.description import describe
from gateway.openapi.page import documentation_routes
from gateway.openapi.signing_in import with_ways_in
from gateway.parts.looking import Looking
from gateway.parts.rounds import Rounds
from gateway.parts.telling import told_numbers
from gateway.published.loading import load_server
from gateway.published.signing import CardSigner
from gateway.remote.outbound import Outbound
from gateway.remote.refresh import Refresh
from gateway.requests.bridges import Bridges
from gateway.routes import forms, operations
from gateway.routes import sockets as described
from gateway.signins.queries import delete_old, insert_sign_ins
from gateway.signins.revocations import Revocations
from gateway.state import State
from gateway.streams.changes import Changes
from gateway.streams.deliveries import Deliveries
from gateway.streams.delivery import create_room
from gateway.streams.heard import Heard
from gateway.streams.sockets import Sockets
from gateway.streams.storing import Storing
from gateway.streams.watch import Watch
from gateway.web.addresses import TrustedProxies
from gateway.web.errors import AnswerErrors
from gateway.web.measuring import Measure
from gateway.web.origins import Cors
from gateway.web.paths import Paths
from gateway.web.replica import open_replica
from gateway.web.sealing import Sealing
from gateway.web.security import SecurityHeaders
from gateway.web.sockets import OpenSockets
from gateway.web.strangers import CountStrangers
from gateway.web.turns import Turns
from shared import VERSION
from shared.notifications.bus import Notifications
from shared.notifications.telling import Telling
from shared.postgres.pool import create_database
from shared.postgres.sweeping import sweep_for_ever
from shared.process.background import background
from shared.process.drain import Drain
from shared.process.health import Check, DatabaseProbe, Readiness, health_routes
from shared.process.later import Once
from shared.process.memory import give_back
from shared.process.server import Listening
from shared.process.strangers import Strangers
from shared.process.together import together
from shared.redis.servers import create_redis
from shared.secrets import Vault
from shared.settings.gateway import GatewaySettings
from shared.telemetry.metrics import measure_loop_lag, serve_metrics
from shared.telemetry.snapshots import Self
from shared.telemetry.tracing import export_traces

logger = logging.getLogger(__name__)

TITLE = "GenAI back-end"
OPENAI_HEADERS = (  # that its package for JavaScript sends, also in a browser
    *("os", "arch", "lang", "runtime", "runtime-version", "package-version"),
    *("retry-count", "timeout", "helper-method"),
)
ALLOWED_HEADERS = (
    *("authorization", "content-type", "last-event-id", "x-session-id"),
    *("mcp-protocol-version", "mcp-session-id", "mcp-method", "mcp-name"),
    *("a2a-version", "a2a-extensions"),
    *(f"x-stainless-{name}" for name in OPENAI_HEADERS),
)
EXPOSED_HEADERS = (
    "Link",
    "Retry-After",
    "Mcp-Session-Id",
    "WWW-Authenticate",
)  # to a page's script
KINDS = (MCP_SERVERS, A2A_AGENTS)  # of what is looked up again


class Gateway(Starlette):
    """An application with the middleware that it is given, and no other."""

    def build_middleware_stack(self) -> ASGIApp:
        """Leave out Starlette's two, which answer errors outside of CORS, or in a thread each."""
        app: ASGIApp = self.router
        for middleware, args, options in reversed(self.user_middleware):
            app = middleware(app, *args, **options)
        return app


def _proxies(settings: GatewaySettings) -> list[Middleware]:
    """Where some are trusted: what they say of whom they have it from."""
    trusted = list(settings.trusted_proxies)
    return [Middleware(ProxyHeadersMiddleware, trusted_hosts=trusted)] if trusted else []


def listening(settings: GatewaySettings) -> Listening:
    """Where the gateway listens."""
    return Listening(
        host=settings.gateway_host,
        port=settings.gateway_port,
        message_bytes=settings.max_message_bytes,
        metrics=(settings.metrics_host, settings.gateway_metrics_port),
    )


def create_app(settings: GatewaySettings) -> Starlette:
    """The gateway for these settings."""
    app = Gateway(
        routes=[
            Paths(operation.route() for operation in operations),
            *(socket.route() for socket in described),
            *documentation_routes(
                TITLE,
                Once(lambda: with_ways_in(describe(operations, TITLE, VERSION), settings)),
                cache(lambda: describe_channels(described, TITLE, VERSION)),
            ),
            *account_pages(),
            *console_routes(Once(load_assets)),
            *health_routes(),
        ],
        middleware=[
            Middleware(OpenSockets),
            Middleware(TrustedProxies, trusted_proxies=settings.trusted_proxies),
            *_proxies(settings),
            Middleware(SecurityHeaders),
            Middleware(
                Cors,
                allow_origins=settings.backend_cors_origins,
                allow_methods=["GET", "POST", "PATCH", "DELETE"],
                allow_headers=ALLOWED_HEADERS,
                expose_headers=EXPOSED_HEADERS,
            ),
            Middleware(IgnoreTrailingSlash),
            Middleware(Measure),
            Middleware(AnswerErrors, forms=forms),
            Middleware(CountStrangers),
        ],
        lifespan=partial(_lifespan, settings=settings),
    )
    app.router.redirect_slashes = False  # to where the client says that it is
    return app


@asynccontextmanager
async def _lifespan(_app: Starlette, settings: GatewaySettings) -> AsyncIterator[State]:
    if settings.service_api_key is None:
        logger.warning(
            "SERVICE_API_KEY is not set: MASTER_BE_API_KEY opens the routes for services too,"
            " and whoever is called through the router is shown that one"
        )
    await checkpoint()  # loads what anyio needs: the first answer that streams would hold the loop
    async with AsyncExitStack() as stack:
        traces = export_traces(settings.otel_exporter_otlp_endpoint, "genai-gateway")
        await stack.enter_async_context(traces)
        database = await stack.enter_async_context(create_database(settings, plans_once=True))
        redis = create_redis(settings)
        stack.push_async_callback(redis.aclose)
        stack.enter_context(
            serve_metrics(settings.metrics_host, settings.gateway_metrics_port, database)
        )
        passwords = Passwords(allows_breached=settings.allow_breached_passwords)
        stack.callback(passwords.close)
        attempts = Attempts(settings)
        stack.push_async_callback(attempts.close)
        notifications, watch = Notifications(redis), Watch(database)
        changes, topics = Changes(database, select_tools), Changes(database, select_states)
        revocations = Revocations(database, notifications)
        providers = Providers(settings)
        uses, delivered = Uses(database), Deliveries(database)
        keys = Keys(database, revocations, UnknownKeys(attempts, settings), uses)
        failures = Failures(database)
        stack.push_async_callback(failures.flush)
        bridges = Bridges(settings, notifications)
        storage = create_storage(settings)
        objects = Objects(database, storage)
        deletions = Deletions(database, objects, notifications)
        mail = Mail(settings)
        vault = Vault(settings.encryption_keys)
        outbound = Outbound(settings.lookup_seconds, allow_private=settings.allow_private_urls)
        sockets = Sockets(settings.sockets_per_user, revocations)
        drain = Drain(sockets.leave, settings.drain_grace)
        this = Self(
            uuid4(),
            "gateway",
            listening(settings).address,
            datetime.now(UTC),
            told_numbers(database),
            lambda: drain.has_begun,
        )
        telling = Telling(settings, notifications, this)
        rounds = Rounds(settings, notifications, telling, bridges)
        loops = background(
            notifications_reader=notifications.read(),
            notifications_writer=notifications.outbox.write(),
            bridges=bridges.listen(),
            telling=telling.run(),
            rounds=rounds.listen(),
            watch=watch.run(),
            expiring=sockets.run(),
            revoked=revocations.run(),
            revocations=revocations.listen(),
            sign_ins=sweep_for_ever(database, "sign-ins", delete_old),
            providers=providers.run(),
            key_uses=uses.run(),
            delivered=delivered.run(),
            failures=failures.run(),
            audit=sweep_for_ever(database, "entries", pruning(settings.audit_days)),
            changes=changes.run(),
            topics=topics.run(),
            mail=mail.run(),
            loop_lag=measure_loop_lag(),
            memory=give_back(),
            refresh=Refresh(settings, database, outbound, KINDS).run(),
            renewals=Renewals(database, vault, outbound).run(),
            sweep=Sweep(objects).run(),
            deletions=deletions.run(),
        )
        await stack.enter_async_context(loops)
        stack.push_async_callback(notifications.outbox.flush)
        stack.push_async_callback(uses.store)
        stack.push_async_callback(delivered.store)
        probe = DatabaseProbe(settings, database)
        stack.callback(probe.close)
        replica = await stack.enter_async_context(open_replica(settings, database))
        checks: dict[str, Check] = {
            "postgresql": probe.answers,
            "redis": notifications.is_up,
            "files": storage.is_up,
            **({"standby": replica.is_up} if replica.has_standby else {}),
        }
        yield State(
            sockets=sockets,
            heard=Heard(notifications),
            storing=Storing(settings, database),
            deliveries=delivered,
            followed=Followed(),
            card_signer=CardSigner(settings.encryption_keys),
            a2a_server=Once(load_server),
            settings=settings,
            database=database,
            replica=replica,
            notifications=notifications,
            bridges=bridges,
            vault=vault,
            sealing=Sealing(),
            passwords=passwords,
            named=together(database, select_named),
            signing_in=together(database, insert_sign_ins),
            attempts=attempts,
            mail=mail,
            failures=failures,
            strangers=Strangers(settings.connections_per_address, settings.trusted_proxies),
            revocations=revocations,
            providers=providers,
            bearers=Bearers(providers, revocations),
            keys=keys,
            watch=watch,
            changes=changes,
            topics=topics,
            storage=storage,
            objects=objects,
            deletions=deletions,
            turns=Turns(settings.calls_per_user, settings.database_pool_size),
            large_frames=create_room(),
            outbound=outbound,
            readiness=Readiness(
                drain,
                checks,
                ["redis", "files", "standby"],
                lambda: {**probe.describe(), "redis_kind": redis.kind},
            ),
            drain=drain,
            looking=Looking(settings, database, redis, rounds),
        )


class IgnoreTrailingSlash:
    """Answers `/path/` as `/path`: a redirect would drop the headers of some clients."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route the path without its last slash."""
        if scope["type"] != "lifespan" and len(scope["path"]) > 1 and scope["path"][-1] == "/":
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        await self.app(scope, receive, send)
