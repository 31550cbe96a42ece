"""Whom a door takes somebody for by the headers that he shows, before PostgreSQL is asked."""

from itertools import count
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.datastructures import Headers

from agent_bridge.doors.admission import (
    HEADERS,
    Admission,
    CallVisitor,
    MasterVisitor,
    NobodyError,
    NotRegisteredError,
)
from shared.postgres.pool import create_database
from shared.settings.bridge import BridgeSettings
from shared.settings.reading import read_settings
from shared.tokens import issue_agent_token, issue_user_token
from tests.system import BE_KEY, ML_KEY, make_secrets

CALLER, CALLEE = uuid4(), uuid4()
SETTINGS = read_settings(make_secrets(), BridgeSettings)
ADMISSION = Admission(SETTINGS, create_database(SETTINGS))
PRINTED = [byte for byte in range(0x20, 0x100) if byte != 0x7F]  # what a header may hold
BYTES = st.lists(st.sampled_from(PRINTED), max_size=40).map(
    lambda raw: bytes(raw).decode("ascii", "surrogateescape")
)


async def test_the_master_agent_shows_its_key() -> None:
    assert await ADMISSION.admit(Headers({"api-key": ML_KEY})) == MasterVisitor()


async def test_without_a_key_of_the_master_agent_nobody_is_it() -> None:
    secrets = {**make_secrets(), "MASTER_AGENT_API_KEY": ""}
    settings = read_settings(secrets, BridgeSettings)
    admission = Admission(settings, create_database(settings))
    for key in ("", "None", ML_KEY):
        with pytest.raises(NobodyError):
            await admission.admit(Headers({"API-KEY": key}))
    with pytest.raises(NobodyError):
        await admission.admit(Headers({"x-custom-invoke-key": f":{CALLEE}"}))


@pytest.mark.parametrize("shown", [str(CALLER), ML_KEY], ids=["an agent", "the master agent"])
async def test_a_caller_names_himself_and_whom_he_calls(shown: str) -> None:
    visitor = await ADMISSION.admit(Headers({"x-custom-invoke-key": f"{shown}:{CALLEE}"}))
    caller = None if shown == ML_KEY else CALLER
    assert visitor == CallVisitor(caller, CALLEE)
    assert isinstance(visitor, CallVisitor)
    assert ML_KEY not in visitor.key


@pytest.mark.parametrize(
    "key",
    [
        *(BE_KEY, f"{BE_KEY}:{CALLEE}", f"{BE_KEY}:master_server_ml:{CALLEE}"),
        *(str(CALLEE), f":{CALLEE}", f"{CALLER}:", f"{CALLER}:{CALLEE}:", f"{CALLER}:{CALLEE}:x"),
        *(f"{CALLER.hex}:{CALLEE}", f"{CALLER}:{str(CALLEE).upper()}", f"{{{CALLER}}}:{CALLEE}"),
        *(f"{ML_KEY}x:{CALLEE}", f"{ML_KEY}:master_server_ml", f"{CALLER}:master_server_be"),
    ],
    ids=count(),  # as keys are another's in each process
)
async def test_a_key_for_calls_in_any_other_form_is_nobody_s(key: str) -> None:
    with pytest.raises(NobodyError):
        await ADMISSION.admit(Headers({"x-custom-invoke-key": key}))


async def test_a_token_of_nobody_here_is_refused_before_anybody_is_asked() -> None:
    ids = uuid4(), uuid4()
    tokens = [
        issue_agent_token("another secret key of 32 bytes or more", *ids),
        issue_agent_token(SETTINGS.secret_key, *ids, -1),
        issue_user_token(SETTINGS.secret_key, uuid4()),
        *("master_server_ml", "master_server_be", ML_KEY, BE_KEY, str(CALLER), "."),
    ]
    for token in tokens:
        with pytest.raises(NotRegisteredError):
            await ADMISSION.admit(Headers({"X-Custom-Authorization": token}))


@pytest.mark.parametrize("name", HEADERS)
async def test_who_shows_two_of_a_kind_is_nobody(name: str) -> None:
    headers = Headers()
    headers[name] = ML_KEY
    headers[name] = BE_KEY
    with pytest.raises(NobodyError):
        await ADMISSION.admit(headers)


@given(name=st.sampled_from(HEADERS), value=BYTES)
async def test_whatever_bytes_a_header_holds_it_is_nobody_s(name: str, value: str) -> None:
    with pytest.raises((NobodyError, NotRegisteredError)):
        await ADMISSION.admit({name: value})


def test_what_a_visitor_shows_is_in_no_line_of_a_log() -> None:
    assert ML_KEY not in repr(MasterVisitor())
