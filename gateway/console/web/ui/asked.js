// What became of something that was asked: its log entries and its answer, as they come.
import { html } from "../lib.js";
import { href } from "../router.js";
import { texts } from "../texts.js";
import { Badge, Button, Spinner, duration } from "./basics.js";
import { Files } from "./files.js";
import { Logs } from "./logs.js";
import { attempt } from "./toast.js";

// `asking` is what useAsking gives.
export function Asked({ asking, nameOf }) {
  const { asked, logs, parts, answer, error, isRunning, cancel } = asking;
  if (!asked && !isRunning) return null;
  const going = Object.values(parts).at(-1);
  return html`
    <section class="card stack" aria-label=${texts.asked.label}>
      <div class="row row-between">
        <div class="row">
          <h2>${texts.asked.label}</h2>
          ${isRunning && html`<${Badge} kind="accent">${texts.asked.running}<//>`}
          ${answer && (answer.is_success && !error ? html`<${Badge} kind="good">${texts.asked.answered}<//>` : html`<${Badge} kind="bad">${texts.asked.failed}<//>`)}
          ${answer && html`<span class="soft small">${duration(answer.execution_time)}</span>`}
        </div>
        ${asked && html`<div class="row">
          <${Button} small kind="plain" href=${href("requests", asked.request_id)}>${texts.asked.request}<//>
          ${isRunning && html`<${Button} small icon="stop" onClick=${() => attempt(cancel)}>${texts.asked.cancel}<//>`}
        </div>`}
      </div>
      ${logs.length > 0 && html`<${Logs} logs=${logs} nameOf=${nameOf} />`}
      <div class="asked-answer wrap" role="status" aria-live="polite">
        ${answer ? answer.response.response : going || (isRunning ? html`<${Spinner} />` : "")}
      </div>
      ${!answer && error && html`<div class="form-error wrap" role="alert">${error}</div>`}
      <${Files} files=${answer?.files} />
    </section>
  `;
}
