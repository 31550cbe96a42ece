// What can be put into a flow.
import { html, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { Badge, Button } from "../../ui/basics.js";
import { Icon } from "../../ui/icons.js";

const t = texts.flows;

export function Palette({ things, start, add }) {
  const [search, setSearch] = useState("");
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = things.filter((each) => !each.owner && words.every((word) => `${each.name} ${each.description}`.toLowerCase().includes(word)));
  return html`
    <section class="card stack flows-palette" aria-label=${t.palette}>
      <h2>${t.palette}</h2>
      <p class="soft small">${t.paletteText}</p>
      <input class="input" type="search" aria-label=${texts.agents.search} placeholder=${texts.agents.search} value=${search} onInput=${(event) => setSearch(event.currentTarget.value)} />
      <ul class="flows-things">
        ${shown.map((thing) => html`
          <li key=${`${thing.kind} ${thing.id}`} class="flows-thing" title=${thing.description}
            onPointerDown=${(event) => !event.target.closest("button") && start(event, { thing })}>
            <${Icon} name="grip" />
            <span class="flows-thing-name"><span class="clip">${thing.name || t.unknown}</span><span class="soft small">${texts.agents.kinds[thing.kind]}</span></span>
            ${!thing.isActive && html`<${Badge}>${texts.agents.inactive}<//>`}
            <${Button} small kind="plain" icon="plus" label=${t.add(thing.name)} onClick=${() => add(thing)} />
          </li>
        `)}
      </ul>
      ${shown.length === 0 && html`<p class="soft">${texts.agents.noneFits}</p>`}
    </section>
  `;
}
