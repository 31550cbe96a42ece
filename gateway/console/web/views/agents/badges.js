// How agents are told apart at a glance.
import { html } from "../../lib.js";
import { texts } from "../../texts.js";
import { Badge, Time } from "../../ui/basics.js";

export const State = ({ thing, withTime }) => html`
  <span class="row">
    <${Badge} kind=${thing.isActive ? "good" : undefined}>${thing.isActive ? texts.agents.active : texts.agents.inactive}<//>
    ${withTime && html`<span class="soft small">${texts.agents.since} <${Time} at=${thing.since} /></span>`}
  </span>
`;

export const Kind = ({ kind }) => html`<span class="soft small">${texts.agents.kinds[kind]}</span>`;
