// Who has not signed in does so here: by password, by a provider, or as somebody new.
import { get, post } from "../../api.js";
import { html, useEffect, useState } from "../../lib.js";
import { cameBack, goTo } from "../../oidc.js";
import { reason, take } from "../../session.js";
import { texts } from "../../texts.js";
import { Button, Failed, Field, Loading } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Form, wrong } from "../../ui/form.js";
import { attempt } from "../../ui/toast.js";

const t = texts.signIn;
const anonymous = { anonymous: true };

function signIn({ username, password }) {
  reason.value = ""; // what was said before this
  return post("/api/login/access-token", new URLSearchParams({ username, password, scope: "offline_access" }), anonymous);
}

async function register({ username, password }) {
  await post("/api/register", { username, password }, anonymous);
  return signIn({ username, password });
}

const askLink = ({ email }) => post("/api/password-reset/mail", { email }, anonymous);

export default function SignIn() {
  const [step, setStep] = useState("enter");
  const ways = useData((signal) => get("/api/login/providers", {}, { signal, anonymous: true }));
  const isFinishing = useReturn();
  const to = (next) => () => { reason.value = ""; setStep(next); };
  const Step = { enter: Enter, register: Register, forgotten: Forgotten, sent: Sent }[step];
  return html`
    <main class="sign-in">
      <div class="sign-in-brand"><img src=${new URL("../../icon.svg", import.meta.url).href} alt="" />${texts.title}</div>
      <section class="card sign-in-card">
        ${isFinishing ? html`<${Loading} />`
          : ways.data ? html`<${Step} ways=${ways.data} to=${to} />`
            : ways.error ? html`<${Failed} error=${ways.error} again=${ways.reload} />` : html`<${Loading} />`}
      </section>
    </main>
  `;
}

// Takes what a provider has given, where one has just come back from there.
function useReturn() {
  const [back, setBack] = useState(() => cameBack("sign-in"));
  useEffect(() => {
    if (!back) return;
    const { title, code, verifier, error } = back;
    const grant = () => post("/api/login/oidc/token", new URLSearchParams({ code, code_verifier: verifier }), anonymous);
    (error ? Promise.reject(new Error(error)) : grant()).then((tokens) => take(tokens), (problem) => {
      reason.value = t.failedAt(title, problem.message);
      setBack(null);
    });
  }, [back]);
  return Boolean(back);
}

function Enter({ ways, to }) {
  const { password, providers, mail } = ways;
  return html`
    <h1>${t.title}</h1>
    ${reason.value && html`<p class="form-error wrap" role="alert">${reason.value}</p>`}
    ${password && html`
      <${Form} send=${signIn} done=${(tokens) => take(tokens)} label=${t.title} class="is-wide">
        ${(errors) => html`
          <${Field} label=${t.name} name="username" autocomplete="username" autocapitalize="none" spellcheck=${false}
            error=${errors.username} required autofocus />
          <${Field} label=${t.password} name="password" type="password" autocomplete="current-password"
            error=${errors.password} required />
          ${mail && html`<button type="button" class="sign-in-link" onClick=${to("forgotten")}>${t.forgotten}</button>`}
        `}
      <//>
    `}
    ${password && providers.length > 0 && html`<div class="sign-in-or">${t.or}</div>`}
    ${providers.map((each) => html`
      <${Button} key=${each.name} icon="key" onClick=${() => attempt(() => goTo(each, "sign-in"))}>${t.by(each.title)}<//>
    `)}
    ${!password && !providers.length && html`<p class="soft">${t.noWay}</p>`}
    ${password && html`<${Foot} says=${t.isNew} label=${t.register} onClick=${to("register")} />`}
  `;
}

function Register({ to }) {
  const send = (values) => {
    if (values.password !== values.repeated) throw wrong("repeated", t.differ);
    return register(values);
  };
  return html`
    <h1>${t.register}</h1>
    <p class="soft">${t.registerLead}</p>
    <${Form} send=${send} done=${(tokens) => take(tokens)} label=${t.register} class="is-wide"
      places=${{ username: /^User /, password: /password/i }}>
      ${(errors) => html`
        <${Field} label=${t.name} name="username" autocomplete="username" autocapitalize="none" spellcheck=${false}
          error=${errors.username} required autofocus />
        <${Field} label=${t.password} name="password" type="password" autocomplete="new-password" hint=${t.rules}
          error=${errors.password} required />
        <${Field} label=${t.repeated} name="repeated" type="password" autocomplete="new-password"
          error=${errors.repeated} required />
      `}
    <//>
    <${Foot} says=${t.hasOne} label=${t.title} onClick=${to("enter")} />
  `;
}

function Forgotten({ to }) {
  return html`
    <h1>${t.forgottenTitle}</h1>
    <p class="soft">${t.forgottenLead}</p>
    <${Form} send=${askLink} done=${to("sent")} label=${t.sendLink} class="is-wide">
      ${(errors) => html`
        <${Field} label=${t.email} name="email" type="email" autocomplete="email" error=${errors.email} required autofocus />
      `}
    <//>
    <${Foot} label=${t.back} onClick=${to("enter")} />
  `;
}

const Sent = ({ to }) => html`
  <h1>${t.forgottenTitle}</h1>
  <p role="status">${t.sent}</p>
  <${Foot} label=${t.back} onClick=${to("enter")} />
`;

const Foot = ({ says, label, onClick }) => html`
  <p class="sign-in-foot">${says && html`<span class="soft">${says}</span>`}
    <button type="button" class="sign-in-link" onClick=${onClick}>${label}</button></p>
`;
