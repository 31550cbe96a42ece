// The client of AG-UI: has a list of runs made, one after the other, by one agent, and tells what it
// made of them. The scenario is JSON on stdin: {url, token, threadId, runs: [{say, runId, abortAt,
// ...parameters}]}; on stdout is a line of JSON for each run.
import { HttpAgent } from "@ag-ui/client";
import { text } from "node:stream/consumers";

const { url, token, threadId, messages = [], runs } = JSON.parse(await text(process.stdin));
console.error = console.warn; // what it says of failures is told below
const agent = new HttpAgent({
  url,
  threadId,
  initialMessages: messages,
  headers: { Authorization: `Bearer ${token}` },
});
for (const { say, abortAt, ...parameters } of runs) {
  if (say) agent.addMessage(say);
  const told = { events: [], outcome: null, failure: null };
  const subscriber = {
    onEvent: ({ event }) => {
      told.events.push(event);
      if (event.type === abortAt) agent.abortRun();
    },
    onRunFinishedEvent: ({ outcome }) => void (told.outcome = outcome),
    onRunErrorEvent: ({ event }) => void (told.outcome = `error: ${event.message}`),
    onRunFailed: ({ error }) => void (told.failure = String(error)),
  };
  try {
    Object.assign(told, await agent.runAgent(parameters, subscriber));
  } catch (error) {
    told.failure = String(error);
  }
  console.log(JSON.stringify({ ...told, messages: agent.messages }));
}
