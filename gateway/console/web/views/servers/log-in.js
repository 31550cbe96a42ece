// Logging in at the authorization server of an MCP server, in a page of its own.
import { get, post } from "../../api.js";
import { html, useEffect, useRef, useState } from "../../lib.js";
import { me } from "../../session.js";
import { texts } from "../../texts.js";
import { Button, Field } from "../../ui/basics.js";
import { useData, useInterval } from "../../ui/data.js";
import { Dialog } from "../../ui/dialog.js";
import { Form } from "../../ui/form.js";
import { Shown } from "../../ui/section.js";
import { toast } from "../../ui/toast.js";
import { hostOf, isLink } from "./kinds.js";

const t = texts.servers;
const LOOK_MS = 2000; // how often it is looked for the end of a log-in

export function LogIn({ server, reload, close }) {
  const path = `/api/mcp/servers/${server.id}/authorize`;
  const begun = useData((signal) => get(path, {}, { signal }), [path]);
  useInterval(reload, LOOK_MS);
  const before = useRef(server.updated_at);
  const [own, setOwn] = useState(null); // where to log in as a client of one's own
  useEffect(() => {
    if (server.authorization !== "given" || server.updated_at === before.current) return;
    toast(t.loggedIn);
    close();
  }, [server.authorization, server.updated_at]);
  return html`
    <${Dialog} title=${t.logIn} close=${close}>
      <div class="stack">
        <p>${t.logInText(me.value?.username)}</p>
        <${Shown} of=${begun}>${({ authorization_url: url }) => html`<${Onwards} url=${url} />`}<//>
        <details class="servers-more">
          <summary>${t.ownClient}</summary>
          <${Form} send=${(values) => post(path, clientOf(values))} done=${({ authorization_url: url }) => setOwn(url)} label=${t.withClient}>
            ${(errors) => html`
              <p class="soft">${t.ownClientText}</p>
              <${Field} label=${t.clientId} name="client_id" autocomplete="off" spellcheck=${false} error=${errors.client_id} required />
              <${Field} label=${t.clientSecret} name="client_secret" type="password" autocomplete="new-password" error=${errors.client_secret} />
            `}
          <//>
          ${own && html`<${Onwards} url=${own} />`}
        </details>
      </div>
    <//>
  `;
}

const Onwards = ({ url }) => isLink(url) && html`
  <div class="form-actions"><${Button} kind="primary" icon="key" href=${url} target="_blank" rel="noopener noreferrer">${t.onTo(hostOf(url))}<//></div>
`;

const clientOf = ({ client_id, client_secret }) => ({ client_id: client_id.trim(), ...(client_secret ? { client_secret } : {}) });
