"""What agents log: checked, redacted, stored in small batches in order, then told."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import batched, groupby, islice
from uuid import UUID, uuid4

import attrs
from databases import Database
from databases.core import Connection

from agent_bridge import metrics
from agent_bridge.logs.queries import (
    Batch,
    GivenSecrets,
    LoggedMessage,
    Source,
    StoredLog,
    insert_logs,
    select_knows_form,
    select_last_seqs,
    select_secrets,
)
from agent_bridge.router.frames import MASTER_SERVER_ML, AgentLogged, read_identity, read_uuid
from agent_bridge.router.signatures import is_record_of_call, is_traceback_of_mismatch
from shared.domain.frames import LogFrame, encode
from shared.domain.grants import open_grant
from shared.domain.headers import open_headers, secrets_of
from shared.domain.options import CREDENTIALS, METADATA, open_options
from shared.notifications.bus import Notifications
from shared.notifications.channels import session_channel
from shared.notifications.formats import Request, encode_frames
from shared.postgres.pool import DatabaseAwayError, connect
from shared.secrets import UndecryptableError, Vault, forms_of, hide, named_secrets
from shared.settings.bridge import BridgeSettings

logger = logging.getLogger(__name__)

MESSAGE_LIMIT = 64 * 1024  # characters
CUT_MARK = " … [cut]"
LEVEL_LIMIT = 32  # characters
REMEMBERED_REQUESTS = 10_000
SECRETS_LIMIT = 200  # of one request
TOLD_AT_ONCE = 100  # entries: more of them would be too much to be told, and have to be read


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
        self._knows_form = not self._tries_forms
        self._service_keys = settings.service_keys
        self._usual = forms_of(self._service_keys)
        self._database = database
        self._notifications = notifications
        self._vault = vault
        self._id = uuid4()
        self._tried = 0  # the number of the batch
        self._secrets: OrderedDict[UUID, list[str]] = OrderedDict()  # by request, in their forms

    async def store(self, logged: Iterable[AgentLogged], number: int) -> None:
        """Store entries and publish them; those into foreign sessions are dropped.

        The number is that of this batch, higher than those before, in each of its tries. Raises
        DatabaseAwayError; nothing was published then, and whether it is stored is not known.
        """
        is_repeated, self._tried = number == self._tried, number
        entries = list(logged)
        shown = _without_trials(entries) if self._tries_forms else entries
        sources = _by_source(shown)
        if not sources:
            metrics.LOG_ENTRIES_DROPPED.inc(len(entries))
            return
        async with connect(self._database) as connection:
            await self._learn_secrets(connection, {each.request_id for each in sources})
            redacted = [self._redact(each) for each in sources]
            batch = Batch(self._id, number)
            stored = await insert_logs(connection, redacted, MASTER_SERVER_ML, batch)
            if is_repeated and not stored:
                session_ids = {each.session_id for each in sources}
                self._publish_last(await select_last_seqs(connection, session_ids))
                return
        metrics.LOG_ENTRIES_STORED.inc(len(stored))
        metrics.LOG_ENTRIES_DROPPED.inc(len(entries) - len(stored))
        self._publish(stored)
        if foreign := sum(len(each.messages) for each in sources) - len(stored):
            logger.info("%d log entries may not stand there", foreign)

    async def may_begin_trial(self, logged: Iterable[AgentLogged]) -> bool:
        """Whether one may be of a form that the master agent does not know.

        It is a record of a call, and no form has been answered yet.
        """
        if self._knows_form or not any(_is_masters(each, is_record_of_call) for each in logged):
            return False
        try:
            async with connect(self._database) as connection:
                self._knows_form = await select_knows_form(connection)
        except DatabaseAwayError:
            return False  # nor can it be stored yet
        return not self._knows_form

    def _redact(self, source: Source) -> Source:
        """Redact, then cut: half a secret would not be found."""
        forms = self._secrets.get(source.request_id, self._usual)
        messages = [
            LoggedMessage(each.place, each.log_level, _cut(hide(each.message, forms)))
            for each in source.messages
        ]
        return attrs.evolve(source, messages=messages)

    async def _learn_secrets(self, connection: Connection, request_ids: set[UUID]) -> None:
        """Know what the master agent was given: its library logs its input."""
        # Not by `-`, which would walk through all that are remembered.
        if unknown := [each for each in request_ids if each not in self._secrets]:
            for given in await select_secrets(connection, unknown):
                secrets = islice(self._open(given), SECRETS_LIMIT)
                self._secrets[given.request_id] = forms_of((*self._service_keys, *secrets))
        while len(self._secrets) > REMEMBERED_REQUESTS:
            self._secrets.popitem(last=False)

    def _open(self, given: GivenSecrets) -> Iterator[str]:
        """Those that can be decrypted: of others the master agent was given none."""
        provider = given.provider_id
        if given.api_key:
            with _told():
                yield self._vault.decrypt(given.api_key, "modelproviders", provider, "api_key")
        with _told():
            yield from named_secrets(open_options(self._vault, METADATA, provider, given.metadata))
        for config, stored in given.credentials.items():
            with _told():
                options = open_options(self._vault, CREDENTIALS, UUID(config), stored)
                yield from named_secrets(options)
        for sent in given.headers:
            table, row = sent["table"], UUID(sent["id"])
            with _told():
                yield from secrets_of(open_headers(self._vault, table, row, sent["headers"]))
            if sent["oauth"]:
                with _told():
                    yield from open_grant(self._vault, row, sent["oauth"]).secrets

    def _publish_last(self, sessions: Iterable[tuple[UUID, UUID, int]]) -> None:
        """Have listeners read what a try that seemed to fail has stored."""
        for session_id, owner, last in sessions:
            channel = session_channel(session_id, owner)
            self._notifications.publish(channel, encode_frames(last, []))

    def _publish(self, stored: Iterable[StoredLog]) -> None:
        """Tell each session of each request whose entries follow each other, in pieces.

        What was stored of a session together has one number after the other.
        """
        for request, logs in _by_request(stored):
            frames = [encode(LogFrame(log.entry, log.seq)) for log in logs]
            last = logs[-1]
            channel = session_channel(last.entry.session_id, last.owner)
            self._notifications.publish(channel, encode_frames(last.seq, frames, request))


def _by_request(stored: Iterable[StoredLog]) -> Iterator[tuple[Request, Sequence[StoredLog]]]:
    for _, logs in groupby(stored, lambda log: (log.entry.session_id, log.entry.request_id)):
        for piece in batched(logs, TOLD_AT_ONCE):
            yield Request(piece[0].entry.request_id, piece[0].message_id), piece


@contextmanager
def _told() -> Iterator[None]:
    """Log what can't be decrypted, and go on."""
    try:
        yield
    except UndecryptableError as error:
        logger.warning("%s, and is not redacted", error)


