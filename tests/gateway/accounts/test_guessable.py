"""Passwords that are easy to guess at this installation."""

import httpx2
import pytest
from attrs import evolve

from gateway.accounts.guessable import GUESSABLE, WORDS, find_guessable
from shared.settings.installation import Settings
from tests.docs.pages import DOCS, PAGES
from tests.gateway.shapes import refused

PUBLIC = "https://chat.acme.example:8443/genai"


@pytest.mark.parametrize(
    "password", ["Genai2026!", "Ada.Lovelace-1843", "#Acme-2026", "Ａdmin123!"]
)
def test_what_is_easy_to_guess_here_is_refused(settings: Settings, password: str) -> None:
    settings = evolve(settings, public_url=PUBLIC)
    assert find_guessable(password, "ada lovelace", settings) == GUESSABLE
    allowing = evolve(settings, allow_breached_passwords=True)
    assert find_guessable(password, "ada lovelace", allowing) is None


@pytest.mark.parametrize("password", ["Passw0rd!", "An0ther-one!", "My-genai-2026", "Ada&Lovelac3"])
def test_others_are_not(settings: Settings, password: str) -> None:
    assert find_guessable(password, "ada lovelace", evolve(settings, public_url=PUBLIC)) is None


async def test_a_registration_by_ones_own_name_is_refused(visitor: httpx2.AsyncClient) -> None:
    new = {"username": "Grace", "password": "Grace-1906!"}
    assert refused(await visitor.post("/api/register", json=new)) == GUESSABLE


def test_the_page_tells_every_word() -> None:
    page = PAGES[DOCS / "reference/asvs.md"]
    assert {word for word in WORDS if f"`{word}`" not in page} == set()
