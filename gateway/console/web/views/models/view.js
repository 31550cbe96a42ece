// Providers of language models, and the models that chats are answered by.
import { get } from "../../api.js";
import { html, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { Button, Empty, Page } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Section, Shown } from "../../ui/section.js";
import { Share } from "../../ui/share.js";
import { Config, ConfigForm } from "./config.js";
import { Provider, ProviderForm } from "./provider.js";

const t = texts.models;
const CONFIGS = "/api/llm/model/configs";

export default function Models() {
  const own = useData((signal) => get(CONFIGS, { limit: 1000 }, { signal }), [], ["models"]);
  const lent = useData((signal) => get(CONFIGS, { limit: 1000, shared: true }, { signal }), [], ["models", "shares", "groups"]);
  const [open, setOpen] = useState(null); // {what: "provider" | "config" | "share", provider, config}
  const close = () => setOpen(null);
  const done = () => { close(); own.reload(); };
  const add = html`<${Button} kind="primary" icon="plus" onClick=${() => setOpen({ what: "provider" })}>${t.newProvider}<//>`;
  return html`
    <${Page} title=${texts.nav.models} lead=${t.lead} actions=${own.data?.length > 0 && add}>
      <${Shown} of=${own}>${(providers) => (providers.length === 0
        ? html`<${Empty} icon="models" title=${t.none} action=${add}>${t.noneText}<//>`
        : providers.map((each) => html`<${Provider} key=${each.provider} of=${each} open=${setOpen} reload=${own.reload} />`))}<//>
      ${lent.data?.length > 0 && html`
        <${Section} title=${t.lent} lead=${t.lentLead}>
          <ul class="list">${lent.data.flatMap(({ provider, configs }) => configs.map((config) => html`
            <${Config} key=${config.id} of=${config} provider=${provider} />
          `))}</ul>
        <//>
      `}
      ${open?.what === "provider" && html`<${ProviderForm} of=${open.provider} close=${close} done=${done} />`}
      ${open?.what === "config" && html`<${ConfigForm} of=${open.config} provider=${open.provider.provider} close=${close} done=${done} />`}
      ${open?.what === "share" && html`<${Share} kind="config" id=${open.config.id} name=${open.config.name} close=${close} />`}
    <//>
  `;
}
