// Accounts that are being deleted, or were in the last 30 days: how far that is.
import { html } from "../../lib.js";
import { texts } from "../../texts.js";
import { Badge, Empty, Page, Time } from "../../ui/basics.js";
import { List, usePages } from "../shared/pages.js";

const words = texts.users;
// Names of whom this page has deleted: the service tells ids only.
const names = new Map();
export const remember = (id, name) => names.set(id, name);

const COLUMNS = [
  [words.name, ({ user_id: id }) => html`<span class=${`wrap ${names.has(id) ? "" : "mono"}`}>${names.get(id) ?? id}</span>`],
  [words.state, ({ step, ended_at: ended }) => (ended
    ? html`<${Badge} kind="good">${words.deleted}<//>`
    : html`<${Badge} kind="warn">${words.removing(step)}<//>`)],
  [words.removed, ({ counts }) => html`<span class="wrap">${Object.entries(counts).filter(([, count]) => count).map(([kind, count]) => words.count(kind, count)).join(", ") || "–"}</span>`],
  [words.begun, (deletion) => html`<${Time} at=${deletion.since} />`],
  [words.done, (deletion) => html`<${Time} at=${deletion.ended_at} />`],
];

export function Deletions() {
  const pages = usePages("/api/account-deletions", {}, { every: 1000 });
  return html`
    <${Page} title=${words.deletions} lead=${words.deletionsText} back="users">
      <${List} pages=${pages} label=${words.deletions} columns=${COLUMNS} keyOf=${(deletion) => deletion.user_id}
        empty=${html`<${Empty} icon="trash" title=${words.noDeletions} />`} />
    <//>
  `;
}
