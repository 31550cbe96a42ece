#!/usr/bin/env bash
# One would guess: a chat completion that failed with 502, whose work was done, is told to who asked.
# What happens: the package asks again, twice, with no key by which the server could know that it is
#   the same question. So a model that takes long and fails does its work three times. A header of
#   the answer, `X-Should-Retry: false`, keeps it from that.
# Where it matters: whoever answers in OpenAI's protocol and does something before it fails. Send the
#   header with what is not to be done again.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
"$python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install -qq --disable-pip-version-check \
  'openai==3.57.0'
"$tmp/venv/bin/python" - <<'EOF'
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from threading import Thread

import openai


class Failing(BaseHTTPRequestHandler):
    asked: list[str | None] = []
    should_retry: str | None = None

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(self.headers.get("Idempotency-Key"))
        self.send_response(502)
        if self.should_retry:
            self.send_header("X-Should-Retry", self.should_retry)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_): ...


server = HTTPServer(("127.0.0.1", 0), Failing)
Thread(target=server.serve_forever, daemon=True).start()
http = openai.DefaultHttpxClient(trust_env=False)
url = f"http://127.0.0.1:{server.server_port}/v1"
client = openai.OpenAI(base_url=url, api_key="none", http_client=http)
print("openai", version("openai"))
for Failing.should_retry, expected in ((None, 3), ("false", 1)):
    Failing.asked.clear()
    try:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}])
    except openai.InternalServerError as error:
        told = f"X-Should-Retry: {Failing.should_retry}"
        print(f"{told}: asked {len(Failing.asked)} times, then {type(error).__name__}")
    assert Failing.asked == [None] * expected, Failing.asked
EOF
