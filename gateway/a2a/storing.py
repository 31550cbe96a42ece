"""What was found of an A2A agent, put into PostgreSQL."""

from typing import Any
from uuid import UUID, uuid4

import attrs
from attrs import frozen
from databases.core import Connection

from gateway.a2a.cards import SKILL
from gateway.a2a.interfaces import STATING, Interface
from gateway.a2a.lookup import FoundCard
from gateway.remote.kinds import pause_of_whole
from gateway.remote.left_out import describe
from shared.codec.converter import structure, unstructure
from shared.domain.agents import make_alias


@frozen
class StoredCard:
    """What is stored of a card."""

    name: str
    description: str
    content: dict[str, Any]
    interfaces: list[Interface]


async def insert_agent(connection: Connection, owner: UUID, found: FoundCard) -> UUID:
    """The id of the owner's agent at this address, active; its row is locked.

    One that is there already keeps its card.
    """
    sql = """
        INSERT INTO a2acards AS old
            (id, name, alias, description, server_url, card_url, card_content, interfaces,
             left_out, is_active, creator_id)
        VALUES
            (:id, :name, :alias, :description, :address, :card_url, :content, :interfaces,
             :left_out, true, :owner)
        ON CONFLICT (creator_id, server_url) DO UPDATE SET
            is_active = true,
            lookup_failures = 0,
            next_lookup_at = NULL,
            updated_at = CASE WHEN old.is_active THEN old.updated_at ELSE now() END
        RETURNING id
    """
    values = {"id": uuid4(), "address": found.address, "owner": owner, **_values(found)}
    stored: UUID = await connection.fetch_val(sql, values)
    return stored


async def update_cards(connection: Connection, ids: list[UUID], found: FoundCard) -> None:
    """Give locked agents this card; the alias stays with the name.

    Parts that are left out now, and were good before, stay as they were. Each has an alias of its
    own: what several users share of one agent may meet in one chat.
    """
    await _note_digest(connection, ids, found)
    if not found.card.left_out:
        await _update(connection, ids, found)
        return
    for id_, stored in (await _select_cards(connection, ids)).items():
        await _update(connection, [id_], complete(found, stored))


async def _note_digest(connection: Connection, ids: list[UUID], found: FoundCard) -> None:
    sql = """
        UPDATE a2acards SET
            lookup_digest = :digest, whole_lookup_at = now() + make_interval(secs => :pause)
        WHERE id = ANY(:ids)
    """
    values = {"ids": ids, "digest": found.digest, "pause": pause_of_whole()}
    await connection.execute(sql, values)


def complete(found: FoundCard, stored: StoredCard) -> FoundCard:
    """What was found, with what was stored in place of what is left out."""
    card = found.card
    parts = {one.name for one in card.left_out}
    content = card.content | {part: stored.content[part] for part in parts & {*stored.content}}
    skills = stored.content.get("skills", [])  # of which some may be from before ids were judged
    before = {skill["id"]: skill for skill in skills if SKILL["id"].is_one(skill.get("id"))}
    content["skills"] = [
        {**before.get(skill.get("id"), {}), **skill}
        if skill.get("id") in card.spoilt_skills
        else skill
        for skill in content["skills"]
    ]
    card = attrs.evolve(
        card,
        name=stored.name if "name" in parts else card.name,
        description=stored.description if "description" in parts else card.description,
        content=content,
    )
    interfaces = (parts & STATING and stored.interfaces) or found.interfaces
    return attrs.evolve(found, card=card, interfaces=interfaces)


async def _select_cards(connection: Connection, ids: list[UUID]) -> dict[UUID, StoredCard]:
    sql = """
        SELECT id, coalesce(name, '') AS name, coalesce(description, '') AS description,
               card_content, coalesce(interfaces, '[]') AS interfaces
        FROM a2acards WHERE id = ANY(:ids)
    """
    rows = await connection.fetch_all(sql, {"ids": ids})
    return {
        row["id"]: StoredCard(
            row["name"],
            row["description"],
            row["card_content"],
            structure(row["interfaces"], list[Interface]),
        )
        for row in rows
    }


async def _update(connection: Connection, ids: list[UUID], found: FoundCard) -> None:
    sql = """
        UPDATE a2acards SET
            name = :name,
            alias = CASE WHEN name = :name THEN a2acards.alias ELSE own.alias END,
            description = :description,
            card_url = :card_url,
            card_content = CAST(:content AS json),
            interfaces = CAST(:interfaces AS json),
            left_out = CAST(:left_out AS json),
            updated_at = now()
        FROM unnest(CAST(:ids AS uuid[]), CAST(:aliases AS text[])) AS own (id, alias)
        WHERE a2acards.id = own.id
          AND (name, description, card_url, CAST(card_content AS jsonb), CAST(interfaces AS jsonb),
               CAST(left_out AS jsonb))
              IS DISTINCT FROM
              (:name, :description, :card_url, CAST(CAST(:content AS json) AS jsonb),
               CAST(CAST(:interfaces AS json) AS jsonb), CAST(CAST(:left_out AS json) AS jsonb))
    """
    values = {name: value for name, value in _values(found).items() if name != "alias"}
    aliases = [make_alias(found.card.name) for _ in ids]
    await connection.execute(sql, {"ids": ids, "aliases": aliases, **values})


def _values(found: FoundCard) -> dict[str, Any]:
    return {
        "name": found.card.name,
        "alias": make_alias(found.card.name),
        "description": found.card.description,
        "card_url": found.card_url,
        "content": found.card.content,
        "interfaces": unstructure(found.interfaces),
        "left_out": describe(found.card.left_out, "parts"),
    }
