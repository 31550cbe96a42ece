// Lending something to groups that one is in.
import { get, post, remove } from "../api.js";
import { html } from "../lib.js";
import { href } from "../router.js";
import { texts } from "../texts.js";
import { Button } from "./basics.js";
import { useData } from "./data.js";
import { Dialog } from "./dialog.js";
import { Shown } from "./section.js";
import { attempt } from "./toast.js";

const t = texts.share;
const MOST = { limit: 1000 };

// `kind` as the API calls it: agent, flow, config, mcp_server or a2a_agent.
export function Share({ kind, id, name, close }) {
  const groups = useData((signal) => load(id, signal), [id], ["groups", "shares"]);
  const act = async (work) => {
    await attempt(work);
    groups.reload();
  };
  return html`
    <${Dialog} title=${t.title(name)} close=${close}>
      <${Shown} of=${groups}>${(found) => html`
        <div class="stack">
          <p>${found.length ? t.text : t.noGroups}</p>
          <ul class="list">${found.map((each) => html`
            <li key=${each.id} class="item">
              <span class="wrap">${each.name} <span class="soft small">${texts.account.members(each.members)}</span></span>
              ${each.share
                ? html`<${Button} small onClick=${() => act(() => remove(`/api/groups/${each.id}/shares/${each.share}`))}>${t.end}<//>`
                : html`<${Button} small kind="primary" onClick=${() => act(() => post(`/api/groups/${each.id}/shares`, { kind, id }))}>${t.share}<//>`}
            </li>
          `)}</ul>
          ${found.length === 0 && html`<div class="form-actions"><${Button} href=${href("account", "groups")}>${t.toGroups}<//></div>`}
        </div>
      `}<//>
    <//>
  `;
}

// The groups, each with the id of its share of this.
async function load(id, signal) {
  const groups = (await get("/api/groups", MOST, { signal })).filter(({ role }) => role !== "invited");
  const shares = await Promise.all(groups.map((each) => get(`/api/groups/${each.id}/shares`, MOST, { signal })));
  return groups.map((each, at) => ({ ...each, share: shares[at].find(({ target_id }) => target_id === id)?.id }));
}
