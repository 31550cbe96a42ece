// Lending an agent to groups, and publishing it to programs.
import { get, post, remove } from "../../api.js";
import { html } from "../../lib.js";
import { href } from "../../router.js";
import { texts } from "../../texts.js";
import { Button, Copy, Failed, Field, Loading } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Dialog } from "../../ui/dialog.js";
import { Form } from "../../ui/form.js";
import { attempt } from "../../ui/toast.js";

const t = texts.agents;
const SHARED_AS = { genai: "agent", a2a: "a2a_agent", flow: "flow" };
const MOST = { limit: 1000 };

// `thing` is {id, kind, alias}; of kind "flow" too.
export function Publish({ thing, close }) {
  const { data, error, reload } = useData((signal) => get("/api/publications", MOST, { signal }), [], ["agents"]);
  const found = data?.find(({ id }) => id === thing.id);
  const send = ({ alias }) => post("/api/publications", { kind: SHARED_AS[thing.kind], id: thing.id, alias: alias.trim() || null });
  const end = () => attempt(async () => {
    await remove(`/api/publications/${encodeURIComponent(found.alias)}`);
    await reload();
  });
  return html`
    <${Dialog} title=${t.publish} close=${close} wide>
      ${error && !data ? html`<${Failed} error=${error} again=${reload} />` : !data ? html`<${Loading} />` : found ? html`
        <div class="stack">
          <p>${t.publishedText}</p>
          <dl class="facts">
            <dt>${t.address}</dt><dd class="row"><span class="mono wrap">${found.url}</span><${Copy} text=${found.url} /></dd>
            <dt>${t.card}</dt><dd class="row"><span class="mono wrap">${found.card_url}</span><${Copy} text=${found.card_url} /></dd>
          </dl>
          <div class="form-actions"><${Button} kind="danger" onClick=${end}>${t.unpublish}<//></div>
        </div>
      ` : html`
        <${Form} send=${send} done=${reload} cancel=${close} label=${t.publish}>
          ${(errors) => html`
            <p>${t.publishText}</p>
            <${Field} label=${t.alias} name="alias" hint=${t.aliasHint(thing.alias)} placeholder=${thing.alias} autocomplete="off" error=${errors.alias} />
          `}
        <//>
      `}
    <//>
  `;
}

export function Share({ thing, close }) {
  const { data, error, reload } = useData((signal) => loadShares(thing, signal), [thing.id], ["agents"]);
  const share = (group) => attempt(async () => {
    await post(`/api/groups/${group.id}/shares`, { kind: SHARED_AS[thing.kind], id: thing.id });
    await reload();
  });
  const end = (group) => attempt(async () => {
    await remove(`/api/groups/${group.id}/shares/${group.shareId}`);
    await reload();
  });
  return html`
    <${Dialog} title=${t.share} close=${close}>
      ${error && !data ? html`<${Failed} error=${error} again=${reload} />` : !data ? html`<${Loading} />` : html`
        <div class="stack">
          <p>${data.length ? t.shareText : t.noGroups}</p>
          <ul class="stack">${data.map((group) => html`
            <li key=${group.id} class="row row-between">
              <span class="wrap">${group.name} <span class="soft small">${t.members(group.members)}</span></span>
              ${group.shareId ? html`<${Button} small onClick=${() => end(group)}>${t.unshare}<//>`
                : html`<${Button} small kind="primary" onClick=${() => share(group)}>${t.share}<//>`}
            </li>
          `)}</ul>
          ${data.length === 0 && html`<div class="form-actions"><${Button} href=${href("account")}>${texts.nav.account}<//></div>`}
        </div>
      `}
    <//>
  `;
}

// The groups that one is in, each with the id of its share of this thing.
async function loadShares(thing, signal) {
  const groups = (await get("/api/groups", MOST, { signal })).filter(({ role }) => role !== "invited");
  const shares = await Promise.all(groups.map(({ id }) => get(`/api/groups/${id}/shares`, MOST, { signal })));
  return groups.map((group, at) => ({ ...group, shareId: shares[at].find(({ target_id }) => target_id === thing.id)?.id }));
}
