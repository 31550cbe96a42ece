// The page: who has not signed in does so first, and then sees one view beside the navigation.
import { get } from "./api.js";
import { isAway } from "./changes.js";
import { html, render, useEffect, useState } from "./lib.js";
import "./oidc.js"; // takes what a provider says out of the address
import { href, route } from "./router.js";
import { isSignedIn, me, signInId } from "./session.js";
import { texts } from "./texts.js";
import "./theme.js";
import { Button, Failed, Loading } from "./ui/basics.js";
import { useData } from "./ui/data.js";
import { Confirmations } from "./ui/dialog.js";
import { Icon } from "./ui/icons.js";
import { Proving } from "./ui/proving.js";
import { Toasts } from "./ui/toast.js";

// Each view is a module that is loaded when it is first seen: its default export is drawn with {path, query}.
const VIEWS = {
  chat: () => import("./views/chat/view.js"),
  agents: () => import("./views/agents/view.js"),
  flows: () => import("./views/flows/view.js"),
  models: () => import("./views/models/view.js"),
  servers: () => import("./views/servers/view.js"),
  requests: () => import("./views/requests/view.js"),
  parts: () => import("./views/parts/view.js"),
  users: () => import("./views/users/view.js"),
  usage: () => import("./views/usage/view.js"),
  audit: () => import("./views/audit/view.js"),
  account: () => import("./views/account/view.js"),
};
const loadSignIn = () => import("./views/sign-in/view.js");
const EVERYBODYS = ["chat", "agents", "flows", "models", "servers", "requests"];
const ADMINISTRATORS = ["parts", "users", "usage", "audit"];

function App() {
  if (!isSignedIn()) return html`<${Loaded} key="sign-in" load=${loadSignIn} /><${Toasts} />`;
  return html`<${Shell} key=${signInId.value} /><${Confirmations} /><${Proving} /><${Toasts} />`;
}

function Shell() {
  const [isOpen, setOpen] = useState(false);
  const { path, query } = route.value;
  const name = Object.hasOwn(VIEWS, path[0] ?? "") ? path[0] : "chat";
  const { data, error, reload } = useData((signal) => get("/api/me", {}, { signal }));
  useEffect(() => { if (data) me.value = data; }, [data]);
  useEffect(() => {
    setOpen(false);
    document.title = `${texts.nav[name]} · ${texts.title}`;
  }, [name, path.join("/")]);
  useEffect(() => {
    if (!isOpen) return undefined;
    const close = (event) => { if (event.key === "Escape") setOpen(false); };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, [isOpen]);
  return html`
    <div class="shell">
      <a class="shell-skip button is-primary" href="#view" onClick=${skip}>${texts.skip}</a>
      <header class="shell-top">
        <${Button} kind="plain" icon="menu" label=${texts.nav.label} aria-expanded=${String(isOpen)} onClick=${() => setOpen(!isOpen)} />
        ${texts.nav[name]}
      </header>
      <nav class=${`shell-nav ${isOpen ? "is-open" : ""}`} aria-label=${texts.nav.label}>
        <div class="shell-brand"><img src=${new URL("icon.svg", import.meta.url).href} alt="" />${texts.title}</div>
        ${EVERYBODYS.map((each) => html`<${Link} name=${each} chosen=${name} />`)}
        ${me.value?.role === "admin" && html`
          <div class="shell-heading">${texts.nav.administration}</div>
          ${ADMINISTRATORS.map((each) => html`<${Link} name=${each} chosen=${name} />`)}
        `}
        <div class="shell-foot">
          <a class="shell-link" href=${new URL("../docs", import.meta.url).href}><${Icon} name="docs" />${texts.nav.docs}</a>
          <${Link} name="account" chosen=${name} label=${me.value?.username} />
        </div>
      </nav>
      ${isOpen && html`<div class="shell-veil" onClick=${() => setOpen(false)}></div>`}
      <div class="shell-main">
        ${isAway.value && html`<div class="shell-away" role="status"><${Icon} name="warn" />${texts.away}</div>`}
        <main class="shell-view" id="view" tabindex="-1">
          ${error && !data ? html`<${Failed} error=${error} again=${reload} />`
            : html`<${Loaded} key=${name} load=${VIEWS[name]} path=${path.slice(1)} query=${query} />`}
        </main>
      </div>
    </div>
  `;
}

const Link = ({ name, chosen, label }) => html`
  <a class="shell-link" href=${href(name)} aria-current=${name === chosen ? "page" : undefined}>
    <${Icon} name=${name} /><span class="clip">${label ?? texts.nav[name]}</span>
  </a>
`;

function skip(event) {
  event.preventDefault(); // the address names a view
  document.getElementById("view").focus();
}

function Loaded({ load, ...given }) {
  const { data, error, reload } = useData(() => load().catch(explain), [load]);
  if (error) return html`<${Failed} error=${error} again=${reload} />`;
  return data ? html`<${data.default} ...${given} />` : html`<${Loading} />`;
}

// Browsers say that a module can't be had in words of their own.
function explain(error) {
  throw error instanceof TypeError ? new Error(texts.away) : error;
}

render(html`<${App} />`, document.getElementById("app"));
