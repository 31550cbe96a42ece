#!/usr/bin/env bash
# One would guess: obstore's stores are alike, so a test with MemoryStore says what files on disk
#   will do; and a missing key is an error of obstore's own, its NotFoundError.
# What happens: a missing key is the builtin FileNotFoundError, which "except BaseError" of obstore
#   does not catch; NotFoundError is there, and no relative of it. To delete a missing key succeeds
#   in memory and raises on disk. A key that ends in "#" and digits, a key below another key, and a
#   content type are taken in memory and refused on disk.
# Where it matters: file stores that are chosen by a URL, with the one in memory under the tests.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  obstore==0.12.1
"$tmp/venv/bin/python" - <<'EOF'
import tempfile
from importlib.metadata import version

from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, MemoryStore


def told(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except Exception as error:
        return type(error).__name__
    return "done"


def all_told(store):
    store.put("chat", b"")
    return {
        "get missing": told(store.get, "missing"),
        "delete missing": told(store.delete, "missing"),
        "put draft#2": told(store.put, "draft#2", b""),
        "put chat/1": told(store.put, "chat/1", b""),
        "put with type": told(store.put, "a", b"", attributes={"Content-Type": "text/plain"}),
    }


with tempfile.TemporaryDirectory() as folder:
    on_disk, in_memory = all_told(LocalStore(folder)), all_told(MemoryStore())
print("obstore", version("obstore"))
for what, of_disk in on_disk.items():
    print(f"  {what:14}  memory: {in_memory[what]:18} disk: {of_disk}")
print("FileNotFoundError is a BaseError:", issubclass(FileNotFoundError, BaseError))
assert not issubclass(FileNotFoundError, BaseError)
assert not issubclass(FileNotFoundError, NotFoundError)
assert list(in_memory.values()) == ["FileNotFoundError", "done", "done", "done", "done"]
refused = ["FileNotFoundError", "FileNotFoundError", "GenericError", "GenericError"]
assert list(on_disk.values()) == [*refused, "NotImplementedError"]
EOF
