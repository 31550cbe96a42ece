// Requests, one below the other.
import { html } from "../../lib.js";
import { href } from "../../router.js";
import { texts } from "../../texts.js";
import { Badge, Time, duration } from "../../ui/basics.js";

const t = texts.requests;
const KINDS = { queued: "warn", running: "accent", answered: "good", failed: "bad", timed_out: "bad", interrupted: "bad" };

export const Status = ({ status }) => html`<${Badge} kind=${KINDS[status]}>${t.states[status] ?? status}<//>`;

export const Entries = ({ requests }) => html`
  <ul class="requests-list">${requests.map((each) => html`
    <li key=${each.request_id}>
      <a class="requests-entry" href=${href("requests", each.request_id)}>
        <${Status} status=${each.status} />
        <span class="requests-what wrap">${each.error ?? each.message ?? each.title ?? each.session_id}</span>
        <span class="soft small requests-took">${each.execution_time === null ? "" : duration(each.execution_time)}</span>
        <span class="soft small requests-when"><${Time} at=${each.created_at} /></span>
      </a>
    </li>
  `)}</ul>
`;
