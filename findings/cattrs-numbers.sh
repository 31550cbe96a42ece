#!/usr/bin/env bash
# One would guess: cattrs' orjson converter gives an int field the number in the JSON, and a field
#   typed "float or something" a float.
# What happens: orjson turns integers beyond 64 bits into floats without a word, and cattrs turns
#   these back into an int: another one, where json and msgspec are exact. And 5 for "float | None"
#   becomes 5.0 and true 1.0, while for "float | str" 5 stays an int and true is refused: a second
#   alternative switches the conversion off.
# Where it matters: ids and amounts of others that travel as JSON numbers; a field that is widened
#   later.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  'cattrs[orjson]==26.2.1' orjson==3.13.0 attrs==26.1.0 msgspec==0.22.0
"$tmp/venv/bin/python" - <<'EOF'
import json
from importlib.metadata import version

import msgspec
from attrs import frozen
from cattrs.preconf.orjson import make_converter

BODY = b'{"number": 18446744073709551617}'


@frozen
class Row:
    number: int


converter = make_converter()
by_cattrs = converter.loads(BODY, Row).number
exact = {json.loads(BODY)["number"], msgspec.json.decode(BODY, type=Row).number}
print("cattrs", version("cattrs"), "with orjson", version("orjson"), "reads", BODY)
print("  ", type(by_cattrs).__name__, by_cattrs, "where json and msgspec read", *exact)

optional = [converter.structure(value, float | None) for value in (5, True)]
either = converter.structure(5, float | str)
print("5 and true as float | None:", optional, "and 5 as float | str:", either)
try:
    converter.structure(True, float | str)
except TypeError as error:
    print("true as float | str:", error)
else:
    raise AssertionError("true is taken")

assert type(by_cattrs) is int and by_cattrs == 18446744073709551616
assert exact == {18446744073709551617}
assert repr(optional) == "[5.0, 1.0]" and repr(either) == "5"
EOF
