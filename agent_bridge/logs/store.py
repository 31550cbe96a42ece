"""What agents log: checked, redacted, stored in small batches in order, then told."""

import logging
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from uuid import UUID

import attrs
from databases import Database
from databases.core import Connection

from agent_bridge import metrics
from agent_bridge.logs.queries import (
    GivenSecrets,
    LoggedMessage,
    StoredLog,
    insert_logs,
    select_knows_form,
    select_secrets,
)
from agent_bridge.router.frames import MASTER_SERVER_ML, AgentLogged, read_identity
from agent_bridge.router.signatures import is_record_of_call, is_traceback_of_mismatch
from shared.domain.frames import LogFrame, encode
from shared.notifications.bus import Notifications
from shared.notifications.formats import encode_frames, session_channel
from shared.postgres.pool import connect
from shared.secrets import UndecryptableError, Vault, forms_of, hide, named_secrets
from shared.settings.bridge import BridgeSettings

logger = logging.getLogger(__name__)

MESSAGE_LIMIT = 64 * 1024  # characters
CUT_MARK = " … [cut]"
LEVEL_LIMIT = 32  # characters
REMEMBERED_REQUESTS = 10_000
SECRETS_LIMIT = 100  # of one request


class Logs:
    """Stores the log entries of whoever may log there."""

    def __init__(
        self,
        settings: BridgeSettings,
        database: Database,
        notifications: Notifications,
        vault: Vault,
    ) -> None:
        self._tries_forms = settings.master_agent_contract == "auto"
        self._knows_form = False
        self._service_keys = settings.service_keys
        self._usual = forms_of(self._service_keys)
        self._database = database
        self._notifications = notifications
        self._vault = vault
        self._secrets: OrderedDict[UUID, list[str]] = OrderedDict()  # by request, in their forms

    async def store(self, logged: Iterable[AgentLogged]) -> None:
        """Store entries and publish them; those into foreign sessions are dropped.

        Raises DatabaseAwayError; nothing was published then.
        """
        entries = list(logged)
        messages = [message for entry in entries if (message := _message(entry))]
        if not messages:
            metrics.LOG_ENTRIES_DROPPED.inc(len(entries))
            return
        async with connect(self._database) as connection:
            shown = await self._without_trials(connection, messages)
            await self._learn_secrets(connection, shown)
            redacted = [self._redact(each) for each in shown]
            stored = await insert_logs(connection, redacted, MASTER_SERVER_ML)
        metrics.LOG_ENTRIES_STORED.inc(len(stored))
        metrics.LOG_ENTRIES_DROPPED.inc(len(entries) - len(stored))
        self._publish(stored)
        if len(stored) < len(shown):
            logger.info("%d log entries may not stand there", len(shown) - len(stored))

    async def _without_trials(
        self, connection: Connection, logged: list[LoggedMessage]
    ) -> list[LoggedMessage]:
        """All but what the master agent's library says of a form that it is tried with.

        Until it has answered one, nobody can tell its records of two calls from each other.
        """
        if not self._tries_forms:
            return logged
        masters = [each for each in logged if each.agent_id is None]
        if not self._knows_form and any(is_record_of_call(each.message) for each in masters):
            self._knows_form = await select_knows_form(connection)
        trials = [each for each in masters if self._is_of_trial(each.message)]
        return [each for each in logged if each not in trials]

    def _is_of_trial(self, message: str) -> bool:
        may_be = not self._knows_form and is_record_of_call(message)
        return may_be or is_traceback_of_mismatch(message)

    def _redact(self, logged: LoggedMessage) -> LoggedMessage:
        """Redact, then cut: half a secret would not be found."""
        text = hide(logged.message, self._secrets.get(logged.request_id, self._usual))
        if len(text) > MESSAGE_LIMIT:
            text = text[: MESSAGE_LIMIT - len(CUT_MARK)] + CUT_MARK
        return attrs.evolve(logged, message=text)

    async def _learn_secrets(self, connection: Connection, logged: Iterable[LoggedMessage]) -> None:
        """Know what the master agent was given: its library logs its input."""
        unknown = {each.request_id for each in logged if each.request_id not in self._secrets}
        if unknown:
            for given in await select_secrets(connection, list(unknown)):
                secrets = islice(self._open(given), SECRETS_LIMIT)
                self._secrets[given.request_id] = forms_of((*self._service_keys, *secrets))
        while len(self._secrets) > REMEMBERED_REQUESTS:
            self._secrets.popitem(last=False)

    def _open(self, given: GivenSecrets) -> Iterator[str]:
        if given.api_key:
            place = "modelproviders", given.provider_id, "api_key"
            try:
                yield self._vault.decrypt(given.api_key, *place)
            except UndecryptableError:
                logger.warning("the key of provider %s can't be redacted", given.provider_id)
        for options in (given.metadata, *given.credentials):
            yield from named_secrets(options)

    def _publish(self, stored: Iterable[StoredLog]) -> None:
        """Tell each session once: what was stored of it together has one number after the other."""
        told: defaultdict[str, list[StoredLog]] = defaultdict(list)
        for log in stored:
            told[session_channel(log.entry.session_id, log.owner)].append(log)
        for channel, logs in told.items():
            frames = [encode(LogFrame(log.entry, log.seq)) for log in logs]
            self._notifications.publish(channel, encode_frames(logs[-1].seq, frames))


def _message(entry: AgentLogged) -> LoggedMessage | None:
    """The entry with its ids read; None where they can name nothing that exists."""
    agent_id = read_identity(entry.agent_uuid)
    if agent_id is None and entry.agent_uuid != MASTER_SERVER_ML:
        return None
    try:
        return LoggedMessage(
            session_id=UUID(entry.session_id),
            request_id=UUID(entry.request_id),
            agent_id=agent_id,
            log_level=entry.log_level[:LEVEL_LIMIT],
            message=entry.message,
        )
    except ValueError:
        return None
