// What one has used in a month.
import { get } from "../../api.js";
import { html, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { Button, Empty } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Section, Shown } from "../../ui/section.js";

const t = texts.account;
const whole = new Intl.NumberFormat("en");
const usd = new Intl.NumberFormat("en", { style: "currency", currency: "USD", maximumFractionDigits: 4 });
const named = new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" });
const price = (value) => (value === null ? "–" : usd.format(value));

export function Usage() {
  const [ago, setAgo] = useState(0); // months
  const [from, to] = month(ago);
  const report = useData((signal) => get("/api/usage", { from_day: from, to_day: to, limit: 1000 }, { signal }), [ago], ago ? [] : ["usage"]);
  return html`
    <${Section} title=${named.format(new Date(from))} actions=${html`
      <div class="row">
        <${Button} small icon="left" label=${t.monthBefore} onClick=${() => setAgo(ago + 1)} />
        <${Button} small icon="right" label=${t.monthAfter} disabled=${ago === 0} onClick=${() => setAgo(ago - 1)} />
      </div>
    `}>
      <${Shown} of=${report}>${({ total, budget, days }) => html`
        ${budget && html`<${Budget} of=${budget} />`}
        ${days.length === 0 ? html`<${Empty} icon="usage" title=${t.noUsage}>${t.noUsageText}<//>` : html`
          <dl class="account-numbers">
            <div><dt>${t.requests}</dt><dd>${whole.format(total.requests)}</dd></div>
            <div><dt>${t.input}</dt><dd>${whole.format(total.input_tokens)}</dd></div>
            <div><dt>${t.output}</dt><dd>${whole.format(total.output_tokens)}</dd></div>
            <div><dt>${t.price}</dt><dd>${price(total.price)}</dd></div>
          </dl>
          <${Days} days=${days} />
        `}
      `}<//>
    <//>
  `;
}

const Budget = ({ of }) => html`
  <div class="stack tight">
    <div class="row row-between"><span>${t.budget}</span><span>${usd.format(of.spent)} / ${usd.format(of.monthly)}</span></div>
    <meter class="account-meter" min="0" max=${of.monthly || 1} high=${0.9 * of.monthly} value=${of.spent} aria-label=${t.budget}></meter>
  </div>
`;

function Days({ days }) {
  const most = Math.max(...days.map((each) => each.input_tokens + each.output_tokens), 1);
  return html`
    <div class="table-frame"><table class="table">
      <thead><tr><th>${t.day}</th><th>${t.model}</th><th class="is-number">${t.requests}</th><th class="is-number">${t.tokens}</th><th><span class="unseen">${t.tokens}</span></th><th class="is-number">${t.price}</th></tr></thead>
      <tbody>${days.map((each) => html`
        <tr key=${`${each.day} ${each.model}`}>
          <td>${each.day}</td><td class="wrap">${each.model}</td>
          <td class="is-number">${whole.format(each.requests)}</td>
          <td class="is-number">${whole.format(each.input_tokens + each.output_tokens)}</td>
          <td class="account-bar-cell"><span class="account-bar" style=${{ width: `${100 * (each.input_tokens + each.output_tokens) / most}%` }}></span></td>
          <td class="is-number">${price(each.price)}</td>
        </tr>
      `)}</tbody>
    </table></div>
  `;
}

// The first and the last day of a month, so many before this one, by UTC as the service counts.
function month(ago) {
  const now = new Date();
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - ago, 1));
  const last = ago ? new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)) : now;
  return [first, last].map((each) => each.toISOString().slice(0, 10));
}
