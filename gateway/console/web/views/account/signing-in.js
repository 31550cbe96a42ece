// How one signs in, and where one has.
import { get, post } from "../../api.js";
import { html } from "../../lib.js";
import { me } from "../../session.js";
import { texts } from "../../texts.js";
import { Badge, Field, Time } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Form, wrong } from "../../ui/form.js";
import { toast } from "../../ui/toast.js";
import { Identities } from "./identities.js";
import { Section, Shown } from "../../ui/section.js";
import { SignIns } from "./sign-ins.js";

const t = texts.account;

export function SigningIn() {
  const ways = useData((signal) => get("/api/login/providers", {}, { signal }));
  return html`
    <${Shown} of=${ways}>${({ password, providers, mail }) => html`
      <div class="columns">
        ${password && html`<${Password} />`}
        ${password && html`<${Email} isSent=${mail} />`}
        <${Identities} providers=${providers} hasPasswords=${password} />
        <${SignIns} providers=${providers} />
      </div>
    `}<//>
  `;
}

function Password() {
  const send = (values) => {
    if (values.new_password !== values.repeated) {
      throw wrong("repeated", texts.signIn.differ);
    }
    return post("/api/me/password", { old_password: values.old_password, new_password: values.new_password });
  };
  const done = ({ ended }, form) => {
    form.reset();
    toast(t.passwordChanged(ended));
  };
  return html`
    <${Section} title=${texts.signIn.password} lead=${t.passwordLead}>
      <${Form} send=${send} done=${done} label=${t.changePassword}
        places=${{ old_password: /not the right one/, new_password: /password/i }}>
        ${(errors) => html`
          <input type="hidden" name="username" autocomplete="username" value=${me.value?.username} />
          <${Field} label=${t.oldPassword} name="old_password" type="password" autocomplete="current-password" error=${errors.old_password} required />
          <${Field} label=${t.newPassword} name="new_password" type="password" autocomplete="new-password" hint=${texts.signIn.rules} error=${errors.new_password} required />
          <${Field} label=${t.newAgain} name="repeated" type="password" autocomplete="new-password" error=${errors.repeated} required />
        `}
      <//>
    <//>
  `;
}

function Email({ isSent }) {
  const email = useData((signal) => get("/api/me/email", {}, { signal }));
  if (!isSent && !email.data?.email) return null;
  const send = ({ email: address, password }) => post("/api/me/email", { email: address.trim() || null, password });
  const done = ({ unverified }, form) => {
    form.reset();
    email.reload();
    toast(unverified ? t.mailSent(unverified) : t.saved);
  };
  return html`
    <${Section} title=${t.mail} lead=${t.mailLead}>
      <${Shown} of=${email}>${(told) => html`
        <dl class="facts">
          <dt>${t.mailNow}</dt><dd class="row">${told.email ?? t.none}${told.email && html`<${Badge} kind="good">${t.verified}<//>`}</dd>
          ${told.verified_at && html`<dt>${t.verifiedAt}</dt><dd><${Time} at=${told.verified_at} /></dd>`}
          ${told.unverified && html`<dt>${t.mailNext}</dt><dd class="row">${told.unverified}<${Badge} kind="warn">${t.unverified}<//></dd>`}
        </dl>
        <${Form} send=${send} done=${done} label=${t.changeMail} places=${{ password: /not the right one/, email: /address/ }}>
          ${(errors) => html`
            <${Field} label=${texts.signIn.email} name="email" type="email" autocomplete="email" hint=${t.mailHint} error=${errors.email} />
            <${Field} label=${t.oldPassword} name="password" type="password" autocomplete="current-password" hint=${t.ifAny} error=${errors.password} />
          `}
        <//>
      `}<//>
    <//>
  `;
}
