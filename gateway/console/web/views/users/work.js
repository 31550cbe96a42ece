// What a user's requests and agents are doing; nothing of what was asked or answered.
import { post } from "../../api.js";
import { html } from "../../lib.js";
import { texts } from "../../texts.js";
import { Badge, Button, Empty, Time, duration, parseTime } from "../../ui/basics.js";
import { attempt } from "../../ui/toast.js";
import { List, usePages } from "../shared/pages.js";

const words = texts.users;
const KINDS = { answered: "good", failed: "bad", timed_out: "bad", interrupted: "bad", running: "accent", queued: "warn" };

export function Requests({ id }) {
  const pages = usePages("/api/admin/requests", { user_id: id }, { every: 2000 });
  const cancel = (request) => attempt(async () => {
    await post(`/api/admin/requests/${request}/cancel`);
    await pages.reload();
  });
  const columns = [
    [words.state, ({ status, error }) => html`<${Badge} kind=${KINDS[status]}>${texts.requests.states[status] ?? status}<//>${error && html`<div class="small soft wrap">${error}</div>`}`],
    [words.asked, (request) => html`<${Time} at=${request.created_at} />`],
    [words.took, ({ created_at: from, ended_at: to }) => (to ? duration((parseTime(to) - parseTime(from)) / 1000) : "–")],
    [words.request, (request) => html`<span class="mono">${request.request_id}</span>`],
    [words.act, (request) => !request.ended_at && html`<${Button} small icon="stop" onClick=${() => cancel(request.request_id)}>${texts.actions.cancel}<//>`],
  ];
  return html`
    <${List} pages=${pages} label=${words.tabs.requests} columns=${columns} keyOf=${(request) => request.request_id}
      empty=${html`<${Empty} icon="requests" title=${words.noRequests} />`} />
  `;
}

export function Agents({ id }) {
  const pages = usePages("/api/admin/agents", { user_id: id });
  const columns = [
    [words.name, (agent) => html`<span class="wrap">${agent.alias}</span>`],
    [words.state, (agent) => html`<${Badge} kind=${agent.is_connected ? "good" : ""}>${agent.is_connected ? words.connected : words.away}<//>`],
    [words.via, (agent) => agent.via ?? "–"],
    [words.connectedAt, (agent) => html`<${Time} at=${agent.connected_at} />`],
    [words.agent, (agent) => html`<span class="mono">${agent.agent_id}</span>`],
  ];
  return html`
    <${List} pages=${pages} label=${words.tabs.agents} columns=${columns} keyOf=${(agent) => agent.agent_id}
      empty=${html`<${Empty} icon="agents" title=${words.noAgents} />`} />
  `;
}
