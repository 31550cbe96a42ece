#!/usr/bin/env bash
# One would guess: a run that begins and never ends is a failed one for the client. RUN_FINISHED or
#   RUN_ERROR is mandatory, the specification calls a stream without either a truncated run, and the
#   client checks the order of all other events.
# What happens: a stream that just ends, as it does behind a proxy or server that closes in order, is
#   a success for HttpAgent: runAgent() resolves, no callback of a failure is called, and half of the
#   answer is a message like any other. The next run appends: the same message told again from its
#   begin stands there one and a half times.
# Where it matters: servers that end streams early, such as those that go down: they have to say
#   RUN_ERROR. Those that can be asked again look at which part of the message the client sends.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --silent --no-audit --no-fund --prefix "$tmp" @ag-ui/client@1.0.0
cat >"$tmp/run.mjs" <<'EOF'
import assert from "node:assert";
import { createServer } from "node:http";
import { HttpAgent } from "@ag-ui/client";

const names = { threadId: "thread", runId: "run" };
const begin = [
  { type: "RUN_STARTED", protocolVersion: "1.0", ...names },
  { type: "TEXT_MESSAGE_START", messageId: "answer", role: "assistant" },
  { type: "TEXT_MESSAGE_CONTENT", messageId: "answer", delta: "Pay $50,0" },
];
const rest = [
  { type: "TEXT_MESSAGE_CONTENT", messageId: "answer", delta: "00" },
  { type: "TEXT_MESSAGE_END", messageId: "answer" },
  { type: "RUN_FINISHED", ...names },
];
const answers = {
  "/ends": (response) => response.end(),
  "/errs": (response) => {
    response.end(`data: ${JSON.stringify({ type: "RUN_ERROR", message: "going down" })}\n\n`);
  },
  "/goes-on": (response) => {
    response.end(rest.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));
  },
};
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  for (const event of begin) response.write(`data: ${JSON.stringify(event)}\n\n`);
  answers[request.url](response);
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));

const url = `http://127.0.0.1:${server.address().port}`;
const ask = [{ id: "question", role: "user", content: "How much?" }];

async function run(agent) {
  const called = [];
  const subscriber = {
    onRunFinishedEvent: () => void called.push("finished"),
    onRunErrorEvent: () => void called.push("error"),
    onRunFailed: () => void called.push("failed"),
  };
  const outcome = await agent.runAgent({}, subscriber).then(
    () => "resolves",
    () => "rejects",
  );
  return `${outcome}, calls [${called}], and shows ${agent.messages.at(-1).content}`;
}

console.error = () => {}; // where the client prints what it rejects
const told = {};
for (const path of ["/ends", "/errs"]) {
  const agent = new HttpAgent({ url: url + path, initialMessages: ask });
  told[path] = await run(agent);
  console.log(`a run whose stream ${path.slice(1)}:`, told[path]);
  if (path !== "/ends") continue;
  agent.url = `${url}/goes-on`;
  told.again = await run(agent);
  console.log("the same told again:", told.again);
}
assert.equal(told["/ends"], "resolves, calls [], and shows Pay $50,0");
assert.match(told["/errs"], /calls \[error\]/);
assert.equal(told.again, "resolves, calls [finished], and shows Pay $50,0Pay $50,000");
server.close();
EOF
cd "$tmp"
node run.mjs
