// An agent's token, which is shown once, and the lines by which an agent connects with it.
import { post } from "../../api.js";
import { html, useState } from "../../lib.js";
import { ROOT } from "../../root.js";
import { texts } from "../../texts.js";
import { Button, Copy, Field, Tabs } from "../../ui/basics.js";
import { Dialog } from "../../ui/dialog.js";
import { Form } from "../../ui/form.js";
import { lines } from "./lines.js";

const t = texts.agents;
const DAY = 24 * 3600;
const ENDS = [[0, t.never], [DAY, t.days(1)], [30 * DAY, t.days(30)], [365 * DAY, t.days(365)]];

export const ExpiresIn = ({ error }) => html`
  <${Field} as="select" label=${t.expires} name="expires_in" error=${error}>
    ${ENDS.map(([seconds, label]) => html`<option key=${seconds} value=${seconds}>${label}</option>`)}
  <//>
`;

export const expiresIn = (text) => Number(text) || null;

export function NewToken({ thing, close, done }) {
  const [issued, setIssued] = useState(null);
  const send = ({ expires_in }) => post(`/api/agents/${thing.id}/token`, { expires_in: expiresIn(expires_in) });
  const finish = (answer) => { setIssued(answer); done(); };
  return html`
    <${Dialog} title=${t.newToken} close=${close} wide>
      ${issued ? html`
        <div class="stack">
          <${Token} issued=${issued} />
          <div class="form-actions"><${Button} kind="primary" onClick=${close}>${t.kept}<//></div>
        </div>
      ` : html`
        <${Form} send=${send} done=${finish} cancel=${close} label=${t.issue} danger>
          ${(errors) => html`<p>${t.newTokenText}</p><${ExpiresIn} error=${errors.expires_in} />`}
        <//>
      `}
    <//>
  `;
}

// `issued` is what the service answers: {jwt, connects_to}.
export function Token({ issued }) {
  const [shown, choose] = useState("2");
  const parts = lines(ROOT, issued);
  return html`
    <div class="stack">
      <h2>${t.token}</h2>
      <p class="soft">${t.tokenText}</p>
      <div class="row agents-token"><code class="code wrap" tabindex="0">${issued.jwt}</code><${Copy} text=${issued.jwt} label=${t.copyToken} /></div>
      <h2>${t.linesTitle}</h2>
      ${!issued.connects_to && html`<p class="agents-guess">${t.guess}</p>`}
      <${Tabs} label=${t.linesTitle} chosen=${shown} choose=${choose} tabs=${[["2", t.generations["2"]], ["1", t.generations["1"]]]} />
      ${parts[shown].map(([title, code]) => html`
        <div class="stack agents-lines-part" key=${title}>
          <div class="row row-between"><h3>${t.lines[title]}</h3><${Copy} text=${code} /></div>
          <pre class="code" tabindex="0">${code}</pre>
        </div>
      `)}
    </div>
  `;
}
