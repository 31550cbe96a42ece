"""What was taken along is there again, for somebody else or elsewhere, and does no harm."""

import json
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from tests.gateway.leaving.test_export import export, lines_of, person
from tests.sql import Sql
from tests.system import System
from tests.users import Json, User, insert_user

OWN = {"username", "email", "alias", "agent_alias", "is_active"}
KINDS = (
    *("model_providers", "model_configs", "agents", "mcp_servers", "a2a_agents", "flows"),
    *("chats", "messages", "requests", "log_entries", "files"),
)


def without_ids(thing: Any) -> Any:
    """The thing but for ids, times and what is each installation's own."""
    match thing:
        case dict():
            return {
                key: without_ids(value)
                for key, value in thing.items()
                if key not in OWN and key != "id" and not key.endswith(("_id", "_at", "deadline"))
            }
        case list():
            return [without_ids(each) for each in thing]
    return thing


def in_order(things: list[Json]) -> list[Any]:
    """The things but for ids, in an order that has nothing of those either."""
    return sorted(map(without_ids, things), key=json.dumps)


def packed(entries: dict[str, bytes], *, has_manifest: bool = True) -> bytes:
    """An archive of these entries."""
    written = BytesIO()
    with ZipFile(written, "w", ZIP_DEFLATED) as archive:
        if has_manifest:
            archive.writestr("manifest.json", '{"format": "genai-account", "version": 1}')
        for name, content in entries.items():
            archive.writestr(name, content)
    return written.getvalue()


async def bring(user: User, archive: bytes) -> Any:
    """The report of an import."""
    taken = await user.http.post(
        "/api/me/import", content=archive, headers={"Content-Type": "application/zip"}
    )
    assert taken.status_code == 200, taken.text
    return {each["kind"]: each for each in taken.json()["kinds"]}


@pytest.fixture
async def newcomer(system: System, sql: Sql) -> AsyncIterator[User]:
    async with insert_user(system, sql) as user:
        sql("DELETE FROM modelproviders WHERE creator_id = %s", user.id)
        yield user


async def test_what_is_exported_and_imported_is_exported_again(
    system: System, sql: Sql, newcomer: User
) -> None:
    owner, client = person(system, sql)
    async with client as http:
        before = await export(http)
    assert before.fp is not None
    before.fp.seek(0)
    form = {"file": ("account.zip", before.fp.read(), "application/zip")}
    answer = await newcomer.http.post("/api/me/import", files=form)
    assert answer.status_code == 200, answer.text
    report = {each["kind"]: each for each in answer.json()["kinds"]}
    after = await export(newcomer.http)
    for kind in KINDS:
        sent = [each for each in lines_of(before, kind) if each.get("status") != "running"]
        told = lines_of(after, kind)
        assert in_order(told) == in_order(sent), report[kind]
        assert report[kind]["taken"] == len(sent), report[kind]
        assert ids_of(told).isdisjoint(ids_of(sent)), kind
    assert report["requests"]["left_out"] == {"it had not ended": 1}
    assert set(answer.json()["stays"]) >= {"publications", "api_keys", "usage"}
    [file] = lines_of(after, "files")
    [chat] = lines_of(after, "chats")
    assert [use["session_id"] for use in file["uses"]] == [chat["session_id"]]
    assert after.read(f"files/{file['id']}").decode() == owner.marker
    await assert_it_is_whole(newcomer, chat, lines_of(after, "flows"))


async def assert_it_is_whole(user: User, chat: Json, flows: list[Json]) -> None:
    """Whether the parts find each other by their new ids."""
    assert len(await user.history(chat["session_id"])) == 2
    agents = (await user.http.get("/api/agents")).json()
    [flow] = flows
    members = {each["type"]: each["id"] for each in flow["flow"]}
    assert members["genai"] in {each["agent_id"] for each in agents}
    assert {each["is_active"] for each in agents} == {False}
    token = {"Authorization": f"Bearer {agents[0]['agent_jwt']}"}
    assert (await user.http.get("/api/agents/frontend", headers=token)).status_code == 200
    configs = (await user.http.get("/api/llm/model/configs")).json()
    assert {each["api_key"] for each in configs} == {None}


def ids_of(things: list[Json]) -> set[Any]:
    """By what they are named."""
    return {each.get(name) for each in things for name in ("id", "session_id", "agent_id")} - {None}


async def test_what_is_there_already_or_out_of_form_is_left_out_and_told(
    newcomer: User,
) -> None:
    times = {"created_at": "2026-01-01T00:00:00.000000", "updated_at": "2026-01-01T00:00:00.000000"}
    providers = [
        {"id": "6d0e4d3c-0000-4000-8000-00000000000" + str(n), "provider": name, **times}
        for n, name in enumerate(("openai", "openai", ""))
    ]
    message = {
        "id": "6d0e4d3c-0000-4000-8000-000000000009",
        "session_id": "6d0e4d3c-0000-4000-8000-000000000008",
        "request_id": None,
        "sender_type": "user",
        "content": "of no chat",
        **times,
    }
    lines = b"\n".join(json.dumps(each).encode() for each in providers) + b"\nnonsense\n"
    report = await bring(
        newcomer,
        packed({"model_providers.jsonl": lines, "messages.jsonl": json.dumps(message).encode()}),
    )
    assert report["model_providers"] == {
        "kind": "model_providers",
        "found": 4,
        "taken": 1,
        "left_out": {
            "it has not the form of its kind": 2,
            "there is one of this name already": 1,
        },
        "refused": None,
    }
    assert report["messages"]["left_out"] == {"its chat is not there": 1}


async def test_a_kind_of_more_than_one_may_have_is_refused_as_a_whole(newcomer: User) -> None:
    times = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}
    lines = [
        {"id": f"6d0e4d3c-0000-4000-8000-{n:012}", "provider": f"p{n}", **times}
        for n in range(1, 1200)
    ]
    report = await bring(
        newcomer,
        packed({"model_providers.jsonl": b"\n".join(json.dumps(each).encode() for each in lines)}),
    )
    assert report["model_providers"]["taken"] == 0
    assert "may have" in report["model_providers"]["refused"]
    assert (await newcomer.http.get("/api/llm/model/configs")).json() == []


# Made by the test that sends it: whoever only collects the tests need not wait for it.
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "There is no ZIP"),
    "no ZIP": (lambda: b"nonsense", "not a zip file"),
    "no manifest": (lambda: packed({}, has_manifest=False), "it has no manifest.json"),
    "no form": (
        lambda: packed({"manifest.json": b"{}"}, has_manifest=False),
        "manifest.json is none",
    ),
    "bomb": (lambda: packed({"files/x": bytes(512 * 1024**2)}), "it would become too large"),
    "entries": (
        lambda: packed({f"x{n}": b"" for n in range(50_001)}),
        "more than 50,000 entries",
    ),
    # Where its first entry begins.
    "damaged": (lambda: packed({}).replace(b"PK", b"pk", 1), "manifest.json: "),
}


@pytest.mark.parametrize(("make", "says"), REFUSED.values(), ids=REFUSED)
async def test_what_is_no_export_is_refused(
    newcomer: User, make: Callable[[], bytes], says: str
) -> None:
    refused = await newcomer.http.post(
        "/api/me/import", content=make(), headers={"Content-Type": "application/zip"}
    )
    assert refused.status_code == 400, refused.text
    assert says in refused.json()["detail"]
