// Buttons, badges, states, times.
import { html, signal, useEffect, useId, useState } from "../lib.js";
import { href } from "../router.js";
import { texts } from "../texts.js";
import { Icon } from "./icons.js";

// `kind`: primary, danger, plain or none. With `href` a link. `label` names what shows an icon only.
export function Button({ kind, icon, label, small, href, busy, children, class: more = "", ...rest }) {
  const isIcon = icon && !children;
  const name = ["button", kind && `is-${kind}`, small && "is-small", isIcon && "is-icon", more];
  const inner = html`${busy ? html`<${Spinner} />` : icon && html`<${Icon} name=${icon} />`}${children}`;
  const common = { class: name.filter(Boolean).join(" "), "aria-label": label, title: isIcon ? label : undefined };
  return href
    ? html`<a ...${common} href=${href} ...${rest}>${inner}</a>`
    : html`<button type="button" ...${common} disabled=${busy || rest.disabled} ...${rest}>${inner}</button>`;
}

// `kind`: good, warn, bad, accent or none.
export const Badge = ({ kind, children }) => html`<span class=${`badge ${kind ? `is-${kind}` : ""}`}>${children}</span>`;

export const Spinner = () => html`<span class="spinner" aria-hidden="true"></span>`;

export const Loading = () => html`<div class="state" role="status"><${Spinner} /><p>${texts.loading}</p></div>`;

// What is shown where a list is empty: what it is for, and how to begin.
export const Empty = ({ icon = "file", title, children, action }) => html`
  <div class="state"><${Icon} name=${icon} /><h2>${title}</h2><p>${children}</p>${action}</div>
`;

export const Failed = ({ error, again }) => html`
  <div class="state is-bad" role="alert">
    <${Icon} name="warn" /><p class="wrap">${error.message}</p>
    ${again && html`<${Button} icon="again" onClick=${again}>${texts.again}<//>`}
  </div>
`;

// A view with its title; `actions` stand at the right, and above it the way `back` to the view of this name.
export const Page = ({ title, lead, actions, back, children }) => html`
  <div class="page">
    <header class="page-head">
      ${back && html`<div class="page-back"><a href=${href(back)}><${Icon} name="left" />${texts.nav[back]}</a></div>`}
      <h1>${title}</h1>${actions}
    </header>
    ${lead && html`<p class="page-lead">${lead}</p>`}
    ${children}
  </div>
`;

// `tabs`: [[id, label], …]. The arrow keys lead from one to the next.
export function Tabs({ tabs, chosen, choose, label }) {
  const onKeyDown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = (tabs.findIndex(([id]) => id === chosen) + step + tabs.length) % tabs.length;
    choose(tabs[at][0]);
    event.currentTarget.children[at].focus();
  };
  return html`
    <div class="tabs" role="tablist" aria-label=${label} onKeyDown=${onKeyDown}>
      ${tabs.map(([id, name]) => html`
        <button key=${id} type="button" class="tab" role="tab" aria-selected=${String(id === chosen)}
          tabindex=${id === chosen ? 0 : -1} onClick=${() => choose(id)}>${name}</button>
      `)}
    </div>
  `;
}

// Times of the API are UTC without saying so.
export const parseTime = (text) => new Date(/Z|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);

// "5 Nov 2026, 18:02:25", and "18:02:25".
export const moment = (time) => time.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
export const clock = (time) => time.toLocaleTimeString("en-GB");

const now = signal(Date.now());
setInterval(() => { now.value = Date.now(); }, 10_000);
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS = [["day", 86_400], ["hour", 3600], ["minute", 60]];

// "3 minutes ago", with the exact time for who looks closer.
export function Time({ at }) {
  if (!at) return html`<span class="soft">–</span>`;
  const time = parseTime(at);
  const seconds = (time - now.value) / 1000;
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ["second", 1];
  const shown = Math.abs(seconds) < 10 ? texts.justNow
    : Math.abs(seconds) > 30 * 86_400 ? time.toLocaleDateString("en-GB", { dateStyle: "medium" })
      : relative.format(Math.round(seconds / size), unit);
  return html`<time datetime=${time.toISOString()} title=${moment(time)}>${shown}</time>`;
}

// Seconds as people say them: "380 ms", "4.2 s", "3 min 5 s".
export function duration(seconds) {
  if (seconds > 0 && seconds < 0.001) return "< 1 ms";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export function bytes(size) {
  const units = ["B", "KiB", "MiB", "GiB"];
  const at = size < 1 ? 0 : Math.min(Math.floor(Math.log2(size) / 10), units.length - 1);
  return `${(size / 1024 ** at).toFixed(at ? 1 : 0)} ${units[at]}`;
}

export function Copy({ text, label = texts.actions.copy, small = true }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return html`<${Button} small=${small} icon=${isCopied ? "check" : "copy"} onClick=${copy}>${isCopied ? texts.actions.copied : label}<//>`;
}

// One field of a form: `error` is what the service says of it.
export function Field({ label, hint, error, as = "input", children, class: more = "", ...rest }) {
  const id = useId();
  const told = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  const common = { id, class: `input ${more}`, "aria-invalid": error ? "true" : undefined, "aria-describedby": told, ...rest };
  const control = as === "select" ? html`<select ...${common}>${children}</select>`
    : as === "textarea" ? html`<textarea ...${common}></textarea>` : html`<input ...${common} />`;
  return html`
    <div class="field">
      <label class="field-label" for=${id}>${label}</label>
      ${control}
      ${hint && html`<div class="field-hint" id=${`${id}-hint`}>${hint}</div>`}
      ${error && html`<div class="field-error" id=${`${id}-error`}>${error}</div>`}
    </div>
  `;
}

export const Check = ({ label, ...rest }) => html`<label class="check"><input type="checkbox" ...${rest} />${label}</label>`;
