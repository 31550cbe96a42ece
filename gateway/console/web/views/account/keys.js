// API keys: made and shown once, listed, renamed, ended.
import { get, patch, post, remove } from "../../api.js";
import { html, useState } from "../../lib.js";
import { me } from "../../session.js";
import { texts } from "../../texts.js";
import { Badge, Button, Check, Copy, Empty, Field, Time, parseTime } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Dialog, confirm } from "../../ui/dialog.js";
import { Form } from "../../ui/form.js";
import { attempt } from "../../ui/toast.js";
import { Section, Shown } from "../../ui/section.js";

const t = texts.account;
const DAY = 24 * 3600;
const ENDS = [7, 30, 90, 365];
const SCOPES = ["chat", "read", "agents", "admin"];

export function Keys() {
  const list = useData((signal) => get("/api/keys", { limit: 1000 }, { signal }), [], ["keys"]);
  const [open, setOpen] = useState(null); // {what: "new" | "made" | "rename", key}
  const close = () => setOpen(null);
  const end = async (key) => {
    if (!await confirm(t.endKey(key.name), { text: t.endKeyText, label: t.endKeyLabel })) return;
    await attempt(() => remove(`/api/keys/${key.id}`));
    list.reload();
  };
  const add = html`<${Button} kind="primary" icon="plus" onClick=${() => setOpen({ what: "new" })}>${t.newKey}<//>`;
  return html`
    <${Section} title=${t.keys} lead=${t.keysLead} actions=${list.data?.length > 0 && add}>
      <${Shown} of=${list}>${(keys) => (keys.length === 0
        ? html`<${Empty} icon="key" title=${t.noKeys} action=${add}>${t.noKeysText}<//>`
        : html`<ul class="list">${keys.map((key) => html`
          <${Key} key=${key.id} of=${key} rename=${() => setOpen({ what: "rename", key })} end=${() => end(key)} />
        `)}</ul>`)}<//>
      ${open?.what === "new" && html`<${NewKey} close=${close} made=${(key) => { setOpen({ what: "made", key }); list.reload(); }} />`}
      ${open?.what === "made" && html`<${Made} of=${open.key} close=${close} />`}
      ${open?.what === "rename" && html`<${Rename} of=${open.key} close=${close} done=${() => { close(); list.reload(); }} />`}
    <//>
  `;
}

function Key({ of, rename, end }) {
  const isOver = of.expires_at && parseTime(of.expires_at) < new Date();
  return html`
    <li class="item">
      <div class="stack tight">
        <div class="row"><strong class="wrap">${of.name}</strong> <code class="soft">${of.start}…</code>
          ${isOver && html`<${Badge} kind="warn">${t.expired}<//>`}</div>
        <div class="soft small wrap">${of.scopes.map((each) => t.scopes[each][0]).join(", ")}
          ${of.networks.length > 0 && html`${" · "}${t.from} ${of.networks.join(", ")}`}</div>
        <div class="soft small wrap">
          ${of.used_at ? html`${t.lastUsed} <${Time} at=${of.used_at} /> ${t.from} ${of.used_address}` : t.neverUsed}
          ${" · "}${of.expires_at ? html`${t.endsAt} <${Time} at=${of.expires_at} />` : t.neverEnds}
        </div>
      </div>
      <div class="row">
        <${Button} small icon="edit" label=${t.renameKey(of.name)} onClick=${rename} />
        <${Button} small icon="trash" label=${t.endKey(of.name)} onClick=${end} />
      </div>
    </li>
  `;
}

function NewKey({ close, made }) {
  const send = (values, form) => post("/api/keys", {
    name: values.name.trim(),
    scopes: SCOPES.filter((each) => form.elements[`scope-${each}`]?.checked),
    expires_in: Number(values.days) * DAY || null,
    networks: values.networks.split(/[\s,]+/).filter(Boolean),
  });
  return html`
    <${Dialog} title=${t.newKey} close=${close}>
      <${Form} send=${send} done=${made} cancel=${close} label=${t.makeKey} places=${{ networks: /no address and no network/, scopes: /scope/ }}>
        ${(errors) => html`
          <${Field} label=${t.keyName} name="name" hint=${t.keyNameHint} autocomplete="off" error=${errors.name} required autofocus />
          <fieldset class="stack tight">
            <legend class="field-label">${t.keyFor}</legend>
            ${SCOPES.filter((each) => each !== "admin" || me.value?.role === "admin").map((each) => html`
              <div key=${each}><${Check} name=${`scope-${each}`} defaultChecked=${each === "chat"} label=${t.scopes[each][0]} />
                <div class="field-hint account-scope">${t.scopes[each][1]}</div></div>
            `)}
            ${errors.scopes && html`<div class="field-error" role="alert">${errors.scopes}</div>`}
          </fieldset>
          <${Field} as="select" label=${t.lasts} name="days" error=${errors.expires_in}>
            ${ENDS.map((days) => html`<option key=${days} value=${days} selected=${days === 90}>${t.days(days)}</option>`)}
            <option value="0">${t.untilEnded}</option>
          <//>
          <${Field} label=${t.networks} name="networks" hint=${t.networksHint} autocomplete="off" spellcheck=${false} error=${errors.networks} />
        `}
      <//>
    <//>
  `;
}

const Made = ({ of, close }) => html`
  <${Dialog} title=${t.madeKey(of.name)} close=${close}>
    <div class="stack">
      <p>${t.madeKeyText}</p>
      <code class="code account-key" tabindex="0">${of.key}</code>
      <div class="form-actions"><${Copy} text=${of.key} small=${false} /><${Button} kind="primary" onClick=${close}>${t.keptKey}<//></div>
    </div>
  <//>
`;

const Rename = ({ of, close, done }) => html`
  <${Dialog} title=${t.renameKey(of.name)} close=${close}>
    <${Form} send=${({ name }) => patch(`/api/keys/${of.id}`, { name: name.trim() })} done=${done} cancel=${close}>
      ${(errors) => html`<${Field} label=${t.keyName} name="name" defaultValue=${of.name} autocomplete="off" error=${errors.name} required />`}
    <//>
  <//>
`;