def _is_masters(logged: AgentLogged, says: Callable[[str], bool]) -> bool:
    return logged.agent_uuid == MASTER_SERVER_ML and says(logged.message)


def _without_trials(logged: list[AgentLogged]) -> list[AgentLogged]:
    """All but what the master agent's library says of calls that never ran.

    That is a traceback, and before it its record of the call.
    """
    records: dict[str, int] = {}  # the last of each request
    hidden: set[int] = set()
    for place, each in enumerate(logged):
        if _is_masters(each, is_record_of_call):
            records[each.request_id] = place
        elif _is_masters(each, is_traceback_of_mismatch):
            hidden |= {place, records.pop(each.request_id, place)}
    return [each for place, each in enumerate(logged) if place not in hidden]


def _by_source(entries: Iterable[AgentLogged]) -> list[Source]:
    """The entries, without those whose ids can name nothing that exists."""
    sources: dict[tuple[str, str, str, bool], Source | None] = {}
    for place, entry in enumerate(entries):
        key = entry.session_id, entry.request_id, entry.agent_uuid, entry.is_verified
        if key not in sources:
            sources[key] = _source(entry)
        if (source := sources[key]) is not None:
            level = entry.log_level[:LEVEL_LIMIT]
            source.messages.append(LoggedMessage(place, level, entry.message))
    return [each for each in sources.values() if each is not None]


def _source(entry: AgentLogged) -> Source | None:
    agent_id = read_identity(entry.agent_uuid)
    if agent_id is None and entry.agent_uuid != MASTER_SERVER_ML:
        return None
    try:
        session_id, request_id = read_uuid(entry.session_id), read_uuid(entry.request_id)
    except ValueError:
        return None
    return Source(session_id, request_id, agent_id, entry.is_verified)


def _cut(text: str) -> str:
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - len(CUT_MARK)] + CUT_MARK
