// The user's requests, newest first, as they go on.
import { html, useEffect, useState } from "../../lib.js";
import { replace } from "../../router.js";
import { texts } from "../../texts.js";
import { Button, Empty, Failed, Loading, Page } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Entries } from "./entries.js";
import { STATES, loadNames, loadRequests } from "./load.js";

const t = texts.requests;
const STEP = 50;

export function List({ query }) {
  const { status = "", agent_id = "", session_id = "" } = query;
  const [limit, setLimit] = useState(STEP);
  const inputs = [status, agent_id, session_id, limit];
  const { data, error, reload } = useData((signal) => loadRequests({ status, agent_id, session_id, limit: limit + 1 }, signal), inputs, ["requests"]);
  const { data: names } = useData(loadNames, [], ["agents", "flows", "chats"]);
  const [last, setLast] = useState(null); // what was there stays while more of it is loaded
  useEffect(() => { if (data) setLast(data); }, [data]);
  useEffect(() => { setLimit(STEP); setLast(null); }, [status, agent_id, session_id]);
  const shown = data ?? last;
  const isFiltered = status || agent_id || session_id;
  return html`
    <${Page} title=${texts.nav.requests} lead=${t.lead}>
      <${Filters} query=${query} names=${names} />
      ${!shown ? (error ? html`<${Failed} error=${error} again=${reload} />` : html`<${Loading} />`)
        : shown.length === 0 ? html`<${Empty} icon="requests" title=${isFiltered ? t.noneFits : t.empty}>${isFiltered ? "" : t.emptyText}<//>`
          : html`
            <${Entries} requests=${shown.slice(0, limit)} names=${names} />
            ${shown.length > limit && html`<div class="row requests-more"><${Button} onClick=${() => setLimit(limit + STEP)}>${texts.actions.more}<//></div>`}
          `}
    <//>
  `;
}

function Filters({ query, names }) {
  const { status = "", agent_id = "", session_id = "" } = query;
  const set = (change) => replace("requests", { ...query, ...change });
  return html`
    <div class="requests-filters">
      <${Choice} label=${t.state} all=${t.allStates} value=${status} set=${(value) => set({ status: value })}
        options=${STATES.map((each) => [each, t.states[each] ?? t[each]])} />
      <${Choice} label=${t.agent} all=${t.allAgents} value=${agent_id} set=${(value) => set({ agent_id: value })}
        options=${[...names?.asked ?? []].map(([id, name]) => [id, name || t.someAgent])} />
      <${Choice} label=${t.chat} all=${t.allChats} value=${session_id} set=${(value) => set({ session_id: value })}
        options=${[...names?.chats ?? []]} />
    </div>
  `;
}

function Choice({ label, all, value, set, options }) {
  const known = !value || options.some(([id]) => id === value) ? options : [...options, [value, value]];
  return html`
    <select class="input" aria-label=${label} value=${value} onChange=${(event) => set(event.currentTarget.value)}>
      <option value="">${all}</option>
      ${known.map(([id, name]) => html`<option key=${id} value=${id}>${name}</option>`)}
    </select>
  `;
}
