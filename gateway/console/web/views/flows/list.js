// All flows, each with its members in their order.
import { html } from "../../lib.js";
import { href } from "../../router.js";
import { texts } from "../../texts.js";
import { Badge, Button, Empty, Failed, Loading, Page } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Icon } from "../../ui/icons.js";
import { KINDS, loadFlows, membersOf } from "./load.js";

const t = texts.flows;

export function List() {
  const { data, error, reload } = useData(loadFlows, [], KINDS);
  const actions = html`<${Button} kind="primary" icon="plus" href=${href("flows", "new")}>${t.new}<//>`;
  return html`
    <${Page} title=${texts.nav.flows} lead=${t.lead} actions=${data?.flows.length > 0 && actions}>
      ${!data ? (error ? html`<${Failed} error=${error} again=${reload} />` : html`<${Loading} />`)
        : data.flows.length === 0 ? html`<${Empty} icon="flows" title=${t.empty} action=${actions}>${t.emptyText}<//>`
          : html`<ul class="cards">${data.flows.map((flow) => html`<li key=${flow.id}><${Card} flow=${flow} things=${data.things} /></li>`)}</ul>`}
    <//>
  `;
}

function Card({ flow, things }) {
  const members = membersOf(flow.flow, things);
  return html`
    <a class="card flows-card" href=${href("flows", flow.id)}>
      <div class="row row-between">
        <${Badge} kind=${flow.is_active ? "good" : undefined}>${flow.is_active ? texts.agents.active : texts.agents.inactive}<//>
        ${flow.owner && html`<span class="soft small clip">${texts.agents.sharedBy(flow.owner)}</span>`}
      </div>
      <h2 class="wrap">${flow.name}</h2>
      <p class="soft wrap flows-said">${flow.description}</p>
      <p class="flows-chain small">
        ${members.map((member, at) => html`
          ${at > 0 && html`<${Icon} name="right" />`}
          <span class=${`clip ${member.isActive || flow.owner ? "" : "flows-off"}`}>${member.name || t.unknown}</span>
        `)}
      </p>
    </a>
  `;
}
