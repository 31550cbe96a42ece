// Who one is, and how the console looks.
import { get, patch } from "../../api.js";
import { html } from "../../lib.js";
import { me } from "../../session.js";
import { texts } from "../../texts.js";
import { theme } from "../../theme.js";
import { Badge, Copy, Field, Loading, Time } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Form } from "../../ui/form.js";
import { toast } from "../../ui/toast.js";
import { Section, Shown } from "../../ui/section.js";

const t = texts.account;

export function Profile() {
  return html`
    <div class="columns">
      ${me.value ? html`<${Who} who=${me.value} />` : html`<${Loading} />`}
      <${Colours} />
      ${me.value && html`<${Names} id=${me.value.id} />`}
    </div>
  `;
}

const Who = ({ who }) => html`
  <${Section} title=${who.username} actions=${who.role === "admin" && html`<${Badge} kind="accent">${t.admin}<//>`}>
    <dl class="facts">
      <dt>${t.since}</dt><dd><${Time} at=${who.created_at} /></dd>
      <dt>${t.id}</dt><dd class="row"><span class="mono">${who.id}</span><${Copy} text=${who.id} /></dd>
    </dl>
  <//>
`;

const Colours = () => html`
  <${Section} title=${texts.theme.label}>
    <div class="account-choice" role="radiogroup" aria-label=${texts.theme.label}>
      ${["system", "light", "dark"].map((each) => html`
        <label key=${each} class="check">
          <input type="radio" name="theme" value=${each} checked=${theme.value === each} onChange=${() => { theme.value = each; }} />
          ${texts.theme[each]}
        </label>
      `)}
    </div>
  <//>
`;

function Names({ id }) {
  const profile = useData((signal) => get(`/api/profiles/${id}`, {}, { signal }), [id]);
  const send = (names) => patch(`/api/profiles/${id}`, Object.fromEntries(
    Object.entries(names).map(([name, text]) => [name, text.trim() || null]),
  ));
  return html`
    <${Section} title=${t.names} lead=${t.namesLead}>
      <${Shown} of=${profile}>${({ first_name, last_name }) => html`
        <${Form} send=${send} done=${() => toast(t.saved)}>
          ${(errors) => html`
            <${Field} label=${t.firstName} name="first_name" defaultValue=${first_name ?? ""} autocomplete="given-name" error=${errors.first_name} />
            <${Field} label=${t.lastName} name="last_name" defaultValue=${last_name ?? ""} autocomplete="family-name" error=${errors.last_name} />
          `}
        <//>
      `}<//>
    <//>
  `;
}
