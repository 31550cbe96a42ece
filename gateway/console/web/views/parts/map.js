// Gateways, stores and bridges side by side, as they are connected.
import { html } from "../../lib.js";
import { texts } from "../../texts.js";
import { Badge, Time, bytes, duration } from "../../ui/basics.js";

const words = texts.parts;

export function PartsMap({ now }) {
  const of = (service) => now.processes.filter((process) => process.service === service);
  const lost = (service) => now.silent.filter((each) => (each.service ?? "agent_bridge") === service);
  return html`
    <div class="parts-map">
      <${Column} title=${words.gateways} count=${of("gateway").length}>
        ${of("gateway").map((each) => html`<${Process} key=${each.id} process=${each} answers=${each.id === now.gateway_id} stats=${ofGateway(each)} />`)}
        ${lost("gateway").map((each) => html`<${Lost} key=${each.id} process=${each} />`)}
      <//>
      <${Column} title=${words.stores}>
        ${now.stores.map((store) => html`<${Store} key=${store.name} store=${store} />`)}
        <${Queue} queue=${now.queue} />
      <//>
      <${Column} title=${words.bridges} count=${of("agent_bridge").length}>
        ${of("agent_bridge").map((each) => html`<${Process} key=${each.id} process=${each} stats=${ofBridge(each, now)}><${Roles} process=${each} now=${now} /><//>`)}
        ${lost("agent_bridge").map((each) => html`<${Lost} key=${each.id} process=${each} />`)}
      <//>
    </div>
  `;
}

const Column = ({ title, count, children }) => html`
  <section class="parts-column" aria-label=${title}>
    <h2>${title}${count !== undefined && html` <span class="soft">${count}</span>`}</h2>
    <ul class="parts-nodes">${children}</ul>
  </section>
`;

const Node = ({ name, badge, kind, children }) => html`
  <li class="parts-place"><div class=${`card parts-node ${kind === "bad" ? "is-bad" : ""}`}>
    <div class="parts-head"><h3 class="wrap">${name}</h3><${Badge} kind=${kind}>${badge}<//></div>
    ${children}
  </div></li>
`;

function Process({ process, answers, stats, children }) {
  const isDeaf = process.gauges.notifications_up === 0;
  return html`
    <${Node} name=${process.address} kind=${process.is_draining ? "warn" : "good"} badge=${process.is_draining ? words.draining : words.running}>
      <p class="soft small wrap">
        ${process.version} · ${process.host} · ${words.since} <${Time} at=${process.started_at} />${answers && ` · ${words.answers}`}
      </p>
      ${isDeaf && html`<div><${Badge} kind="warn">${words.deaf}<//></div>`}
      ${children}
      <dl class="parts-stats">
        ${stats.map(([label, value, hint]) => html`<div key=${label} title=${hint}><dt>${label}</dt><dd>${value}</dd></div>`)}
      </dl>
    <//>
  `;
}

const Lost = ({ process }) => html`
  <${Node} name=${process.address ?? process.id} kind="bad" badge=${words.lost}>
    <p class="soft small wrap">${[process.version, process.host].filter(Boolean).map((each) => `${each} · `)}${words.lastHeard} <${Time} at=${process.last_heard_at} /></p>
  <//>
`;

function Roles({ process, now }) {
  const door = now.doors?.find(({ bridge_id: id }) => id === process.id);
  const roles = [
    now.router_session?.holder === process.id && ["accent", words.routerSession],
    door?.has_master_agent && ["accent", words.masterAgent],
    process.gauges.master_agent_is_foreign === 1 && ["bad", words.foreign],
    door && !door.is_open && ["", words.doorClosed],
  ].filter(Boolean);
  return roles.length > 0 && html`<div class="row">${roles.map(([kind, text]) => html`<${Badge} key=${text} kind=${kind}>${text}<//>`)}</div>`;
}

const whole = (value) => (value ?? 0).toLocaleString("en");

function common({ gauges }) {
  const inUse = gauges["database_connections.in_use"];
  return [
    [words.connections, `${whole(inUse)} / ${whole(gauges.database_connections_most)}`, words.connectionsHint],
    [words.memory, bytes(gauges.memory_bytes ?? 0)],
  ];
}

const ofGateway = (process) => [
  [words.sockets, whole(process.gauges.sockets_open)],
  [words.streams, whole(process.gauges.streams_open)],
  ...common(process),
];

function ofBridge(process, now) {
  const { lanes_in_use: used = 0, lanes_idle: idle = 0, door_connections: connections } = process.gauges;
  const door = now.doors?.find(({ bridge_id: id }) => id === process.id);
  return [
    [words.agents, whole(door?.agents ?? connections)],
    [words.lanes, `${whole(used)} / ${whole(used + idle)}`, words.lanesHint],
    [words.requests, whole(now.queue?.running_at[process.id])],
    ...common(process),
  ];
}

const Store = ({ store }) => html`
  <${Node} name=${words.names[store.name] ?? store.name} kind=${store.is_up ? "good" : "bad"} badge=${store.is_up ? words.up : words.down}>
    <p class="soft small wrap">${[store.version, store.kind, store.ms !== null && duration(store.ms / 1000)].filter(Boolean).join(" · ")}</p>
    ${store.why && html`<p class="small wrap">${store.why}</p>`}
  <//>
`;

function Queue({ queue }) {
  if (!queue) return html`<${Node} name=${words.queue} badge=${words.unknown} />`;
  return html`
    <${Node} name=${words.queue} kind=${queue.waiting ? "accent" : "good"} badge=${words.queueWaiting(queue.waiting)}>
      <p class="soft small">
        ${words.queueRunning(queue.running)}${queue.waiting > 0 && ` · ${words.oldest(duration(queue.oldest_seconds))}`}
      </p>
    <//>
  `;
}
