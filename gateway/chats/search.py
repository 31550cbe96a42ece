"""Finding messages of all chats: what is asked in words, and what surrounds what was found.

A query is `websearch_to_tsquery`'s: words, "phrases", `or`, and `-` before what is not wanted.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import attrs
from attrs import frozen
from databases.core import Connection
from msgspec import Meta

from gateway.web.call import Call
from gateway.web.inputs import Nothing
from gateway.web.lines import listing
from gateway.web.paging import Offset, Page, Slice, select_page

QUERY_LIMIT = 200
HITS_MOST = 50  # each is looked through for its words
SNIPPET_CHARACTERS = 240
LEAD_CHARACTERS = 60  # of a snippet, before the first word that was found
PREFIX_CHARACTERS = 3  # of a last word; a shorter one begins too many

# What is written without blanks between words, as in `message_words`, which sets each apart.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fff\u3040-\u30ff\u3400-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
_run = re.compile(f"(?P<minus>-?)(?P<run>[{_UNSPACED}]+)")
_unwanted = re.compile(r'(?<!\S)-(?:"[^"]*"?|\S+)')
_LETTER = rf"[^\W{_UNSPACED}]"
_word = re.compile(f"[{_UNSPACED}]+|{_LETTER}+")
_last_word = re.compile(f"{_LETTER}{{{PREFIX_CHARACTERS},}}$")


@frozen
class Search:
    """What to look for in the user's chats."""

    query: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=QUERY_LIMIT,
            description='Words, all of which are in a message; "phrases", `or`, and `-` before '
            "what is not. The last word may be the beginning of one.",
        ),
    ]
    limit: Annotated[int, Meta(ge=0, le=HITS_MOST, description="How many.")] = 20
    offset: Offset = 0
    include_unlisted: Annotated[
        bool,
        Meta(description="Also in chats made of a history which its client keeps itself."),
    ] = False


@frozen(slots=False)
class Segment:
    """A piece of a text, and whether it is what was looked for."""

    text: str
    is_match: bool


@frozen(slots=False)
class Hit:
    """A message that was found. Its frames are about `seq`: that of an answer, or what was before.

    `created_at` is UTC; the `snippet` is a part of the text of the message, or of the answer.
    """

    session_id: UUID
    title: str
    request_id: UUID | None
    seq: int | None
    sender_type: Literal["user", "master_agent"]
    created_at: datetime
    snippet: list[Segment]


async def list_hits(call: Call[Nothing, Search]) -> Page[Hit]:
    """Search the messages of all of the user's chats, newest first.

    Found are words as they are written, in capitals or not, in any language, in the first 16,384
    characters of a message. Where a language has no blanks, characters that stand together are.
    """
    asked = call.parameters
    return await call.read_page(
        lambda connection, part: select_hits(connection, call.user_id, asked, part)
    )


async def select_hits(connection: Connection, owner: UUID, asked: Search, part: Slice) -> Page[Hit]:
    """Messages of the owner's chats with these words.

    The owner is a word of his messages, so the index finds no others. Found first, whatever else
    is asked: by each of his chats it would read and parse all of his messages.
    """
    sql = """
        WITH words AS (
            SELECT websearch_to_tsquery('pg_catalog.simple', :words) AS words
        ), asked AS MATERIALIZED (
            SELECT CASE WHEN numnode(words) > 0 THEN
                CAST(quote_literal(concat(' ', CAST(:owner AS uuid))) AS tsquery)
                && CASE WHEN CAST(:is_prefix AS boolean) AND CAST(words AS text) LIKE '%'''
                        THEN CAST(concat(words, ':*') AS tsquery) ELSE words END
                END AS query
            FROM words
        )
        SELECT chat.session_id, title, found.request_id,
               CASE WHEN sender_type = 'user' THEN accepted_seq ELSE seq END AS seq,
               sender_type, found.created_at,
               message_text(sender_type, content) AS snippet,
               least(octet_length(content), 65536) AS bytes
        FROM (
            SELECT id, conversation_id, request_id, sender_type, content, created_at
            FROM chatmessages
            WHERE owner_id = :owner AND message_words(
                owner_id, message_text(sender_type, content)
            ) @@ (SELECT query FROM asked) OFFSET 0
        ) AS found
        JOIN chatconversations AS chat ON chat.session_id = conversation_id
        LEFT JOIN requests ON requests.id = found.request_id
            AND requests.session_id = chat.session_id
        WHERE chat.creator_id = :owner AND (origin IS NULL OR CAST(:include_unlisted AS boolean))
        ORDER BY found.created_at DESC, found.id LIMIT :limit OFFSET :offset
    """
    values = {
        "owner": owner,
        "words": with_blanks(asked.query),
        "is_prefix": _ends_open(asked.query),
        "include_unlisted": asked.include_unlisted,
    }
    wanted = wanted_words(asked.query)

    def make(row: Any) -> Hit:
        told = {each.name: row[each.name] for each in attrs.fields(Hit)}
        return Hit(**{**told, "snippet": [*cut_snippet(row["snippet"], wanted)]})

    return await select_page(connection, sql, values, part, make)


def with_blanks(query: str) -> str:
    """The query with what is written without blanks as phrases of single characters."""
    parts = query.split('"')
    for number, part in enumerate(parts):
        is_quoted = number % 2 == 1
        parts[number] = _run.sub(_quoted_apart if is_quoted else _apart, part)
    return '"'.join(parts)


def _apart(run: re.Match[str]) -> str:
    return f' {run["minus"]}"{" ".join(run["run"])}" '


def _quoted_apart(run: re.Match[str]) -> str:
    return f"{run['minus']} {' '.join(run['run'])} "


def wanted_words(query: str) -> re.Pattern[str]:
    """What shows in a text why it was found; matches nothing where only words are unwanted."""
    words = [word for word in _word.findall(_wanted(query)) if word.casefold() != "or"]
    patterns = _patterns(words, is_open=_ends_open(query))
    return re.compile("|".join(patterns) or "(?!)", re.IGNORECASE)


def _wanted(query: str) -> str:
    return _unwanted.sub(" ", query)


def _ends_open(query: str) -> bool:
    """Whether it ends within a word, which may go on."""
    return _last_word.search(_wanted(query)) is not None


def _patterns(words: list[str], *, is_open: bool) -> Iterator[str]:
    for number, word in enumerate(words, 1):
        if re.match(f"[{_UNSPACED}]", word):
            yield re.escape(word)
        else:
            end = f"{_LETTER}*" if is_open and number == len(words) else f"(?!{_LETTER})"
            yield f"(?<!{_LETTER}){re.escape(word)}{end}"


def cut_snippet(text: str, wanted: re.Pattern[str]) -> Iterator[Segment]:
    """The part of a text around the first thing that was wanted, in pieces; or its beginning."""
    first = wanted.search(text)
    begin = max(0, first.start() - LEAD_CHARACTERS) if first else 0
    snippet = text[begin : begin + SNIPPET_CHARACTERS]
    told = 0
    for found in wanted.finditer(snippet):
        if found.start() > told:
            yield Segment(snippet[told : found.start()], is_match=False)
        yield Segment(found[0], is_match=True)
        told = found.end()
    if told < len(snippet):
        yield Segment(snippet[told:], is_match=False)


operations = [listing("/api/chats/search", list_hits, Search, list[Hit])]
