// The way of one request, from its message to its answer.
import { get, post } from "../../api.js";
import { html } from "../../lib.js";
import { href } from "../../router.js";
import { texts } from "../../texts.js";
import { Button, Failed, Loading, Page, Time } from "../../ui/basics.js";
import { useData, useInterval } from "../../ui/data.js";
import { Files } from "../../ui/files.js";
import { Logs } from "../../ui/logs.js";
import { attempt } from "../../ui/toast.js";
import { loadThings } from "../agents/things.js";
import { Status, askedOf } from "./entries.js";
import { isOpen, loadNames } from "./load.js";
import { useLogs } from "./logs.js";
import { Timeline } from "./timeline.js";

const t = texts.requests;
const OPEN_MS = 2000; // after which one that goes on is read again, with what was logged

export function Detail({ id }) {
  const { data, error, reload } = useData((signal) => get(`/api/requests/${encodeURIComponent(id)}`, {}, { signal }), [id], ["requests"]);
  const { data: names } = useData(loadNames, [], ["chats"]);
  useInterval(() => { if (data && isOpen(data)) reload(); }, OPEN_MS);
  if (!data) return html`<${Page} title=${t.one} back="requests">${error ? html`<${Failed} error=${error} again=${reload} />` : html`<${Loading} />`}<//>`;
  const cancel = () => attempt(async () => {
    await post(`/api/requests/${encodeURIComponent(id)}/cancel`, {});
    await reload();
  });
  const actions = html`
    <div class="row">
      ${isOpen(data) && html`<${Button} kind="danger" icon="stop" onClick=${cancel}>${t.cancel}<//>`}
      <${Button} icon="chat" href=${href("chat", data.session_id)}>${t.toChat}<//>
    </div>
  `;
  return html`
    <${Page} title=${t.one} actions=${actions} back="requests">
      <div class="row page-about"><${Status} status=${data.status} /><span class="mono small soft wrap">${data.request_id}</span></div>
      ${data.error && html`<p class="form-error wrap" role="alert">${data.error}</p>`}
      <section class="card stack">
        <h2>${t.way}</h2>
        <${Timeline} request=${data} />
        ${data.waits_for?.length > 0 && html`<ul class="requests-waits" role="status">${data.waits_for.map((text) => html`<li key=${text} class="wrap">${text}</li>`)}</ul>`}
        <dl class="facts">
          <dt>${t.chat}</dt><dd>${names?.chats.get(data.session_id) ?? t.unnamed}</dd>
          <dt>${t.asked}</dt><dd>${data.asked_id && names?.asked.has(data.asked_id) ? html`<${AskedLink} id=${data.asked_id} names=${names} />` : askedOf(data, names)}</dd>
          ${isOpen(data) && html`<dt>${t.deadline}</dt><dd><${Time} at=${data.deadline} /></dd>`}
          ${data.bridge_id && html`<dt>${t.bridge}</dt><dd class="mono">${data.bridge_id}</dd>`}
        </dl>
      </section>
      <${Answer} request=${data} />
      <${Entries} request=${data} />
      ${data.usage.length > 0 && html`<${Usage} usage=${data.usage} />`}
    <//>
  `;
}

const AskedLink = ({ id, names }) => html`<a href=${href(names.flows.has(id) ? "flows" : "agents", id)}>${names.asked.get(id) || t.someAgent}</a>`;

function Answer({ request }) {
  const { request_id, status } = request;
  const load = (signal) => (status === "answered" ? get(`/api/requests/${request_id}/answer`, { wait: 0 }, { signal }) : null);
  const { data } = useData(load, [request_id, status]);
  if (!data) return null;
  return html`
    <section class="card stack">
      <h2>${t.answer}</h2>
      <p class="requests-text wrap">${data.response.response}</p>
      <${Files} files=${data.files} />
      ${data.response.agents_trace.length > 0 && html`
        <details><summary>${t.trace(data.response.agents_trace.length)}</summary>
          <pre class="code requests-trace" tabindex="0">${JSON.stringify(data.response.agents_trace, null, 2)}</pre>
        </details>
      `}
    </section>
  `;
}

function Entries({ request }) {
  const { data, error, reload } = useLogs(request);
  const { data: things } = useData(loadThings, [], ["agents", "servers"]);
  const names = new Map(things?.map(({ id, name, alias }) => [id, name || alias]));
  const nameOf = (id) => names.get(id) ?? t.master;
  return html`
    <section class="card stack">
      <h2>${t.logs}</h2>
      ${!data ? (error ? html`<${Failed} error=${error} again=${reload} />` : html`<${Loading} />`)
        : data.length ? html`<${Logs} logs=${data} nameOf=${nameOf} />` : html`<p class="soft">${t.noLogs}</p>`}
    </section>
  `;
}

const Usage = ({ usage }) => html`
  <section class="card stack">
    <h2>${t.usage}</h2>
    <div class="table-frame"><table class="table">
      <thead><tr><th>${t.model}</th><th class="is-number">${t.input}</th><th class="is-number">${t.output}</th><th class="is-number">${t.price}</th></tr></thead>
      <tbody>${usage.map((each, at) => html`
        <tr key=${at}>
          <td class="wrap">${each.model ?? "–"}</td>
          <td class="is-number">${each.input_tokens}</td>
          <td class="is-number">${each.output_tokens}</td>
          <td class="is-number">${each.price === null ? "–" : `$${each.price.toFixed(4)}`}</td>
        </tr>
      `)}</tbody>
    </table></div>
  </section>
`;
