// What an agent was asked before: its requests, and what it logged.
import { html } from "../../lib.js";
import { texts } from "../../texts.js";
import { Empty, Failed, Loading } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Entries } from "../requests/entries.js";
import { RequestLogs } from "../requests/logs.js";
import { loadNames, loadRequests } from "../requests/load.js";

const t = texts.agents;
const SHOWN = 20;
const LOGGED = 10; // requests whose entries are shown

export function Past({ thing, withLogs }) {
  const query = { agent_id: thing.id, limit: withLogs ? LOGGED : SHOWN };
  const { data, error, reload } = useData((signal) => loadRequests(query, signal), [thing.id, withLogs], ["requests"]);
  const { data: names } = useData(loadNames, [], ["chats"]);
  if (!data) return error ? html`<${Failed} error=${error} again=${reload} />` : html`<${Loading} />`;
  if (data.length === 0) return html`<${Empty} icon="requests" title=${t.neverAsked}>${t.neverAskedText}<//>`;
  if (!withLogs) return html`<${Entries} requests=${data} names=${names} />`;
  return html`<div class="stack">${data.map((each) => html`<${RequestLogs} key=${each.request_id} request=${each} agentId=${thing.id} />`)}</div>`;
}
