// MCP servers and A2A agents, which are added by their addresses.
import { get } from "../../api.js";
import { html, useState } from "../../lib.js";
import { go, href } from "../../router.js";
import { texts } from "../../texts.js";
import { Badge, Button, Empty, Page } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Icon } from "../../ui/icons.js";
import { Section, Shown } from "../../ui/section.js";
import { AddServer } from "./add.js";
import { KINDS, statesOf } from "./kinds.js";
import { Server } from "./server.js";

const t = texts.servers;

export default function Servers({ path, query }) {
  const [kind, id] = path;
  if (id && Object.hasOwn(KINDS, kind)) return html`<${Server} key=${id} kind=${kind} id=${id} asksLogIn=${query.log_in === "1"} />`;
  return html`<${All} />`;
}

function All() {
  const lists = useData((signal) => Promise.all(Object.values(KINDS).flatMap(({ path }) => [
    get(path, { limit: 1000 }, { signal }),
    get(path, { limit: 1000, shared: true }, { signal }),
  ])), [], ["servers", "groups", "shares"]);
  const [isAdding, setAdding] = useState(false);
  const added = (kind, { id, authorization }) => go("servers", kind, id, { log_in: authorization === "wanted" ? "1" : null });
  const add = html`<${Button} kind="primary" icon="plus" onClick=${() => setAdding(true)}>${t.add}<//>`;
  const isEmpty = lists.data?.every((list) => list.length === 0);
  return html`
    <${Page} title=${texts.nav.servers} lead=${t.lead} actions=${lists.data && !isEmpty && add}>
      <${Shown} of=${lists}>${([mcp, lentMcp, a2a, lentA2a]) => (isEmpty
        ? html`<${Empty} icon="servers" title=${t.none} action=${add}>${t.noneText}<//>`
        : html`
          <${List} kind="mcp" servers=${[...mcp, ...lentMcp]} />
          <${List} kind="a2a" servers=${[...a2a, ...lentA2a]} />
        `)}<//>
      ${isAdding && html`<${AddServer} close=${() => setAdding(false)} done=${added} />`}
    <//>
  `;
}

function List({ kind, servers }) {
  if (!servers.length) return null;
  const { title, nameOf, aboutOf } = KINDS[kind];
  return html`
    <${Section} title=${title}>
      <ul class="list">${servers.map((each) => html`
        <li key=${each.id} class="item">
          <a class="servers-link" href=${href("servers", kind, each.id)}>
            <span class="stack tight">
              <span class="row"><strong class="wrap">${nameOf(each)}</strong>
                ${statesOf(each).map(([mood, says]) => html`<${Badge} kind=${mood}>${says}<//>`)}
                ${each.owner && html`<${Badge} kind="accent">${t.of(each.owner)}<//>`}</span>
              ${aboutOf(each) && html`<span class="servers-about">${aboutOf(each)}</span>`}
              <span class="soft small wrap">${each.server_url}${each.mcp_tools ? ` · ${t.tools(each.mcp_tools.length)}` : ""}</span>
            </span>
            <${Icon} name="right" />
          </a>
        </li>
      `)}</ul>
    <//>
  `;
}
