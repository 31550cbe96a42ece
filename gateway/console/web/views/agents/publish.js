// Publishing an agent or a flow to programs.
import { get, post, remove } from "../../api.js";
import { html } from "../../lib.js";
import { texts } from "../../texts.js";
import { Button, Copy, Failed, Field, Loading } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Dialog } from "../../ui/dialog.js";
import { Form } from "../../ui/form.js";
import { attempt } from "../../ui/toast.js";

const t = texts.agents;
const KINDS = { genai: "agent", flow: "flow" };
const MOST = { limit: 1000 };

// `thing` is {id, kind, alias}; of kind "flow" too.
export function Publish({ thing, close }) {
  const { data, error, reload } = useData((signal) => get("/api/publications", MOST, { signal }), [], ["agents"]);
  const found = data?.find(({ id }) => id === thing.id);
  const send = ({ alias }) => post("/api/publications", { kind: KINDS[thing.kind], id: thing.id, alias: alias.trim() || null });
  const end = () => attempt(async () => {
    await remove(`/api/publications/${encodeURIComponent(found.alias)}`);
    await reload();
  });
  return html`
    <${Dialog} title=${t.publish} close=${close}>
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
        <${Form} send=${send} done=${reload} cancel=${close} label=${t.publish} places=${{ alias: /alias/i }}>
          ${(errors) => html`
            <p>${t.publishText}</p>
            <${Field} label=${t.alias} name="alias" hint=${t.aliasHint(thing.alias)} placeholder=${thing.alias} autocomplete="off" error=${errors.alias} />
          `}
        <//>
      `}
    <//>
  `;
}
