#!/usr/bin/env bash
# One would guess: what a store has can be listed, measured and deleted through it; a writer that
#   dies leaves nothing, or something that can be found.
# What happens: LocalStore writes larger objects to a file beside the object, `name#1`, and renames
#   it at the end. A process that dies before leaves that file for ever: a listing leaves it out,
#   its own name is refused by every method, and a later write to the same object takes `name#2`.
# Where it matters: folders of uploads whose servers are restarted; nothing but the file system
#   itself can say how much is left behind, and remove it.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check obstore==0.12.1
cat >"$tmp/dies.py" <<'EOF_DIES'
import asyncio
import os
import sys

from obstore import put_async
from obstore.store import LocalStore

PART = 5 * 1024 * 1024


async def parts():
    for _ in range(2):
        yield bytes(PART)
    os._exit(0)  # no handler runs, as when a process is killed


async def main():
    await put_async(LocalStore(sys.argv[1]), "report.bin", parts(), chunk_size=PART)


asyncio.run(main())
EOF_DIES
mkdir "$tmp/store"
"$tmp/venv/bin/python" "$tmp/dies.py" "$tmp/store"
"$tmp/venv/bin/python" "$tmp/dies.py" "$tmp/store"
"$tmp/venv/bin/python" - "$tmp/store" <<'EOF'
import os
import sys
from importlib.metadata import version

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore

folder = sys.argv[1]
store = LocalStore(folder)


def listed():
    return [each["path"] for page in obstore.list(store) for each in page]


def refusal(method):
    try:
        method(store, "report.bin#1")
    except BaseError as error:
        return str(error).splitlines()[0]
    return "done"


there = sorted(os.listdir(folder))
print("obstore", version("obstore"), "two writers have died; in the folder:", there)
print("listed:", listed())
refusals = {method.__name__: refusal(method) for method in (obstore.head, obstore.get, obstore.delete)}
for name, said in refusals.items():
    print(name, "->", said)
obstore.put(store, "report.bin", b"whole")
after = sorted(os.listdir(folder))
print("after a writer that lived:", after, "listed:", listed())
assert there == ["report.bin#1", "report.bin#2"]
assert all("not supported" in said for said in refusals.values())
assert after == ["report.bin", *there] and listed() == ["report.bin"]
EOF
