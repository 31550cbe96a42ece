// Who did what to which object, for administrators; the filters stand in the address.
import { html, useState } from "../../lib.js";
import { replace } from "../../router.js";
import { texts } from "../../texts.js";
import { Button, Field, Page } from "../../ui/basics.js";
import { UserField } from "../shared/user-field.js";
import { ACTIONS } from "./actions.js";
import { Entries } from "./entries.js";

const words = texts.audit;

export default function Audit({ query }) {
  const [anew, setAnew] = useState(0);
  const narrow = (changes) => replace("audit", { ...query, ...changes });
  const isNarrow = Object.values(query).some(Boolean);
  const given = (name, label, type) => html`
    <${Field} label=${label} type=${type} value=${query[name] ?? ""} autocomplete="off" onChange=${(event) => narrow({ [name]: event.currentTarget.value.trim() })}
      error=${faultOf(name, query[name])} />
  `;
  const isRight = ["object_id", "since", "until"].every((name) => !faultOf(name, query[name]));
  return html`
    <${Page} title=${texts.nav.audit} lead=${words.lead}>
      <div class="audit-filters" key=${anew} role="search" aria-label=${words.filters}>
        <${UserField} label=${words.who} chosen=${query.user_id} choose=${(id) => narrow({ user_id: id })} />
        <${Field} as="select" label=${words.action} value=${query.action ?? ""} onChange=${(event) => narrow({ action: event.currentTarget.value })}>
          <option value="">${words.every}</option>
          ${ACTIONS.map((each) => html`<option key=${each} value=${each}>${each}</option>`)}
        <//>
        ${given("object_id", words.object)}
        ${given("since", words.since, "datetime-local")}
        ${given("until", words.until, "datetime-local")}
        ${isNarrow && html`<${Button} onClick=${() => { replace("audit"); setAnew(anew + 1); }}>${words.clear}<//>`}
      </div>
      ${isRight && html`<${Entries} query=${{ ...query, since: utc(query.since), until: utc(query.until) }} narrow />`}
    <//>
  `;
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const utc = (local) => (local ? new Date(local).toISOString() : undefined);

function faultOf(name, value) {
  if (!value) return undefined;
  if (name === "object_id") return ID.test(value) ? undefined : words.noId;
  return Number.isNaN(Date.parse(value)) ? words.noTime : undefined;
}
