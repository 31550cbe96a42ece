// Showing again who one is, where the gateway wants to know it before it changes how one signs in.
import { get, post, proveBy } from "../api.js";
import { html, signal, useEffect } from "../lib.js";
import { cameBack, goTo } from "../oidc.js";
import { currentToken, take } from "../session.js";
import { texts } from "../texts.js";
import { Button, Field } from "./basics.js";
import { useData } from "./data.js";
import { Dialog } from "./dialog.js";
import { Form } from "./form.js";
import { Shown } from "./section.js";
import { attempt, toast } from "./toast.js";

const t = texts.proving;
const asked = signal(null); // called with whether it was shown

proveBy(() => new Promise((answer) => { asked.value = answer; }));

export function Proving() {
  useEffect(() => { attempt(takeReturn); }, []);
  if (!asked.value) return null;
  const say = (isShown) => {
    asked.value?.(isShown);
    asked.value = null;
  };
  return html`<${Dialog} title=${t.title} close=${() => say(false)}><${Ask} say=${say} /><//>`;
}

function Ask({ say }) {
  const ways = useData((signal) => get("/api/login/providers", {}, { signal }));
  const send = ({ password }) => post("/api/me/confirmation", { password });
  return html`
    <${Shown} of=${ways}>${({ password, providers }) => html`
      <div class="stack">
        <p>${t.text}</p>
        ${password && html`
          <${Form} send=${send} done=${() => say(true)} cancel=${() => say(false)} label=${t.label} places=${{ password: /not the right one/ }}>
            ${(errors) => html`
              <${Field} label=${texts.signIn.password} name="password" type="password" autocomplete="current-password"
                error=${errors.password} required autofocus />
            `}
          <//>
        `}
        ${providers.map((each) => html`
          <${Button} key=${each.name} icon="key" onClick=${() => attempt(() => goTo(each, "proof", { max_age: 0 }))}>${t.by(each.title)}<//>
        `)}
      </div>
    `}<//>
  `;
}

// Who has shown it at a provider has signed in anew: the sign-in of before ends. As somebody else one has shown
// nothing.
async function takeReturn() {
  const back = cameBack("proof");
  if (!back) return;
  if (back.error) throw new Error(back.error);
  const before = { anonymous: true, headers: { Authorization: `Bearer ${await currentToken()}` } };
  const form = new URLSearchParams({ code: back.code, code_verifier: back.verifier });
  const tokens = await post("/api/login/oidc/token", form, { anonymous: true });
  const now = { anonymous: true, headers: { Authorization: `Bearer ${tokens.access_token}` } };
  const shown = await get("/api/me", {}, now);
  const asked = await get("/api/me", {}, before).catch(() => null);
  if (shown.id !== asked?.id) {
    await post("/api/logout", undefined, now);
    throw new Error(asked ? t.another(shown.username, asked.username) : texts.signIn.ended);
  }
  await post("/api/logout", undefined, before);
  take(tokens);
  toast(t.done);
}
