// All that can be asked or called, with its state.
import { html } from "../../lib.js";
import { href, replace } from "../../router.js";
import { texts } from "../../texts.js";
import { Button, Empty, Failed, Loading, Page } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Kind, State } from "./badges.js";
import { KINDS, linkTo, loadThings } from "./things.js";

const t = texts.agents;

export function List({ query }) {
  const { data, error, reload } = useData(loadThings, [], KINDS);
  const actions = html`<${Button} kind="primary" icon="plus" href=${href("agents", "new")}>${t.connect}<//>`;
  return html`
    <${Page} title=${texts.nav.agents} lead=${t.lead} actions=${data?.length > 0 && actions}>
      ${!data ? (error ? html`<${Failed} error=${error} again=${reload} />` : html`<${Loading} />`)
        : data.length === 0 ? html`<${Empty} icon="agents" title=${t.empty} action=${actions}>${t.emptyText}<//>`
          : html`<${Filtered} things=${data} query=${query} />`}
    <//>
  `;
}

function Filtered({ things, query }) {
  const { search = "", kind = "", state = "" } = query;
  const set = (change) => replace("agents", { ...query, ...change });
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = things
    .filter((each) => (!kind || each.kind === kind) && (!state || each.isActive === (state === "active"))
      && words.every((word) => `${each.name} ${each.alias} ${each.description} ${each.source ?? ""}`.toLowerCase().includes(word)))
    .sort((one, other) => other.isActive - one.isActive || one.name.localeCompare(other.name));
  return html`
    <div class="agents-filters">
      <input class="input" type="search" aria-label=${t.search} placeholder=${t.search} value=${search} onInput=${(event) => set({ search: event.currentTarget.value })} />
      <select class="input" aria-label=${t.kind} value=${kind} onChange=${(event) => set({ kind: event.currentTarget.value })}>
        <option value="">${t.allKinds}</option>
        ${Object.entries(t.kinds).map(([id, name]) => html`<option key=${id} value=${id}>${name}</option>`)}
      </select>
      <select class="input" aria-label=${t.state} value=${state} onChange=${(event) => set({ state: event.currentTarget.value })}>
        <option value="">${t.allStates}</option>
        <option value="active">${t.active}</option>
        <option value="inactive">${t.inactive}</option>
      </select>
    </div>
    ${shown.length === 0 ? html`<p class="soft" role="status">${t.noneFits}</p>` : html`
      <ul class="cards">${shown.map((each) => html`<li key=${`${each.kind} ${each.id}`}><${Card} thing=${each} /></li>`)}</ul>
    `}
  `;
}

const Card = ({ thing }) => html`
  <a class="card agents-card" href=${linkTo(thing)}>
    <div class="row row-between"><${State} thing=${thing} /><${Kind} kind=${thing.kind} /></div>
    <h2 class="wrap">${thing.name || t.unnamed}</h2>
    <p class="soft agents-said wrap">${thing.description || t.saysNothing}</p>
    ${(thing.owner || thing.source) && html`<p class="soft small clip">${thing.owner ? t.sharedBy(thing.owner) : thing.source}</p>`}
  </a>
`;
