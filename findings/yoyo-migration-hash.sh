#!/usr/bin/env bash
# One would guess: yoyo's column migration_hash is there to notice a migration that was changed
#   after it was applied.
# What happens: it is the hash of the *name* of the file, and the name without folder and ending is
#   all that yoyo compares. A changed file is nothing to apply and no error; another file of the
#   same name in another folder counts as applied; the same file under a new name is applied again.
# Where it matters: editing, renaming or merging folders of migrations that some database has seen.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  yoyo-migrations==9.0.0
"$tmp/venv/bin/python" - <<'EOF'
import hashlib
import sqlite3
import tempfile
from importlib.metadata import version
from pathlib import Path

from yoyo import get_backend, read_migrations

with tempfile.TemporaryDirectory() as folder:
    here, elsewhere = Path(folder, "here"), Path(folder, "elsewhere")
    here.mkdir()
    elsewhere.mkdir()
    backend = get_backend(f"sqlite:///{folder}/database")

    def pending(of):
        return [migration.id for migration in backend.to_apply(read_migrations(str(of)))]

    migration = here / "0001.chats.sql"
    migration.write_text("CREATE TABLE chats (id int)")
    backend.apply_migrations(backend.to_apply(read_migrations(str(here))))
    [stored] = sqlite3.connect(f"{folder}/database").execute(
        "SELECT migration_hash FROM _yoyo_migration"
    ).fetchone()
    migration.write_text("CREATE TABLE something_else (id int)")
    changed = pending(here)
    (elsewhere / "0001.chats.sql").write_text("CREATE TABLE logs (id int)")
    of_same_name = pending(elsewhere)
    renamed = migration.rename(here / "0001.conversations.sql")
    of_new_name = pending(here)

print("yoyo", version("yoyo-migrations"), "migration_hash:", stored)
print("to apply after the file was changed:", changed, "of the same name elsewhere:", of_same_name)
print("to apply after it was renamed:", of_new_name)
assert stored == hashlib.sha256(b"0001.chats").hexdigest()
assert changed == of_same_name == [] and of_new_name == ["0001.conversations"]
EOF
