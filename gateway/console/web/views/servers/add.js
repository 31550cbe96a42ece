// Adding a server, and what it is sent.
import { patch, post } from "../../api.js";
import { html, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { Check, Field } from "../../ui/basics.js";
import { Dialog } from "../../ui/dialog.js";
import { Form } from "../../ui/form.js";
import { Pairs, pairsOf } from "../../ui/pairs.js";
import { KINDS } from "./kinds.js";

const t = texts.servers;
const SENT = { bearer_token: /bearer_token|Authorization/, headers: /header/i };

export function AddServer({ close, done }) {
  const [kind, setKind] = useState("mcp");
  const send = ({ server_url, bearer_token, authorize }, form) => post(KINDS[kind].path, {
    server_url: server_url.trim(),
    ...sentOf(form, bearer_token),
    ...(kind === "mcp" && authorize ? { authorize: true } : {}),
  });
  return html`
    <${Dialog} title=${t.add} close=${close}>
      <${Form} send=${send} done=${(server) => done(kind, server)} cancel=${close} label=${t.lookUp} places=${{ ...SENT, server_url: /./ }}>
        ${(errors) => html`
          <fieldset class="field">
            <legend class="field-label">${t.kind}</legend>
            <div class="row servers-kinds">${Object.keys(KINDS).map((each) => html`
              <label key=${each} class="check"><input type="radio" name="kind" value=${each} checked=${each === kind} onChange=${() => setKind(each)} />${t.kinds[each]}</label>
            `)}</div>
          </fieldset>
          <${Field} label=${t.address} name="server_url" type="url" inputmode="url" placeholder=${t.placeholders[kind]} hint=${t.addressHints[kind]}
            autocomplete="off" spellcheck=${false} error=${errors.server_url} required autofocus />
          <details class="servers-more">
            <summary>${t.asks}</summary>
            <div class="form">
              ${kind === "mcp" && html`<div><${Check} name="authorize" label=${t.authorize} /><div class="field-hint">${t.authorizeHint}</div></div>`}
              <${Sent} errors=${errors} />
            </div>
          </details>
        `}
      <//>
    <//>
  `;
}

// What it is sent from now on: it is looked up by that, and nothing is changed where it lets nobody in.
export function ChangeSent({ kind, server, close, done }) {
  const kept = server.header_names ?? [];
  const send = ({ bearer_token }, form) => {
    const rows = pairsOf(form, "headers");
    const typed = Object.entries(rows).filter(([name, value]) => value || !kept.includes(name));
    const removed = kept.filter((name) => !(name in rows)).map((name) => [name, null]);
    return patch(`${KINDS[kind].path}/${server.id}`, {
      headers: Object.fromEntries([...typed, ...removed]),
      ...(bearer_token ? { bearer_token } : {}),
    });
  };
  return html`
    <${Dialog} title=${t.sent} close=${close}>
      <${Form} send=${send} done=${done} cancel=${close} label=${t.lookUp} places=${SENT}>
        ${(errors) => html`<${Sent} errors=${errors} kept=${kept} />`}
      <//>
    <//>
  `;
}

const Sent = ({ errors, kept = [] }) => html`
  <${Field} label=${t.token} name="bearer_token" type="password" autocomplete="new-password" spellcheck=${false} hint=${t.tokenHint} error=${errors.bearer_token} />
  <${Pairs} label=${t.headers} name="headers" kept=${kept} secret hint=${t.headersHint} error=${errors.headers} />
`;

function sentOf(form, bearer_token) {
  const headers = pairsOf(form, "headers");
  return {
    ...(Object.keys(headers).length ? { headers } : {}),
    ...(bearer_token ? { bearer_token } : {}),
  };
}
