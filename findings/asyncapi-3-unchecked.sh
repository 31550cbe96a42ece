#!/usr/bin/env bash
# One would guess: the official AsyncAPI parser checks a document of version 3 at least as well as
#   one of version 2.
# What happens: an example that contradicts its message's payload, and a default that contradicts
#   its own schema, are errors in a document of 2.6.0. Written as 3.0.0 or 3.1.0 neither gives even
#   a warning.
# Where it matters: WebSocket documentation that CI "validates"; examples have to be checked beside
#   it.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
cd "$tmp"
npm install --silent --no-audit --no-fund --prefix "$tmp" @asyncapi/parser@3.6.6
cat >check.js <<'EOF'
const assert = require("node:assert");
const { Parser } = require("@asyncapi/parser");

const info = { title: "Chat", version: "1" };
const faults = {
  "an example that is no string": { payload: { type: "string" }, examples: [{ payload: 5 }] },
  "a default that is no string": { payload: { type: "string", default: 5 } },
};

function written(asyncapi, message) {
  if (asyncapi === "2.6.0")
    return { asyncapi, info, channels: { "/chat": { publish: { message } } } };
  const channel = { address: "/chat", messages: { said: message } };
  const operation = { action: "receive", channel: { $ref: "#/channels/chat" } };
  return { asyncapi, info, channels: { chat: channel }, operations: { say: operation } };
}

async function main() {
  console.log("@asyncapi/parser", require("@asyncapi/parser/package.json").version);
  for (const asyncapi of ["2.6.0", "3.0.0", "3.1.0"]) {
    for (const [fault, message] of Object.entries(faults)) {
      const { diagnostics } = await new Parser().parse(written(asyncapi, message));
      const errors = diagnostics.filter(({ severity }) => severity === 0);
      const warnings = diagnostics.filter(({ severity }) => severity === 1);
      console.log(`  ${asyncapi}, ${fault}:`, errors.map((error) => error.message));
      assert.equal(errors.length > 0, asyncapi === "2.6.0");
      assert(asyncapi === "2.6.0" || warnings.length === 0);
    }
  }
}

main();
EOF
node check.js
