// Log entries of agents.
import { html } from "../lib.js";
import { texts } from "../texts.js";
import { clock, parseTime } from "./basics.js";

const LOUD = { error: "is-bad", critical: "is-bad", warning: "is-warn" };

// `nameOf(agentId)` says whose an entry is.
export const Logs = ({ logs, nameOf }) => html`
  <ol class="logs" aria-label=${texts.logs.label}>
    ${logs.map((log, at) => html`
      <li key=${at} class=${`logs-entry ${LOUD[log.log_level] ?? ""}`}>
        <time class="logs-time" datetime=${parseTime(log.created_at).toISOString()}>${clock(parseTime(log.created_at))}</time>
        ${nameOf && html`<span class="logs-name clip">${nameOf(log.agent_id)}</span>`}
        <span class="logs-level">${log.log_level}</span>
        <span class="wrap">${log.message}</span>
      </li>
    `)}
  </ol>
`;
