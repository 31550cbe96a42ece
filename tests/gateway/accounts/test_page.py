"""The pages that links lead to: what browsers may do with them, and what their script does."""

import json
import re
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gateway.accounts.changing import OVER
from gateway.accounts.page import EMAIL_PATH, FORMS, RESET_PATH
from gateway.accounts.passwords import BREACHED
from tests.gateway.shapes import good
from tests.sql import Sql
from tests.system import System
from tests.users import User, register_user

NODE = Path(sys.executable).with_name("node")
NEW = "An0ther-one!"
# As much of a browser as the script uses; it opens the page, types a password and clicks.
BROWSER = """
    const given = JSON.parse(process.argv.at(-1));
    const handlers = [], shown = [];
    const form = {
      hidden: true,
      dataset: given.data,
      elements: {password: {value: given.password}, button: {disabled: false}},
      addEventListener: (_, handler) => handlers.push(handler),
      append: (button) => shown.push(button.textContent),
    };
    const said = {textContent: ""};
    const load = fetch;
    globalThis.document = {
      getElementById: (id) => ({form, said})[id],
      createElement: () => ({addEventListener() {}}),
    };
    globalThis.sessionStorage = {getItem: () => null, removeItem() {}};
    globalThis.location = new URL(given.url);
    globalThis.history = {replaceState: (_state, _title, url) => shown.push(url)};
    globalThis.fetch = (path, options) => load(new URL(path, location), options);
    new Function(given.script)();
    if (!form.hidden) await handlers[0]({preventDefault() {}});
    console.log(JSON.stringify({is_done: form.hidden, said: said.textContent, shown}));
"""


def part_of(html: str, element: str) -> str:
    [found] = re.findall(rf"<{element}>(.*?)</{element}>", html, re.DOTALL)
    return str(found)


def open_page(url: str, html: str, password: str) -> dict[str, Any]:
    """What the page shows, and whether its form is gone."""
    data = {name: unescape(value) for name, value in re.findall(r'data-(\w+)="([^"]*)"', html)}
    script = part_of(html, "script")
    given = json.dumps({"url": url, "data": data, "script": script, "password": password})
    command = [str(NODE), "--input-type=module", "-e", BROWSER, "--", given]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("path", [RESET_PATH, EMAIL_PATH, f"{RESET_PATH}/"])
async def test_a_page_runs_its_own_script_and_nothing_else(
    visitor: httpx2.AsyncClient, path: str
) -> None:
    answer = await visitor.get(path)
    assert answer.status_code == 200
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    for element in ("script", "style"):
        digest = b64encode(sha256(part_of(answer.text, element).encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy


async def test_the_page_sets_a_password_by_what_stands_behind_the_link(
    system: System, user: User, visitor: httpx2.AsyncClient, sql: Sql
) -> None:
    sql("UPDATE users SET role = 'admin' WHERE id = %s", user.id)
    async with register_user(system.gateway) as person:
        made = good(await user.http.post(f"/api/users/{person.id}/password-reset"))
        assert made["url"] is None, "there is no PUBLIC_URL"
        page = system.gateway + RESET_PATH
        url, html = f"{page}#{made['token']}", (await visitor.get(page)).text
        refused = open_page(url, html, "Password1!")
        weak = open_page(url, html, "password")
        done = open_page(url, html, NEW)
        over = open_page(url, html, NEW)
        login = {"username": person.name, "password": NEW}
        assert good(await visitor.post("/api/login/access-token", data=login))["access_token"]
    assert (refused["is_done"], refused["said"]) == (False, BREACHED)
    assert weak["said"] == "Password must contain an uppercase character"
    assert done == {
        "is_done": True,
        "said": "Done. Sign in with the new password now.",
        "shown": [RESET_PATH],
    }
    assert over["said"] == OVER


@pytest.mark.parametrize("behind", ["", "#error=no&error_description=Please+call+us"])
async def test_the_page_asks_and_says_nothing_without_a_link(
    system: System, visitor: httpx2.AsyncClient, behind: str
) -> None:
    page = system.gateway + RESET_PATH
    told = open_page(page + behind, (await visitor.get(page)).text, NEW)
    assert told["said"] == "Open this page by the link that you were given."


@pytest.mark.parametrize("path", [RESET_PATH, EMAIL_PATH])
def test_a_password_is_typed_into_a_masked_field_that_managers_fill(path: str) -> None:
    html = FORMS[path].html
    [field] = re.findall(r"<input[^>]*>", html)
    assert 'type="password"' in field
    assert re.search('autocomplete="(new|current)-password"', field)
    assert not re.search("paste|maxlength|keydown", html)
