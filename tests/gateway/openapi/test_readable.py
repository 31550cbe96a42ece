"""The page of the sockets says all that their description does, and runs nothing."""

import copy
import re
from html import unescape
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator

from gateway.app import TITLE
from gateway.openapi.channels import describe_channels
from gateway.openapi.readable import render_channels
from gateway.openapi.samples import sample
from gateway.routes import sockets
from shared import VERSION

DOCUMENT = describe_channels(sockets, TITLE, VERSION)
HTML = render_channels(DOCUMENT, "")
MESSAGES = DOCUMENT["components"]["messages"]
SCHEMAS = DOCUMENT["components"]["schemas"]
EVIL = '<img src=x onerror=alert(1)>"\' `<b>` [a](javascript:alert(1)) [b](https://x"onclick=y)'


async def test_the_gateway_serves_it_with_a_policy_and_no_script(
    visitor: httpx2.AsyncClient,
) -> None:
    answer = await visitor.get("/asyncapi")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert not re.search(r"\son\w+=", answer.text)
    assert answer.text == HTML


async def test_what_it_links_to_is_there(visitor: httpx2.AsyncClient) -> None:
    links = set(re.findall(r'href="([^"]+)"', HTML))
    ids = set(re.findall(r' id="([^"]+)"', HTML))
    assert {each[1:] for each in links if each.startswith("#")} <= ids
    others = {each for each in links if not each.startswith("#")}
    assert others >= {"/asyncapi.json", "/openapi.json", "/docs"}
    for each in others:
        assert (await visitor.get(each)).status_code == 200, each


async def test_the_swagger_page_s_description_leads_to_it(visitor: httpx2.AsyncClient) -> None:
    about = (await visitor.get("/openapi.json")).json()["info"]["description"]
    assert "(/asyncapi)" in about


def test_it_names_no_other_host() -> None:
    assert "://" not in HTML


def test_no_two_things_have_one_id() -> None:
    ids = re.findall(r' id="([^"]+)"', HTML)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", MESSAGES)
def test_it_has_each_message_with_all_of_its_fields(name: str) -> None:
    article = HTML[HTML.index(f'<article id="message-{name}"') :].split("</article>")[0]
    reference = MESSAGES[name]["payload"].get("$ref", "").rpartition("/")[2]
    for field in SCHEMAS.get(reference, {}).get("properties", {}):
        assert f"<code>{field}</code>" in article


def test_it_has_each_schema_close_code_and_parameter() -> None:
    for name in SCHEMAS:
        assert f'"message-{name}"' in HTML or f'"schema-{name}"' in HTML or name == "Handshake"
    [channel] = DOCUMENT["channels"].values()
    for text in (*channel["x-close-codes"], *channel["bindings"]["ws"]["query"]["properties"]):
        assert f"<code>{text}</code>" in HTML


@pytest.mark.parametrize("name", MESSAGES)
def test_it_shows_a_message_that_its_schema_allows(name: str) -> None:
    payload = MESSAGES[name]["payload"]
    shown = sample(payload, SCHEMAS)
    whole = {**payload, "components": {"schemas": SCHEMAS}}
    Draft202012Validator(whole).validate(shown)


def test_what_a_description_says_is_text() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["info"] = {"title": EVIL, "version": EVIL, "description": EVIL}
    for schema in document["components"]["schemas"].values():
        schema["description"] = EVIL
        for field in schema["properties"].values():
            field["description"] = EVIL
    for message in document["components"]["messages"].values():
        message["summary"] = EVIL
    [channel] = document["channels"].values()
    channel["summary"] = EVIL
    channel["x-close-codes"] = {EVIL: EVIL}
    html = render_channels(document, '"><script>')
    assert tags(html) <= tags(HTML)
    assert attributes(html) <= attributes(HTML) | {"rel"}
    assert "javascript:alert" not in " ".join(re.findall(r'href="([^"]*)"', html))
    [title] = re.findall(r"<title>(.*?)</title>", html, flags=re.DOTALL)
    assert unescape(title) == f"{EVIL}: sockets"


def tags(html: str) -> set[str]:
    return set(re.findall(r"<(\w+)", html))


def attributes(html: str) -> set[str]:
    found: list[Any] = re.findall(r"<\w+((?:\s+[\w-]+=\"[^\"]*\")*)", html)
    return {name for each in found for name in re.findall(r"([\w-]+)=\"", each)}
