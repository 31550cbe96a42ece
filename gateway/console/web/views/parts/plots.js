// The last hour, curve by curve.
import { html } from "../../lib.js";
import { texts } from "../../texts.js";
import { bytes, duration } from "../../ui/basics.js";
import { Plot } from "../shared/plot.js";
import { columns } from "./history.js";

const { plots, curves, waitingForPoints } = texts.parts;
const MIB = 1024 ** 2;
const STEPS = Array.from({ length: 20 }, (_, power) => MIB * 2 ** power);

// [title, [[name of a column, label], …], what is given to Plot besides]
const PLOTS = [
  [plots.rates, [["http", curves.http], ["frames", curves.frames]], { least: 1 }],
  [plots.chats, [["chats", curves.chats]], { least: 5 }],
  [plots.errors, [["refused", curves.refused, "--bad"], ["failed", curves.failed, "--warn"]], { least: 5 }],
  [plots.queue, [["running", curves.running], ["waiting", curves.waiting, "--warn"]], { least: 5 }],
  [plots.http, [["http50", curves.half], ["http99", curves.most, "--warn"]], { format: duration, least: 0.01 }],
  [plots.chat, [["chat50", curves.half], ["chat99", curves.most, "--warn"]], { format: duration, least: 0.1 }],
  [plots.lag, [["lagGateways", curves.gateways], ["lagBridges", curves.bridges]], { format: duration, least: 0.01 }],
  [plots.memory, [["memoryGateways", curves.gateways], ["memoryBridges", curves.bridges]], { format: bytes, least: 64 * MIB, steps: STEPS }],
];

export function Plots({ asTable }) {
  const now = columns.value;
  if (now.at.length < 2) return html`<p class="soft">${waitingForPoints}</p>`;
  return html`
    <div class="parts-plots">
      ${PLOTS.map(([title, series, options]) => html`
        <div class="card" key=${title}>
          <${Plot} title=${title} group="parts" asTable=${asTable} ...${options}
            series=${series.map(([, label, colour]) => ({ label, colour }))}
            data=${[now.at, ...series.map(([name]) => now[name])]} />
        </div>
      `)}
    </div>
  `;
}
