"""What was accepted, told, stored and invoked, compared when all is over."""

import json
from collections import Counter, defaultdict
from uuid import UUID

import asyncpg
from attrs import define, field

from agent_bridge.requests.ending import (
    CONNECTION_LOST,
    INTERRUPTED,
    MASTER_AWAY,
    MASTER_LEFT,
    ROUTER_AWAY,
)
from tests.faults.agents import LOGS_EACH, Agents
from tests.faults.front_end import FrontEnd
from tests.master import answer
from tests.users import Json

REASONS = {CONNECTION_LOST, INTERRUPTED, MASTER_AWAY, MASTER_LEFT, ROUTER_AWAY}

SELECT_INACTIVE = "SELECT count(*) FROM agents WHERE NOT is_active"
SELECT_LOGGED = "SELECT message FROM logs WHERE agent_id <> 'master_server_ml' ORDER BY seq"

type Connection = "asyncpg.Connection[asyncpg.Record]"


@define
class Ledger:
    """The figures of a load, and all that was wrong."""

    messages: int = 0
    answered: int = 0
    failures: Counter[str] = field(factory=Counter)
    sent_again: int = 0
    refused: int = 0
    reconnected: int = 0
    frames: int = 0
    agents: str = ""
    wrongs: list[str] = field(factory=list)

    def __str__(self) -> str:
        failed = ", ".join(f"{count} × {reason}" for reason, count in self.failures.items())
        return (
            f"{self.messages} messages: {self.answered} answered, {self.failures.total()} failed"
            f" ({failed}); {self.sent_again} sent again, {self.refused} refused,"
            f" {self.reconnected} lost connections, {self.frames} frames{self.agents}"
        )

    def expect(self, holds: bool, what: str) -> None:
        """Note what is wrong, unless it holds."""
        if not holds:
            self.wrongs.append(what)


async def settle(
    connection: Connection, front_ends: list[FrontEnd], invoked: Counter[str]
) -> Ledger:
    """Compare what each front-end knows with what stands in the database."""
    ledger = Ledger()
    for front_end in front_ends:
        ledger.wrongs += [f"{front_end.word}: {wrong}" for wrong in front_end.wrongs]
        ledger.reconnected += front_end.lost
        ledger.refused += front_end.refused
        await _settle_session(ledger, connection, front_end, invoked)
    ledger.expect(
        not await connection.fetchval(
            "SELECT count(*) FROM requests WHERE status IN ('queued', 'running')"
        ),
        "requests are open",
    )
    return ledger


async def settle_agents(ledger: Ledger, connection: Connection, agents: Agents) -> None:
    """See what became of the calls of agents and of what they logged; begin anew."""
    entries = defaultdict[str, list[int]](list)
    for row in await connection.fetch(SELECT_LOGGED):
        id_, _, number = row["message"].partition(" ")
        entries[id_].append(int(number))
    whole = [*range(LOGS_EACH)]
    for id_, times in agents.called.items():
        ledger.expect(times == 1, f"call {id_} came {times} times")
        came, is_answered = entries[id_], id_ in agents.answered
        ledger.expect(came == sorted(set(came)), f"call {id_} logged {came}")
        ledger.expect(came == whole or not is_answered, f"answered call {id_} logged {came} only")
    for wrong in agents.wrongs:
        ledger.expect(False, wrong)
    ledger.expect(not await connection.fetchval(SELECT_INACTIVE), "agents are inactive")
    ledger.agents = (
        f"; {len(agents.answered)} calls answered, {agents.unanswered} not; agents lost"
        f" {agents.lost} connections"
    )
    agents.begin_anew()


async def _settle_session(
    ledger: Ledger, connection: Connection, front_end: FrontEnd, invoked: Counter[str]
) -> None:
    requests = """
        SELECT CAST(id AS text) AS id, CAST(message_id AS text) AS message_id, status, seq, error,
               CAST(creator_id AS text) AS owner
        FROM requests WHERE session_id = $1 ORDER BY position
    """
    seqs = """
        SELECT seq FROM requests WHERE session_id = $1
        UNION ALL SELECT seq FROM logs WHERE session_id = $1 ORDER BY seq
    """
    session_id = UUID(front_end.session_id)
    rows = [dict(row) for row in await connection.fetch(requests, session_id)]
    given = [row["seq"] for row in await connection.fetch(seqs, session_id)]
    who = front_end.word
    ledger.frames += len(given)
    ledger.expect(given == [*range(1, len(given) + 1)], f"{who}: seqs are {given}")
    ledger.expect(front_end.last <= len(given), f"{who}: was told more than is stored")
    if not front_end.speaks:
        ledger.expect(front_end.last == len(given), f"{who}: a listener was left behind")
        return
    ids = [row["message_id"] for row in rows]
    wanted = [each.message_id for each in front_end.sent]
    ledger.expect(ids == wanted, f"{who}: {len(ids)} accepted of {len(wanted)}, {ids[-1:]} last")
    for sent, row in zip(front_end.sent, rows, strict=False):
        history = await _select_history(connection, session_id, row["id"])
        _settle_message(ledger, front_end, sent.text, row, history)
        ledger.expect(sent.answered is not None, f"{sent.text}: no answer came")
        if sent.answered:
            ledger.expect(sent.answered["seq"] == row["seq"], f"{sent.text}: another's answer")
        ledger.sent_again += sent.times > 1
        times = invoked[row["id"]]
        ledger.expect(times <= 1, f"{sent.text}: invoked {times} times")
        ledger.expect(times == 1 or row["status"] != "answered", f"{sent.text}: never invoked")


async def _select_history(connection: Connection, session_id: UUID, request_id: str) -> list[Json]:
    sql = """
        SELECT sender_type, content FROM chatmessages
        WHERE conversation_id = $1 AND request_id = $2 ORDER BY created_at
    """
    return [dict(row) for row in await connection.fetch(sql, session_id, UUID(request_id))]


def _settle_message(
    ledger: Ledger, front_end: FrontEnd, text: str, row: Json, history: list[Json]
) -> None:
    ledger.messages += 1
    ledger.expect(row["owner"] == front_end.user.id, f"{text}: is {row['owner']}'s")
    senders = [item["sender_type"] for item in history]
    if senders != ["user", "master_agent"]:
        ledger.wrongs.append(f"{text}: its history is of {senders}")
        return
    question, reply = history
    ledger.expect(question["content"] == text, f"{text}: stored as {question['content']}")
    if row["status"] == "answered":
        ledger.answered += 1
        ledger.expect(json.loads(reply["content"]) == answer(f"echo: {text}"), f"{text}: {reply}")
        return
    ledger.failures[row["error"]] += 1
    ledger.expect(row["error"] in REASONS, f"{text}: failed because of {row['error']}")
    ledger.expect(json.loads(reply["content"])["response"] == row["error"], f"{text}: {reply}")
