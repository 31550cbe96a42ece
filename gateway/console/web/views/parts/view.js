// The installation as it is now: which processes there are and how they are, and the last hour in plots.
import { html, useEffect, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { Badge, Button, Failed, Loading, Page } from "../../ui/basics.js";
import { ask, failure, isPaused, latest, watch } from "./history.js";
import { PartsMap } from "./map.js";
import { Plots } from "./plots.js";

const words = texts.parts;

export default function Parts() {
  const [asTables, setTables] = useState(false);
  useEffect(watch, []);
  const now = latest.value;
  if (!now) return html`<${Page} title=${texts.nav.parts}>${failure.value ? html`<${Failed} error=${failure.value} again=${ask} />` : html`<${Loading} />`}<//>`;
  const state = isPaused.value ? html`<${Badge}>${words.paused}<//>`
    : failure.value ? html`<${Badge} kind="warn">${words.late}<//>` : html`<${Badge} kind="good">${words.live}<//>`;
  return html`
    <${Page} title=${texts.nav.parts} actions=${state}>
      ${warnings(now).map((text) => html`<p key=${text} class="parts-warning" role="status">${text}</p>`)}
      <${PartsMap} now=${now} />
      <section class="stack" aria-label=${words.lastHour}>
        <header class="page-head">
          <h2 class="parts-title">${words.lastHour}</h2>
          <${Button} small onClick=${() => setTables(!asTables)}>${asTables ? words.asPlots : words.asTables}<//>
        </header>
        <${Plots} asTable=${asTables} />
      </section>
    <//>
  `;
}

function warnings({ hears_others: hears, processes, router_session: session, doors }) {
  const bridges = processes.filter(({ service }) => service === "agent_bridge");
  return [
    !hears && words.alone,
    hears && !bridges.length && words.noBridge,
    bridges.length > 0 && session && !session.is_held && words.nobodyHolds,
    bridges.length > 0 && doors?.some((door) => door.is_open) && !doors.some((door) => door.has_master_agent) && words.noMaster,
  ].filter(Boolean);
}
