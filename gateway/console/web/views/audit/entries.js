// Entries of the audit log, the newest first, read again while one looks.
import { html, useState } from "../../lib.js";
import { href } from "../../router.js";
import { texts } from "../../texts.js";
import { Badge, Empty, moment, parseTime } from "../../ui/basics.js";
import { Icon } from "../../ui/icons.js";
import { List, usePages } from "../shared/pages.js";

const words = texts.audit;
const LOUD = { "sign_in.failed": "warn", "sign_in.copied": "bad", "user.locked": "bad", "user.deleted": "bad", "user.deletion_begun": "bad", "user.role_changed": "accent" };

// With `narrow` a link leads to what else was done to an object.
export function Entries({ query, narrow = false }) {
  const [open, setOpen] = useState(null);
  const pages = usePages("/api/audit", query, { every: 3000 });
  const columns = [
    [words.when, ({ at }) => html`<time class="audit-time" datetime=${parseTime(at).toISOString()}>${moment(parseTime(at))}</time>`],
    [words.what, ({ action }) => html`<${Badge} kind=${LOUD[action]}>${action}<//>`],
    [words.by, (entry) => html`<${Person} id=${entry.actor_id} name=${entry.actor} otherwise=${words.via[entry.via] ?? entry.via} />`],
    [words.whose, (entry) => html`<${Person} id=${entry.owner_id} name=${entry.owner} otherwise="–" />`],
    [words.from, ({ address }) => html`<span class="mono">${address || "–"}</span>`],
    [words.details, (entry) => html`<${Summary} entry=${entry} isOpen=${open === entry.id} toggle=${() => setOpen(open === entry.id ? null : entry.id)} />`],
  ];
  return html`
    <${List} pages=${pages} label=${texts.nav.audit} columns=${columns} below=${(entry) => open === entry.id && html`<${Whole} entry=${entry} narrow=${narrow} />`}
      empty=${html`<${Empty} icon="audit" title=${words.none}>${words.noneText}<//>`} />
  `;
}

function Person({ id, name, otherwise }) {
  if (!id) return html`<span class="soft audit-nobody">${otherwise}</span>`;
  return name ? html`<a class="clip audit-person" title=${name} href=${href("users", id)}>${name}</a>` : html`<span class="mono soft" title=${id}>${words.left(id.slice(0, 8))}</span>`;
}

function Summary({ entry, isOpen, toggle }) {
  const told = Object.entries(entry.details).map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`).join(", ");
  return html`
    <button type="button" class="audit-summary" aria-expanded=${String(isOpen)} onClick=${toggle}>
      <${Icon} name=${isOpen ? "down" : "right"} /><span class="clip">${told || words.show}</span>
    </button>
  `;
}

const Whole = ({ entry, narrow }) => html`
  <pre class="code audit-whole">${JSON.stringify(entry, null, 2)}</pre>
  ${narrow && entry.object_id && html`<a href=${href("audit", { object_id: entry.object_id })}>${words.sameObject}</a>`}
`;
