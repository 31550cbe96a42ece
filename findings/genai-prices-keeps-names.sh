#!/usr/bin/env bash
# One would guess: looking up the price of a model that the list does not have leaves nothing behind.
# What happens: a snapshot of the list, of which `calc_price` has one for the process, remembers each
#   name that it was asked for and did not find, for as long as the process lives; and each that it did
#   find, of which there are as many as somebody likes, as many models are matched by a part of theirs.
# Where it matters: wherever users choose the names of models. A name may be a megabyte. Ask a snapshot
#   of your own, and a new one each time or every now and then: it is made in a microsecond, of a list
#   that is loaded once.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check genai-prices==0.2.3
cat >"$tmp/names.py" <<'PY'
import tracemalloc
from importlib.metadata import version

from genai_prices import Usage, calc_price
from genai_prices.data import providers
from genai_prices.data_snapshot import DataSnapshot

NAMES, CHARACTERS = 100, 100_000
TOKENS = Usage(input_tokens=1)


def look_up(calc, name):
    try:
        return calc(name).total_price
    except LookupError:
        return None


def left_by(calc, begin):
    """The MB that are left when each of many names was looked up once, and how many were found."""
    look_up(calc, begin)
    tracemalloc.start()
    found = sum(look_up(calc, f"{begin}{n:0{CHARACTERS}}") is not None for n in range(NAMES))
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return left / 1e6, found


def anew(name):
    snapshot = DataSnapshot(providers, from_auto_update=False)
    return snapshot.calc(TOKENS, name, None, None, None)


print("genai-prices", version("genai-prices"))
given = NAMES * CHARACTERS / 1e6
for begin in ("nonesuch-", "gpt-", "claude-sonnet-4-5-"):
    kept, found = left_by(lambda name: calc_price(TOKENS, model_ref=name), begin)
    fresh, _ = left_by(anew, begin)
    print(f"{begin}: of {given:.0f} MB of names, {found} found of {NAMES}:", end=" ")
    print(f"{kept:.1f} MB are kept, {fresh:.1f} MB by a snapshot of each look-up")
    assert kept > given / 2 > fresh
PY
"$tmp/venv/bin/python" "$tmp/names.py"
