// A plot over time, by uPlot: it follows its frame's width and the page's colours, and is told as a table too.
import { html, useEffect, useRef, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { theme } from "../../theme.js";
import uPlot from "../../vendor/uplot.js";

const HEIGHT = 150; // px
const ROWS = 30; // of a table, evenly taken
const COLOURS = ["--accent", "--good", "--warn", "--bad", "--text-soft"];

// `series`: [{label, colour?}]; `data`: [seconds since 1970, …values or null of each series], oldest first.
// `format(value)` and `when(seconds)` say values and times in words; `bars` draws days, `stacked` one upon the other;
// `least` is the least height of the scale in values, `steps` those that its lines may have. Plots of one `group` show the same time where one is pointed at.
export function Plot({ title, series, data, format = plain, when = clock, bars, stacked, least = 0, steps, group, asTable }) {
  const [at, setAt] = useState(null);
  const last = data[0].length - 1;
  const shown = at === null || at > last ? last : at;
  return html`
    <figure class="plot">
      <figcaption class="plot-head">
        <h3>${title}</h3>
        ${at !== null && last >= 0 && html`<span class="soft small">${when(data[0][shown])}</span>`}
      </figcaption>
      <ul class="plot-legend">
        ${series.map(({ label, colour }, each) => html`
          <li key=${label}>
            <span class="plot-mark" style=${{ background: `var(${colour ?? COLOURS[each]})` }}></span>
            <span class="soft">${label}</span> <b>${said(data[each + 1][shown], format)}</b>
          </li>
        `)}
      </ul>
      ${asTable
        ? html`<${Table} ...${{ title, series, data, format, when }} />`
        : html`<${Canvas} ...${{ title, series, data, format, when, bars, stacked, least, steps, group, setAt }} />`}
    </figure>
  `;
}

function Canvas({ title, series, data, format, when, bars, stacked, least, steps, group, setAt }) {
  const drawn = stacked ? piled(data) : data;
  const frame = useRef(null);
  const plot = useRef(null);
  useEffect(() => {
    const place = frame.current;
    const made = new uPlot(options(place.clientWidth, { series, format, when, bars, least, steps, group, setAt }), drawn, place);
    plot.current = made;
    const sizes = new ResizeObserver(() => made.setSize({ width: place.clientWidth, height: HEIGHT }));
    sizes.observe(place);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const redraw = () => made.redraw(true);
    dark.addEventListener("change", redraw);
    const stop = theme.subscribe(() => requestAnimationFrame(redraw));
    return () => {
      stop();
      dark.removeEventListener("change", redraw);
      sizes.disconnect();
      made.destroy();
    };
  }, []);
  const last = data[0].length - 1;
  useEffect(() => { plot.current.setData(drawn); }, [data, data[0][last], last]);
  return html`<div class="plot-frame" ref=${frame} role="img" aria-label=${summary(title, series, data, format)}></div>`;
}

function options(width, { series, format, when, bars, least, steps, group, setAt }) {
  const axis = { stroke: () => colour("--text-soft"), font: `12px ${FONT}`, ticks: { show: false }, grid: { stroke: () => colour("--line"), width: 1 } };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    padding: [8, 24, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, sync: group ? { key: group } : undefined, points: { size: 6 } },
    hooks: { setCursor: [(made) => setAt(made.cursor.idx ?? null)] },
    scales: {
      x: { time: false, range: bars ? (_, from, to) => [from - 43_200, to + 43_200] : (_, from, to) => [Math.min(from, to - 60), to] },
      y: { range: (_, from, to) => [0, Math.max((to ?? 0) * 1.1, least) || 1] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 32, gap: 10, space: 70, incrs: bars ? DAYS : TIMES, values: (_, values) => values.map(when) },
      { ...axis, size: 64, space: 32, ...(steps ? { incrs: steps } : {}), values: (_, values) => values.map((value) => format(value)) },
    ],
    series: [{}, ...series.map((each, index) => ({
      label: each.label,
      width: 1.75,
      stroke: () => colour(each.colour ?? COLOURS[index]),
      fill: bars ? () => colour(each.colour ?? COLOURS[index]) : index === 0 ? () => colour("--accent-soft") : undefined,
      paths: bars ? uPlot.paths.bars({ size: [0.7, 28] }) : undefined,
      points: bars ? { show: false } : { size: 3 },
    }))],
  };
}

const TIMES = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
const DAYS = [1, 2, 7, 14, 30, 60, 90].map((days) => days * 86_400);
const FONT = getComputedStyle(document.body).fontFamily;
const painted = document.createElement("i");
// A variable as a colour that a canvas knows: light or dark, as the page is now.
function colour(name) {
  if (!painted.isConnected) document.body.append(painted);
  painted.style.color = `var(${name})`;
  return getComputedStyle(painted).color;
}
const plain = (value) => value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 });
const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en-GB");
const said = (value, format) => (value === null || value === undefined ? "–" : format(value));

// Each with what stands below it: the first one is drawn first, and is the highest.
function piled([at, ...columns]) {
  return [at, ...columns.map((_, from) => at.map((__, row) => columns.slice(from).reduce((sum, column) => sum + (column[row] ?? 0), 0)))];
}

function summary(title, series, data, format) {
  const each = series.map(({ label }, index) => {
    const values = data[index + 1].filter((value) => value !== null);
    return values.length
      ? texts.plot.summary(label, format(values.at(-1)), format(Math.max(...values)))
      : texts.plot.nothing(label);
  });
  return `${title}. ${each.join(" ")}`;
}

function Table({ title, series, data, format, when }) {
  const step = Math.max(1, Math.ceil(data[0].length / ROWS));
  const rows = data[0].map((_, at) => at).filter((at) => (data[0].length - 1 - at) % step === 0).reverse();
  return html`
    <div class="plot-table" tabindex="0" role="region" aria-label=${title}>
      <table class="table">
        <thead><tr><th scope="col">${texts.plot.time}</th>${series.map(({ label }) => html`<th scope="col" class="is-number">${label}</th>`)}</tr></thead>
        <tbody>
          ${rows.map((at) => html`
            <tr key=${data[0][at]}>
              <th scope="row">${when(data[0][at])}</th>
              ${series.map((_, each) => html`<td class="is-number">${said(data[each + 1][at], format)}</td>`)}
            </tr>
          `)}
        </tbody>
      </table>
    </div>
  `;
}
