// What an agent said of itself.
import { html } from "../../lib.js";
import { href } from "../../router.js";
import { texts } from "../../texts.js";
import { Copy, Time } from "../../ui/basics.js";

const t = texts.agents;

export const Overview = ({ thing }) => html`
  <div class="stack agents-overview">
    <section class="card stack">
      <h2>${t.saysOfItself}</h2>
      <p class="wrap agents-lines">${thing.description || t.saysNothing}</p>
      ${thing.skills?.length > 0 && html`
        <h3>${t.skills}</h3>
        <ul class="stack">${thing.skills.map((skill, at) => html`
          <li key=${at}><strong>${text(skill?.name)}</strong> <span class="soft wrap">${text(skill?.description)}</span></li>
        `)}</ul>
      `}
      ${thing.parameters && html`<h3>${t.takes}</h3><${Parameters} parameters=${thing.parameters} />`}
    </section>
    <section class="card">
      <dl class="facts">
        <dt>${t.alias}</dt><dd class="mono">${thing.alias}</dd>
        <dt>${t.id}</dt><dd class="row"><span class="mono wrap">${thing.id}</span><${Copy} text=${thing.id} /></dd>
        ${thing.url && html`<dt>${t.server}</dt><dd class="wrap"><a href=${href("servers", thing.kind, thing.serverId)}>${thing.url}</a></dd>`}
        <dt>${t.created}</dt><dd><${Time} at=${thing.created} /></dd>
        <dt>${t.changed}</dt><dd><${Time} at=${thing.since} /></dd>
      </dl>
    </section>
    <details class="card">
      <summary>${thing.kind === "a2a" ? t.card : t.schema}</summary>
      <pre class="code agents-schema" tabindex="0">${JSON.stringify(thing.schema, null, 2)}</pre>
    </details>
  </div>
`;

function Parameters({ parameters }) {
  const names = Object.entries(parameters.properties);
  const required = Array.isArray(parameters.required) ? parameters.required : [];
  if (names.length === 0) return html`<p class="soft">${t.takesNothing}</p>`;
  return html`
    <div class="table-frame"><table class="table">
      <thead><tr><th>${t.parameter}</th><th>${t.type}</th><th>${t.meaning}</th></tr></thead>
      <tbody>${names.map(([name, rule]) => html`
        <tr key=${name}>
          <td class="mono wrap">${name}${required.includes(name) ? "" : html`<span class="soft"> ${texts.schema.optional}</span>`}</td>
          <td class="wrap">${typeOf(rule)}</td>
          <td class="wrap">${text(rule?.description)}</td>
        </tr>
      `)}</tbody>
    </table></div>
  `;
}

const text = (value) => (typeof value === "string" ? value : "");

function typeOf(rule) {
  if (Array.isArray(rule?.enum)) return rule.enum.map((each) => JSON.stringify(each)).join(" | ");
  const types = rule?.type ?? (rule?.anyOf ?? rule?.oneOf)?.map?.((each) => each?.type ?? "…");
  return [types ?? "…"].flat().map(String).join(" | ");
}
