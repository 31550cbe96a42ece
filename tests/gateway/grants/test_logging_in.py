"""OAuth at a real MCP server of the SDK's that protects itself, through real gateways."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.gateway.grants.authority import SCOPE, Authority, protected
from tests.gateway.grants.conftest import PUBLIC
from tests.gateway.grants.logins import (
    CALLBACK,
    SERVERS,
    add,
    begin,
    come_back,
    confirm,
    log_in,
    visit,
)
from tests.gateway.mcp.test_headers import list_active
from tests.gateway.outsiders import Outsider
from tests.gateway.shapes import good, refused
from tests.sql import Sql
from tests.system import SERVICE_KEY, System
from tests.users import User


async def read(person: User, added: dict[str, Any]) -> dict[str, Any]:
    server: dict[str, Any] = good(await person.http.get(f"{SERVERS}/{added['id']}"))
    return server


async def test_a_server_that_wants_a_log_in_says_so(person: User, outsider: Outsider) -> None:
    url = f"{outsider.url}/mcp"
    sentence = refused(await person.http.post(SERVERS, json={"server_url": url}))
    assert sentence.startswith(f"Could not access MCP server on: {url}. It answers 401 Unauth")
    assert "it wants a token" in sentence
    assert "`authorize`" in sentence
    assert good(await person.http.get(SERVERS)) == []


async def test_it_is_used_once_its_owner_has_logged_in(
    person: User, browser: httpx2.AsyncClient, outsider: Outsider, authority: Authority
) -> None:
    added = await add(person, outsider)
    assert (added["is_active"], added["authorization"], added["mcp_tools"]) == (False, "wanted", [])
    page = await log_in(person, browser, added["id"])
    assert "can be used now" in page
    server = await read(person, added)
    assert (server["is_active"], server["authorization"]) == (True, "given")
    assert [tool["name"] for tool in server["mcp_tools"]] == ["echo"]
    [given] = await list_active(person, SERVICE_KEY)
    [token] = authority.access
    assert given["headers"] == {"Authorization": f"Bearer {token}"}
    [shown] = await list_active(person)
    assert "headers" not in shown


async def test_the_address_has_what_the_specification_wants(
    person: User, outsider: Outsider, authority: Authority
) -> None:
    url = urlsplit(await begin(person, (await add(person, outsider))["id"]))
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{outsider.url}/authorize"
    asked = {name: value for name, [value] in parse_qs(url.query).items()}
    [client] = authority.clients.values()
    assert [str(uri) for uri in client.redirect_uris or []] == [f"{PUBLIC}{CALLBACK}"]
    assert asked.pop("client_id") == client.client_id
    assert len(asked.pop("state")) >= 43
    assert len(asked.pop("code_challenge")) == 43
    assert asked == {
        "response_type": "code",
        "redirect_uri": f"{PUBLIC}{CALLBACK}",
        "code_challenge_method": "S256",
        "resource": f"{outsider.url}/mcp",
        "scope": SCOPE,
    }


async def test_nothing_secret_is_shown_stored_in_clear_or_logged(
    person: User,
    browser: httpx2.AsyncClient,
    outsider: Outsider,
    authority: Authority,
    sql: Sql,
    system: System,
) -> None:
    added = await add(person, outsider)
    url = await begin(person, added["id"])
    waiting = str(sql("SELECT * FROM mcp_authorizations WHERE server_id = %s", added["id"]))
    sent = await visit(url)
    form = await come_back(browser, sent)
    page = await confirm(browser, form, person.name)
    stored = str(sql("SELECT * FROM mcpservers WHERE id = %s", added["id"]))
    told = str(good(await person.http.get(SERVERS))) + page.text
    logs = "".join(log.read_text() for log in system.folder.glob("*.log"))
    for secret in (*authority.secrets, sent["state"]):
        for text in (waiting, stored, told, logs):
            assert secret not in text


async def test_a_state_is_good_for_one_return(
    person: User, browser: httpx2.AsyncClient, outsider: Outsider
) -> None:
    sent = await visit(await begin(person, (await add(person, outsider))["id"]))
    form = await come_back(browser, sent)
    assert (await confirm(browser, form, person.name)).status_code == 200
    again = await confirm(browser, form, person.name)
    assert again.status_code == 400
    assert "finished already" in again.text
    assert (await browser.get(CALLBACK, params=sent)).status_code == 400


async def test_who_did_not_begin_it_can_t_finish_it_and_it_is_over_by_that(
    person: User,
    other_person: User,
    browser: httpx2.AsyncClient,
    outsider: Outsider,
    authority: Authority,
) -> None:
    added = await add(person, outsider)
    form = await come_back(browser, await visit(await begin(person, added["id"])))
    page = await confirm(browser, form, other_person.name)
    assert page.status_code == 400
    assert "begun by another user" in page.text
    assert (await confirm(browser, form, person.name)).status_code == 400
    assert authority.access == {}
    assert (await read(person, added))["authorization"] == "wanted"


async def test_nobody_begins_a_log_in_for_another_s_server(
    person: User, other_person: User, outsider: Outsider
) -> None:
    id_ = (await add(person, outsider))["id"]
    assert id_ in refused(await other_person.http.get(f"{SERVERS}/{id_}/authorize"))


async def test_a_log_in_is_over_after_a_while(
    person: User, browser: httpx2.AsyncClient, outsider: Outsider, sql: Sql
) -> None:
    added = await add(person, outsider)
    form = await come_back(browser, await visit(await begin(person, added["id"])))
    sql("UPDATE mcp_authorizations SET expires_at = now() WHERE server_id = %s", added["id"])
    assert "too long ago" in (await confirm(browser, form, person.name)).text
    await begin(person, added["id"])
    assert len(sql("SELECT 1 FROM mcp_authorizations WHERE server_id = %s", added["id"])) == 1


async def test_a_user_has_a_few_log_ins_at_a_time(
    person: User, outsider: Outsider, sql: Sql
) -> None:
    id_ = (await add(person, outsider))["id"]
    sql(
        """
        INSERT INTO mcp_authorizations (id, server_id, creator_id, flow, expires_at)
        SELECT gen_random_uuid(), %s, %s, 'x', now() + interval '1 minute'
        FROM generate_series(1, 30)
        """,
        *(id_, person.id),
    )
    await begin(person, id_)
    assert len(sql("SELECT 1 FROM mcp_authorizations WHERE creator_id = %s", person.id)) == 20


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"state": "x"}, "it gives no code"),
        ({"state": "x", "code": "y"}, "begun too long ago"),
        ({"state": "<b>", "error": "<script>alert(1)</script>"}, "&lt;script&gt;"),
    ],
)
async def test_who_comes_back_with_anything_else_is_told(
    browser: httpx2.AsyncClient, sent: dict[str, str], says: str
) -> None:
    page = await browser.get(CALLBACK, params=sent)
    assert page.status_code == 400
    assert says in page.text
    assert "<script>" not in page.text


async def test_who_refuses_there_ends_the_log_in(
    person: User, browser: httpx2.AsyncClient, outsider: Outsider, sql: Sql
) -> None:
    added = await add(person, outsider)
    state = parse_qs(urlsplit(await begin(person, added["id"])).query)["state"][0]
    page = await browser.get(CALLBACK, params={"state": state, "error": "access_denied"})
    assert (page.status_code, "access_denied" in page.text) == (400, True)
    assert sql("SELECT 1 FROM mcp_authorizations WHERE server_id = %s", added["id"]) == []


async def test_a_code_of_another_s_log_in_is_not_taken(
    person: User, browser: httpx2.AsyncClient, outsider: Outsider
) -> None:
    added = await add(person, outsider)
    stolen = (await visit(await begin(person, added["id"])))["code"]
    form = await come_back(browser, await visit(await begin(person, added["id"])))
    page = await confirm(browser, {**form, "code": stolen}, person.name)
    assert page.status_code == 400
    assert "gives no token" in page.text or "does not take" in page.text


async def test_a_return_of_another_issuer_is_not_taken(
    person: User, browser: httpx2.AsyncClient, outsider: Outsider, authority: Authority
) -> None:
    sent = await visit(await begin(person, (await add(person, outsider))["id"]))
    form = await come_back(browser, {**sent, "iss": "https://evil.example"})
    page = await confirm(browser, form, person.name)
    assert "is not the one that it should be" in page.text
    assert authority.access == {}


async def test_a_token_of_one_s_own_ends_what_was_granted(
    person: User, browser: httpx2.AsyncClient, outsider: Outsider, authority: Authority
) -> None:
    added = await add(person, outsider)
    await log_in(person, browser, added["id"])
    [token] = authority.access
    path = f"{SERVERS}/{added['id']}"
    changed = good(await person.http.patch(path, json={"headers": {"X-Other": "1"}}))
    assert changed["authorization"] == "given"
    changed = good(await person.http.patch(path, json={"bearer_token": token}))
    assert "authorization" not in changed
    assert sorted(changed["header_names"]) == ["Authorization", "X-Other"]
    await log_in(person, browser, added["id"])
    assert (await read(person, added))["header_names"] == ["X-Other"]


async def test_a_server_that_registers_nobody_wants_a_client_of_the_user_s(
    person: User, browser: httpx2.AsyncClient, authority: Authority
) -> None:
    async with protected(authority, registers=False) as outsider:
        added = await add(person, outsider)
        path = f"{SERVERS}/{added['id']}/authorize"
        sentence = refused(await person.http.get(path))
        assert f"for {PUBLIC}{CALLBACK}" in sentence
        assert "`client_id`" in sentence
        authority.know("ours", "its-secret", f"{PUBLIC}{CALLBACK}")
        body = {"client_id": "ours", "client_secret": "its-secret"}
        begun = good(await person.http.post(path, json=body))
        form = await come_back(browser, await visit(begun["authorization_url"]))
        assert (await confirm(browser, form, person.name)).status_code == 200
        assert (await read(person, added))["is_active"]
        assert "client_id=ours" in await begin(person, added["id"])  # it is remembered


async def test_without_a_public_url_nobody_could_come_back(user: User, outsider: Outsider) -> None:
    added = await add(user, outsider)
    assert "PUBLIC_URL" in refused(await user.http.get(f"{SERVERS}/{added['id']}/authorize"))
    assert "PUBLIC_URL" in refused(await user.http.get("/api/mcp/client"))


async def test_authorization_servers_may_know_us_by_a_document(person: User) -> None:
    url = person.http.base_url.join("/api/mcp/client")
    async with httpx2.AsyncClient() as stranger:
        document = good(await stranger.get(url))
    assert document["client_id"] == f"{PUBLIC}/api/mcp/client"
    assert document["redirect_uris"] == [f"{PUBLIC}{CALLBACK}"]
    assert document["token_endpoint_auth_method"] == "none"
