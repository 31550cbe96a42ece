// A provider of language models: who it is, and its key, which is never shown.
import { patch, post } from "../../api.js";
import { html, useId } from "../../lib.js";
import { texts } from "../../texts.js";
import { Badge, Button, Field } from "../../ui/basics.js";
import { Dialog } from "../../ui/dialog.js";
import { Form, wrong } from "../../ui/form.js";
import { Pairs, pairsOf } from "../../ui/pairs.js";
import { Section } from "../../ui/section.js";
import { Config } from "./config.js";

const t = texts.models;
const KNOWN = ["openai", "azure openai", "anthropic", "gemini", "ollama"];
const isKeyless = (name) => name.trim().toLowerCase() === "ollama";

export function Provider({ of, open, reload }) {
  const { provider, configs, api_key } = of;
  const [kind, says] = api_key ? ["good", t.hasKey] : isKeyless(provider) ? ["", t.needsNoKey] : ["warn", t.noKey];
  return html`
    <${Section} title=${provider || t.nameless} actions=${html`
      <div class="row">
        <${Badge} kind=${kind}>${says}<//>
        <${Button} small icon="edit" onClick=${() => open({ what: "provider", provider: of })}>${isKeyless(provider) ? t.options : t.changeKey}<//>
        <${Button} small icon="plus" onClick=${() => open({ what: "config", provider: of })}>${t.newConfig}<//>
      </div>
    `}>
      ${configs.length === 0 ? html`<p class="soft">${t.noConfigs}</p>` : html`
        <ul class="list">${configs.map((config) => html`
          <${Config} key=${config.id} of=${config} provider=${provider} reload=${reload}
            edit=${() => open({ what: "config", provider: of, config })} share=${() => open({ what: "share", config })} />
        `)}</ul>
      `}
    <//>
  `;
}

export function ProviderForm({ of, close, done }) {
  const id = useId();
  const send = (values, form) => {
    const metadata = pairsOf(form, "metadata", of?.metadata);
    if (of) return patch(`/api/llm/model/providers/${encodeURIComponent(of.provider)}`, { api_key: values.api_key || null, metadata });
    const name = values.name.trim();
    if (!values.api_key && !isKeyless(name)) throw wrong("api_key", t.keyNeeded);
    return post("/api/llm/model/provider", { name, api_key: values.api_key || null, metadata });
  };
  return html`
    <${Dialog} title=${of ? of.provider : t.newProvider} close=${close}>
      <${Form} send=${send} done=${done} cancel=${close} places=${{ name: /already exists/ }}>
        ${(errors) => html`
          ${!of && html`
            <${Field} label=${t.provider} name="name" list=${id} hint=${t.providerHint} autocomplete="off" error=${errors.name} required autofocus />
            <datalist id=${id}>${KNOWN.map((each) => html`<option key=${each} value=${each}></option>`)}</datalist>
          `}
          ${!(of && isKeyless(of.provider)) && html`
            <${Field} label=${t.key} name="api_key" type="password" autocomplete="new-password" spellcheck=${false}
              placeholder=${of?.api_key ? t.keyKept : undefined} hint=${t.keyHint} error=${errors.api_key} />
          `}
          <${Pairs} label=${t.metadata} name="metadata" initial=${of?.metadata} hint=${t.metadataHint} error=${errors.metadata} />
        `}
      <//>
    <//>
  `;
}
