"""Each entry is a line on stderr, in the form of all lines, without secrets."""

import json
import logging
from io import StringIO

from shared.postgres.audited import log_entry, logger
from shared.telemetry.logging import bind_log_ids, create_formatter
from tests.gateway.audit.entries import noting
from tests.sql import Sql
from tests.system import System
from tests.users import PASSWORD, register_user

SECRET = "sk-audited-secret"


def lines_of(system: System) -> list[dict[str, str]]:
    lines = system.log_of("gateway 1").splitlines()
    read = [json.loads(line) for line in lines if line.startswith("{")]
    return [line for line in read if line["event"] == "audit"]


async def test_each_entry_is_a_line_of_json_without_secrets(system: System, sql: Sql) -> None:
    async with register_user(system.gateway) as user, noting(sql, user.id) as noted:
        await user.create_config(api_key=SECRET)
        for _ in range(2):
            form = {"username": user.name, "password": "Wr0ng-pa55word"}
            await user.http.post("/api/login/access-token", data=form)
        await user.http.post("/api/logout")
    told = [
        line for line in lines_of(system) if user.id in (line.get("owner_id"), line.get("actor_id"))
    ]
    expected = ["sign_in.succeeded", *noted.actions]
    assert [line["action"] for line in told if line["action"] != "user.created"] == expected
    last = told[-1]
    assert (last["logger"], last["level"], last["address"]) == ("audit", "info", "127.0.0.1")
    assert json.loads(last["details"]) == {"method": "password"}
    whole = json.dumps(lines_of(system))
    assert not [text for text in (SECRET, PASSWORD, "Wr0ng-pa55word", user.token) if text in whole]


def test_a_line_has_nothing_of_the_task_that_opened_the_connection() -> None:
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(create_formatter([], is_text=False))
    logger.addHandler(handler)
    bind_log_ids(user_id="somebody else")
    try:
        logger.setLevel(logging.INFO)
        log_entry('{"id": 1, "action": "user.locked", "via": "api", "address": "", "details": {}}')
    finally:
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(handler)
    line = json.loads(written.getvalue())
    assert (line["event"], line["action"], line["details"]) == ("audit", "user.locked", "{}")
    assert "user_id" not in line
