"""Users with a model config, written by SQL, and their chats; what comes back is checked."""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from urllib.parse import urlencode
from uuid import UUID, uuid4

import attrs
import orjson
from attrs import define, field, frozen

from shared.settings.installation import Settings
from shared.tokens import issue_agent_token
from tests.benchmarks.wire import Socket, open_sockets
from tests.gateway.belongings import Belongings, make_belongings, user_token
from tests.sql import run_sql

AT_A_TIME = 16
ANSWER_SECONDS = 30.0
STRAY_SECONDS = 0.3
CONFIG = "config"  # the name of everybody's

INSERT = """
    WITH new AS (
        SELECT * FROM json_to_recordset(%s)
        AS new (user_id uuid, provider_id uuid, config_id uuid, marker text, api_key text)
    ), person AS (
        INSERT INTO users (id, username, password) SELECT user_id, marker, '-' FROM new
    ), provider AS (
        INSERT INTO modelproviders (id, creator_id, name, api_key, provider_metadata)
        SELECT provider_id, user_id, 'provider', api_key, '{}' FROM new
    )
    INSERT INTO modelconfigs (id, creator_id, provider_id, name, model, system_prompt,
                              max_last_messages, temperature, credentials)
    SELECT config_id, user_id, provider_id, 'config', 'model', 'Be brief.', 5, 0.7, '{}' FROM new
"""


INSERT_AGENTS = """
    INSERT INTO agents (id, creator_id, alias, name, description, jwt, input_parameters, is_active)
    SELECT id, owner, CAST(id AS text), 'agent', '', token, '{}', false
    FROM json_to_recordset(%s) AS new (id uuid, owner uuid, token text)
"""


class WrongAnswerError(Exception):
    """Somebody got what was not for them, or twice, or not at all."""


@frozen
class Person:
    """A user and a token."""

    id: str
    token: str


def insert_people(settings: Settings, count: int) -> list[Person]:
    """New users, each with a provider and a config of it."""
    new: list[Belongings] = [make_belongings(settings, str(uuid4())) for _ in range(count)]
    with run_sql(settings) as sql:
        sql(INSERT, orjson.dumps([attrs.asdict(each) for each in new]).decode())
    return [as_person(settings, each) for each in new]


def insert_agents(settings: Settings, owners: Sequence[Person]) -> list[str]:
    """A new agent of each, which has not connected yet; their tokens."""
    new = [(uuid4(), UUID(owner.id)) for owner in owners]
    tokens = [issue_agent_token(settings.secret_key, *ids) for ids in new]
    rows = [
        {"id": id_, "owner": owner, "token": token}
        for (id_, owner), token in zip(new, tokens, strict=True)
    ]
    with run_sql(settings) as sql:
        sql(INSERT_AGENTS, orjson.dumps(rows).decode())
    return tokens


def as_person(settings: Settings, owner: Belongings) -> Person:
    """Somebody who is in the database."""
    return Person(owner.user_id, user_token(settings, owner))


@define
class Chat:
    """A user's open socket, and how far its session is."""

    socket: Socket
    session_id: str
    asked: int = 0
    seq: int = 0
    early: int = 0
    """How many answers came before all log entries of their request; that is no fault."""
    firsts: list[float] = field(factory=list)
    """Seconds until the first frame, each time."""

    async def ask(self, logs: int = 0) -> None:
        """Ask something that nobody else asks, and wait for its log entries and its answer.

        Raises WrongAnswerError.
        """
        self.asked += 1
        began = perf_counter()
        question = f"{logs} {self.session_id} {self.asked}"
        self.socket.send(orjson.dumps({"message": question}))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._receive(question, logs, began)
        except TimeoutError:
            raise WrongAnswerError(f"no answer in {ANSWER_SECONDS} s to {question}") from None

    async def _receive(self, question: str, logs: int, began: float) -> None:
        came: list[object] = []
        for _ in range(logs + 1):
            frame = orjson.loads(await self.socket.receive())
            if not came:
                self.firsts.append(perf_counter() - began)
            said = frame.get("log") or frame["response"]["response"]
            came.append(said.get("message") or said.get("response"))
            self.seq += 1
            if frame["seq"] != self.seq:
                raise WrongAnswerError(f"frame {frame['seq']} in place of {self.seq}")
        self.early += came[-1] != question
        expected = [f"{place} of {question}" for place in range(logs)]
        if [text for text in came if text != question] != expected or question not in came:
            raise WrongAnswerError(f"{came} for {question}")


async def open_chats(url: str, people: Sequence[Person]) -> list[Chat]:
    """A socket of a new session for each, at a gateway."""
    return [Chat(*each) for each in await open_sessions(url, people)]


async def open_sessions(
    url: str, people: Sequence[Person], **asked: str
) -> list[tuple[Socket, str]]:
    """A socket of a new session for each, at a gateway, and the session's id."""
    sessions = [str(uuid4()) for _ in people]
    urls = [
        socket_url(url, person.token, session, **asked)
        for person, session in zip(people, sessions, strict=True)
    ]
    sockets = await open_sockets(urls, AT_A_TIME)
    return list(zip(sockets, sessions, strict=True))


def socket_url(gateway: str, token: str, session_id: str, **asked: str) -> str:
    """Where a front-end connects; it may ask for something."""
    query = urlencode({"token": token, "session_id": session_id, **asked})
    return f"ws{gateway.removeprefix('http')}/frontend/ws?{query}"


async def close_chats(chats: Sequence[Chat]) -> None:
    """Close the sockets. Raises WrongAnswerError where one got more than it asked for."""
    await asyncio.sleep(STRAY_SECONDS)
    strays = [chat.session_id for chat in chats if chat.socket.came]
    for chat in chats:
        chat.socket.close()
    if strays:
        raise WrongAnswerError(f"{len(strays)} sessions got something more, among them {strays[0]}")
