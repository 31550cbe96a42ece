#!/usr/bin/env bash
# One would guess: a token whose iat is the current time is valid at once; RFC 7519 lets a time have
#   fractions of a second.
# What happens: joserfc compares iat with the current time *cut off* to whole seconds, and with no
#   leeway by itself. A token with iat = time.time() is "issued in the future" until the second is
#   over; PyJWT takes the same token at once.
# Where it matters: tokens of another service or library are refused at random, mostly in fast tests
#   and right after a login, and are fine when somebody looks.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  joserfc==1.8.0 pyjwt==2.15.1
"$tmp/venv/bin/python" - <<'EOF'
import time
from importlib.metadata import version

import jwt as pyjwt
from joserfc import jwt
from joserfc.errors import InvalidClaimError
from joserfc.jwk import OctKey

SECRET = "a key of this example, and of nothing else"

if time.time() % 1 > 0.5:  # so that the second is not over before it is looked at
    time.sleep(0.6)
token = pyjwt.encode({"iat": time.time() + 0.001}, SECRET, algorithm="HS256")
time.sleep(0.01)
claims = jwt.decode(token, OctKey.import_key(SECRET), algorithms=["HS256"]).claims
try:
    jwt.JWTClaimsRegistry().validate(claims)
except InvalidClaimError as error:
    at_once = str(error)
else:
    at_once = "valid"
own = pyjwt.decode(token, SECRET, algorithms=["HS256"])
jwt.JWTClaimsRegistry(leeway=1).validate(claims)
time.sleep(1)
jwt.JWTClaimsRegistry().validate(claims)
print("PyJWT", version("pyjwt"), "at once:", own)
print("joserfc", version("joserfc"), "at once:", at_once)
print("joserfc with a leeway of 1 s, or after a second: valid")
assert own == claims and at_once.endswith("The token was issued in the future")
EOF
