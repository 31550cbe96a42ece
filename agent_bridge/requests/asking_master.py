"""Asking the master agent: composed, marked as sent, sent over a lane, and waited for."""

import asyncio
import logging
from contextlib import AsyncExitStack
from time import monotonic
from typing import Any

from attrs import field, frozen
from databases import Database

from agent_bridge import metrics
from agent_bridge.requests import queries
from agent_bridge.requests.asking import Lane, Lanes, Sending
from agent_bridge.requests.claim_queries import ClaimedRequest
from agent_bridge.requests.compose import (
    NOTHING,
    UnfitError,
    compose,
    explain_missing_config,
    gather,
)
from agent_bridge.requests.ending import outcome_of
from agent_bridge.requests.late import Invoked, LateAnswers
from agent_bridge.requests.marked import Marked
from agent_bridge.requests.master import (
    Form,
    Invocation,
    explain_size,
    first_form,
    other_form,
    payload,
    payload_size,
)
from agent_bridge.router.frames import MASTER_SERVER_ML, Rejection, Reply
from agent_bridge.usage.metering import Model, with_usage
from shared.domain.endings import Outcome
from shared.postgres.pool import DatabaseAwayError, connect
from shared.process.batching import Batcher
from shared.secrets import Vault
from shared.settings.bridge import BridgeSettings
from shared.telemetry.tracing import span

logger = logging.getLogger(__name__)

TOGETHER = 32  # requests that one statement marks


@frozen
class Prepared:
    """What the master agent is to be sent, in this form, and which form it answered last."""

    content: dict[str, Any] = field(repr=False)
    form: Form
    remembered: Form | None
    model: Model


@frozen
class Sent:
    """What the master agent made of a request in this form."""

    form: Form
    reply: Reply | Rejection
    is_remembered: bool
    """Whether this is the form that it answered last."""
    model: Model
    """That of the model config."""


class MasterAgent:
    """Is asked at most once for each claim."""

    def __init__(
        self,
        settings: BridgeSettings,
        database: Database,
        vault: Vault,
        lanes: Lanes,
        sending: Sending,
        late: LateAnswers,
    ) -> None:
        self._database = database
        self._vault = vault
        self._lanes = lanes
        self._sending = sending
        self._late = late
        self._contract = settings.master_agent_contract
        self._most_bytes = settings.master_max_frame_bytes
        self._marks = Batcher(self._mark_all, TOGETHER, nobodys=(DatabaseAwayError,))

    async def ask(self, request: ClaimedRequest) -> Outcome | None:
        """Ask, and wait; None: the claim was lost before anything was sent.

        Raises one of FAULTS, or DatabaseAwayError while nothing was sent.
        """
        sent = await self._send(request)
        if sent and isinstance(sent.reply, Rejection):
            other = other_form(self._contract, sent.form, sent.reply)
            if other:  # that one never ran: its signature was another
                sent = await self._send(request, other)
        if sent is None:
            return None
        if isinstance(sent.reply, Reply) and self._contract == "auto" and not sent.is_remembered:
            await self._remember(sent.form)
        return await with_usage(outcome_of(sent.reply), sent.model)

    async def _send(self, request: ClaimedRequest, form: Form | None = None) -> Sent | None:
        """Note that it is sent, send it and wait; None: another bridge has it by now."""
        async with AsyncExitStack() as lent:
            lane = await lent.enter_async_context(self._lanes.lend(request.creator_id))
            async with asyncio.timeout(request.remaining):
                prepared = await self._prepare(request, form)
                if prepared is None:
                    return None
                metrics.PREPARATION_SECONDS.observe(monotonic() - request.claimed_at)
                with span("invoke"), metrics.INVOCATION_SECONDS.time():
                    reply = await self._invoke(request, prepared, lane, lent)
            if isinstance(reply, Reply):
                await self._lanes.flush(request.id)
            is_remembered = prepared.form == prepared.remembered
            return Sent(prepared.form, reply, is_remembered, prepared.model)

    async def _invoke(
        self, request: ClaimedRequest, prepared: Prepared, lane: Lane, lent: AsyncExitStack
    ) -> Reply | Rejection:
        """Invoke, and wait; who is cancelled leaves it to those who wait for late answers."""
        ids = str(request.id), str(request.session_id)
        answer = asyncio.create_task(lane.invoke(MASTER_SERVER_ML, prepared.content, *ids))
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            await self._late.take(Invoked(request, prepared.model, answer), lent)
            raise

    async def _prepare(self, request: ClaimedRequest, form: Form | None) -> Prepared | None:
        """What is to be sent, in the user's turn; None: the claim is lost."""
        async with self._sending.pacing.turn(request.creator_id):
            self._sending.claims.add(request.claim_id)
            with span("compose"):
                composed = await self._compose_and_mark(request, is_again=form is not None)
            if composed is None:
                return None
            invocation, remembered = composed
            form = form or first_form(self._contract, remembered)
            content = payload(form, invocation)
            prepared = Prepared(content, form, remembered, invocation.model)
            await self._make_fit(request, prepared.content)
            self._sending.composed[request.claim_id] = monotonic()
            return prepared

    async def _make_fit(self, request: ClaimedRequest, content: dict[str, Any]) -> None:
        """Wait until it is within the user's share. Raises UnfitError where it is too large.

        The master agent would lose its connection by that, and all that runs there.
        """
        size = payload_size(content)
        await self._sending.pacing.wait(request.creator_id, size)
        if size > self._most_bytes:
            raise UnfitError(explain_size(content, self._most_bytes))

    async def _compose_and_mark(
        self, request: ClaimedRequest, *, is_again: bool
    ) -> tuple[Invocation, Form | None] | None:
        """What is to be sent, when it is noted that it is, and the form that was answered last.

        None: the claim is lost.
        """
        if isinstance(request.marked, Marked) and not is_again:
            return compose(self._vault, request, NOTHING, request.marked), request.marked.form
        gathered = await gather(self._database, request)
        marked = await self._marks.do(request)
        if marked is None:
            raise await explain_missing_config(self._database, request)
        if not marked.is_held:
            return None
        return compose(self._vault, request, gathered, marked), marked.form

    async def _remember(self, form: Form) -> None:
        """Spare all bridges the trial; where that fails, another answer will tell."""
        try:
            async with connect(self._database) as connection:
                await queries.update_form(connection, form)
        except DatabaseAwayError as error:
            logger.warning("the form that the master agent knows is not noted: %s", error)
        else:
            logger.info("the master agent knows the form %s", form)

    async def _mark_all(self, requests: list[ClaimedRequest]) -> list[Marked | None]:
        async with connect(self._database) as connection:
            return await queries.mark_sent(connection, requests)
