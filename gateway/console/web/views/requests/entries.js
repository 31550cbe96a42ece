// Requests, one below the other.
import { html } from "../../lib.js";
import { href } from "../../router.js";
import { texts } from "../../texts.js";
import { Badge, Time, duration, parseTime } from "../../ui/basics.js";

const t = texts.requests;
const KINDS = { queued: "warn", running: "accent", answered: "good", failed: "bad", timed_out: "bad", interrupted: "bad" };

export const Status = ({ status }) => html`<${Badge} kind=${KINDS[status]}>${t.states[status] ?? status}<//>`;

// Whom a request asks: `names` as `loadNames` gives them.
export const askedOf = ({ asked_id }, names) => (asked_id ? names?.asked.get(asked_id) || t.someAgent : t.master);

export const Entries = ({ requests, names }) => html`
  <ul class="requests-list">${requests.map((each) => html`
    <li key=${each.request_id}>
      <a class="requests-entry" href=${href("requests", each.request_id)}>
        <${Status} status=${each.status} />
        <span class="requests-what wrap">
          ${names?.chats.get(each.session_id) ?? t.unnamed}
          <span class="soft small requests-asked">${each.error ?? askedOf(each, names)}</span>
        </span>
        <span class="soft small requests-took">${each.ended_at && duration((parseTime(each.ended_at) - parseTime(each.created_at)) / 1000)}</span>
        <span class="soft small requests-when"><${Time} at=${each.created_at} /></span>
      </a>
    </li>
  `)}</ul>
`;
