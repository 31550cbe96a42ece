"""What a person does in a chat of the console."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from playwright.async_api import Locator, Page, expect

from shared.codec.text import write_json
from tests.console.people import Person
from tests.master import answer
from tests.sql import Sql
from tests.users import User


async def ask(person: Person, message: str) -> None:
    """Write a message and send it."""
    await person.fill("Write a message", message)
    await person.page.keyboard.press("Enter")
    await expect(person.page.get_by_label("Write a message", exact=True)).to_have_value("")


def answers(page: Page) -> Locator:
    """The texts of all answers that are drawn."""
    return page.locator(".chat-answer > .chat-text")


def questions(page: Page) -> Locator:
    """The texts of all questions that are drawn."""
    return page.locator(".chat-question .chat-text")


def session_in(page: Page) -> str:
    """The session that the address names."""
    return page.url.rpartition("#/chat/")[2].partition("?")[0]


def insert_chat(sql: Sql, user: User, title: str, texts: Sequence[str] = (), **more: Any) -> str:
    """A chat with so many turns, whose answers are these texts; its session id."""
    session_id = str(uuid4())
    sql(
        """
        INSERT INTO chatconversations (session_id, title, creator_id) VALUES (%s, %s, %s)
        """,
        *(session_id, title, user.id),
    )
    contents = [write_json({**answer(text), **more}).decode() for text in texts]
    sql(
        """
        INSERT INTO chatmessages
            (id, request_id, sender_type, content, created_at, conversation_id, owner_id)
        SELECT gen_random_uuid(), request_id, sender_type, content,
               now() - (%s - place) * interval '1 minute' + late, %s, %s
        FROM (
            SELECT gen_random_uuid() AS request_id, answer, place
            FROM unnest(CAST(%s AS text[])) WITH ORDINALITY AS answers (answer, place)
        ) AS turns, LATERAL (VALUES
            (CAST('user' AS sendertype), 'Question ' || place, interval '0'),
            ('master_agent', answer, interval '1 second')
        ) AS messages (sender_type, content, late)
        """,
        *(len(texts), session_id, user.id, contents),
    )
    return session_id
