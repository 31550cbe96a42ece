// When each step of a request was, and how long it took.
import { html, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { clock, duration, moment, parseTime } from "../../ui/basics.js";
import { useInterval } from "../../ui/data.js";
import { isOpen } from "./load.js";

const t = texts.requests;
// The steps in their order, by where the API says when they were.
const STEPS = [
  ["accepted", "created_at"],
  ["claimed", "claimed_at"],
  ["sent", "sent_at"],
  ["composed", "composed_at"],
  ["parts", "first_part_at"],
  ["lastPart", "last_part_at"],
  ["answered", "ended_at"],
  ["delivered", "delivered_at"],
];

export function Timeline({ request }) {
  const [now, setNow] = useState(Date.now());
  useInterval(() => { if (isOpen(request)) setNow(Date.now()); }, 1000);
  const known = STEPS.filter(([, field]) => request[field]).map(([step, field]) => ({
    step: step === "answered" && request.status !== "answered" ? request.status : step, at: parseTime(request[field]),
  }));
  const first = known[0].at;
  const whole = Math.max((isOpen(request) ? now : known.at(-1).at) - first, 1);
  return html`
    <ol class="requests-steps">
      ${known.map(({ step, at }, index) => {
        const since = (at - (known[index - 1]?.at ?? first)) / 1000;
        const begin = ((known[index - 1]?.at ?? first) - first) / whole;
        return html`
          <li key=${step} class="requests-step">
            <span class="requests-step-name">${t.steps[step] ?? t.states[step]}</span>
            <span class="requests-bar" aria-hidden="true">
              <span class="requests-bar-fill" style=${{ marginLeft: `${begin * 100}%`, width: `${((at - first) / whole - begin) * 100}%` }}></span>
            </span>
            <time class="soft small requests-step-time" datetime=${at.toISOString()} title=${moment(at)}>
              ${index === 0 ? clock(at) : `+ ${duration(since)}`}
            </time>
          </li>
        `;
      })}
      ${isOpen(request) && html`
        <li class="requests-step is-waiting" key="waiting">
          <span class="requests-step-name">${t.states[request.status]} …</span>
          <span class="requests-bar" aria-hidden="true">
            <span class="requests-bar-fill" style=${{ marginLeft: `${((known.at(-1).at - first) / whole) * 100}%`, flex: 1 }}></span>
          </span>
          <span class="soft small requests-step-time">${duration((now - known.at(-1).at) / 1000)}</span>
        </li>
      `}
    </ol>
  `;
}
