// As whom one is known to providers, by which one signs in.
import { get, post, remove } from "../../api.js";
import { html, useState } from "../../lib.js";
import { cameBack, goTo } from "../../oidc.js";
import { texts } from "../../texts.js";
import { Button, Field, Time } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Dialog, confirm } from "../../ui/dialog.js";
import { Form } from "../../ui/form.js";
import { attempt, toast } from "../../ui/toast.js";
import { Section, Shown } from "../../ui/section.js";

const t = texts.account;
const PATH = "/api/me/identities";

export function Identities({ providers, hasPasswords }) {
  const list = useData((signal) => get(PATH, {}, { signal }), [], ["identities"]);
  const [back, setBack] = useState(() => cameBack("link"));
  if (!providers.length && !list.data?.identities.length) return null;
  const titled = (name) => providers.find((each) => each.name === name)?.title ?? name;
  const unlink = async (each) => {
    if (!await confirm(t.unlinkOne(titled(each.provider)), { text: t.unlinkText, label: t.unlink })) return;
    await attempt(() => remove(`${PATH}/${each.id}`));
    list.reload();
  };
  return html`
    <${Section} title=${t.identities} lead=${t.identitiesLead}>
      <${Shown} of=${list}>${({ identities }) => html`
        ${identities.length > 0 && html`<ul class="list">${identities.map((each) => html`
          <li key=${each.id} class="item">
            <div class="stack tight">
              <strong class="wrap">${titled(each.provider)}</strong>
              <div class="soft small wrap">${each.name} · ${t.lastUsed} <${Time} at=${each.used_at} /></div>
            </div>
            <${Button} small onClick=${() => unlink(each)}>${t.unlink}<//>
          </li>
        `)}</ul>`}
        <div class="row">${providers.map((each) => html`
          <${Button} key=${each.name} icon="link" onClick=${() => attempt(() => goTo(each, "link"))}>${t.link(each.title)}<//>
        `)}</div>
      `}<//>
      ${back && html`<${Link} back=${back} asksPassword=${hasPasswords} close=${() => { setBack(null); list.reload(); }} />`}
    <//>
  `;
}

// What came back from the provider is linked once one has shown that it is one's own account.
function Link({ back, asksPassword, close }) {
  if (back.error) {
    return html`<${Dialog} title=${t.link(back.title)} close=${close}><p class="form-error" role="alert">${back.error}</p><//>`;
  }
  const send = ({ password = "" }) => post(PATH, { code: back.code, code_verifier: back.verifier, password });
  return html`
    <${Dialog} title=${t.link(back.title)} close=${close}>
      <${Form} send=${send} done=${() => { close(); toast(t.linked(back.title)); }} cancel=${close} label=${t.linkLabel}
        places=${{ password: /not the right one/ }}>
        ${(errors) => html`
          <p>${t.linkText}</p>
          ${asksPassword && html`<${Field} label=${t.oldPassword} name="password" type="password" autocomplete="current-password"
            hint=${t.ifAny} error=${errors.password} />`}
        `}
      <//>
    <//>
  `;
}
