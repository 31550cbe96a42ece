// What one user has used in some days: sums, budget, plots, and tables by day and by model.
import { get } from "../../api.js";
import { html, useRef, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { Empty, Failed, Field, Loading, Tabs } from "../../ui/basics.js";
import { useData, useInterval } from "../../ui/data.js";
import { Table } from "../shared/pages.js";
import { Plot } from "../shared/plot.js";
import { SPANS, columnsOf, compact, dayOf, price, sumBy, whole } from "./days.js";

const words = texts.usage;
const MOST = 1000; // lines of days and models that an answer has

export const COLUMNS = [
  [words.requests, (sum) => whole(sum.requests), "number"],
  [words.input, (sum) => whole(sum.input_tokens), "number"],
  [words.cached, (sum) => whole(sum.cached_tokens), "number"],
  [words.output, (sum) => whole(sum.output_tokens), "number"],
  [words.price, (sum) => html`${sum.requests ? price(sum.price) : "–"}${sum.price !== null && sum.unpriced_requests > 0 && html`<div class="small soft">${words.unpriced(sum.unpriced_requests)}</div>`}`, "number"],
];

// `children` stand before the choice of days.
export function Report({ userId, children }) {
  const [span, setSpan] = useState("month");
  const [table, setTable] = useState("day");
  const before = useRef(null);
  const { data, error, reload } = useData(
    (signal) => get("/api/usage", { user_id: userId, limit: MOST, ...SPANS[span]() }, { signal }), [userId, span],
  );
  useInterval(reload, 10_000);
  const key = `${userId} ${span}`;
  if (data) before.current = { key, report: data };
  const report = error && before.current?.key !== key ? null : before.current?.report;
  if (!report) return html`${children}${error ? html`<${Failed} error=${error} again=${reload} />` : html`<${Loading} />`}`;
  return html`
    <div class="usage-head">
      ${children}
      <${Field} as="select" label=${words.span} value=${span} onChange=${(event) => setSpan(event.currentTarget.value)}>
        ${Object.keys(SPANS).map((each) => html`<option key=${each} value=${each}>${words.spans[each]}</option>`)}
      <//>
      <span class="soft small">${words.utc(report.from_day, report.to_day)}</span>
    </div>
    <${Sums} total=${report.total} />
    ${report.budget && html`<${Budget} budget=${report.budget} />`}
    ${report.days.length === 0 ? html`<${Empty} icon="usage" title=${words.none}>${words.noneText}<//>` : html`
      <${Plots} key=${span} report=${report} />
      <${Tabs} label=${words.tables} tabs=${[["day", words.byDay], ["model", words.byModel]]} chosen=${table} choose=${setTable} />
      ${report.days.length === MOST && html`<p class="soft">${words.cut(MOST)}</p>`}
      ${table === "day"
        ? html`<${Table} label=${words.byDay} keyOf=${(sum) => sum.day} rows=${sumBy(report.days, "day")} columns=${[[words.day, (sum) => sum.day], ...COLUMNS]} />`
        : html`<${Table} label=${words.byModel} keyOf=${(sum) => sum.model} rows=${sumBy(report.days, "model").sort((one, other) => (other.price ?? -1) - (one.price ?? -1))}
            columns=${[[words.model, (sum) => html`<span class="wrap">${sum.model || words.noModel}</span>`], ...COLUMNS]} />`}
    `}
  `;
}

const Sums = ({ total }) => html`
  <dl class="usage-sums">
    ${[
      [words.requests, whole(total.requests)],
      [words.input, whole(total.input_tokens), words.ofCache(whole(total.cached_tokens))],
      [words.output, whole(total.output_tokens)],
      [words.price, total.requests ? price(total.price) : "–", total.unpriced_requests > 0 && words.unpriced(total.unpriced_requests)],
    ].map(([label, value, more]) => html`
      <div class="card" key=${label}><dt>${label}</dt><dd>${value}</dd>${more && html`<dd class="usage-more">${more}</dd>`}</div>
    `)}
  </dl>
`;

function Budget({ budget: { monthly, spent } }) {
  const share = monthly > 0 ? Math.min(1, spent / monthly) : 1;
  const kind = share >= 1 ? "is-bad" : share >= 0.8 ? "is-warn" : "";
  return html`
    <section class="card stack" aria-label=${words.budget}>
      <div class="row row-between"><h2>${words.budget}</h2><span>${words.spent(price(spent), price(monthly))}</span></div>
      <div class=${`usage-meter ${kind}`} role="meter" aria-label=${words.budget} aria-valuemin="0" aria-valuemax=${monthly} aria-valuenow=${Math.min(spent, monthly)}>
        <div style=${{ width: `${share * 100}%` }}></div>
      </div>
      ${share >= 1 && html`<p class="soft">${words.allSpent}</p>`}
    </section>
  `;
}

const Plots = ({ report }) => html`
  <div class="usage-plots">
    <div class="card">
      <${Plot} bars title=${words.price} series=${[{ label: words.aDay }]} data=${columnsOf(report, ["price"])} format=${price} when=${dayOf} group="usage" />
    </div>
    <div class="card">
      <${Plot} bars stacked title=${words.tokens} series=${[{ label: words.input }, { label: words.output }]}
        data=${columnsOf(report, ["input_tokens", "output_tokens"])} format=${compact} when=${dayOf} group="usage" />
    </div>
  </div>
`;
