// A tool of an MCP server, or an A2A agent, that is asked itself.
import { post } from "../../api.js";
import { html, useEffect, useRef, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { Badge, Spinner } from "../../ui/basics.js";
import { SchemaForm } from "../../ui/schema-form.js";

const t = texts.agents;
const TEXT = { type: "object", properties: { text: { type: "string" } }, required: ["text"] };
const DONE = [null, "completed"]; // states of tasks; a message alone has none
const FAILED = ["failed", "rejected", "canceled"];
const IMAGES = /^image\/(png|jpeg|gif|webp)$/;

// {answer, isRunning, ask}: `ask(start)` keeps what `start(signal)` gives; who leaves waits no longer.
export function useOutsideAnswer() {
  const [state, setState] = useState({ answer: null, isRunning: false });
  const running = useRef(null);
  useEffect(() => () => running.current?.abort(), []);
  const ask = async (start) => {
    const controller = new AbortController();
    running.current = controller;
    setState({ answer: null, isRunning: true });
    try {
      setState({ answer: await start(controller.signal), isRunning: false });
    } catch (error) {
      if (controller.signal.aborted) return;
      setState({ answer: null, isRunning: false });
      throw error;
    }
  };
  return { ...state, ask };
}

// `outside` is what useOutsideAnswer gives, and outlives the tab.
export function AskOutside({ thing, outside }) {
  const { answer, isRunning, ask } = outside;
  const isTool = thing.kind === "mcp";
  const send = (given) => ask((signal) => (isTool
    ? post(`/api/mcp/servers/${thing.serverId}/tools/${thing.id}/call`, { arguments: given }, { signal })
    : post(`/api/a2a/agents/${thing.id}/send`, given, { signal })));
  return html`
    <div class="agents-ask">
      <section class="card stack">
        ${!thing.isActive && html`<p class="agents-guess">${t.outsideAway}</p>`}
        <${SchemaForm} schema=${isTool ? thing.parameters : TEXT} send=${send} label=${t.ask} isBusy=${isRunning} />
      </section>
      ${!answer && !isRunning ? html`<p class="soft agents-hint">${t.outsideHint}</p>` : html`
        <section class="card stack" aria-label=${texts.asked.label}>
          <div class="row"><h2>${texts.asked.label}</h2><${Mark} answer=${answer} /></div>
          <div class="stack" role="status" aria-live="polite">
            ${!answer ? html`<${Spinner} />` : isTool ? html`<${ToolAnswer} answer=${answer} />` : html`<${Texts} answer=${answer} />`}
          </div>
        </section>
      `}
    </div>
  `;
}

function Mark({ answer }) {
  if (!answer) return html`<${Badge} kind="accent">${texts.asked.running}<//>`;
  const { is_error: isError, state = null } = answer;
  if (isError || FAILED.includes(state)) return html`<${Badge} kind="bad">${texts.asked.failed}<//>`;
  return DONE.includes(state) ? html`<${Badge} kind="good">${texts.asked.answered}<//>` : html`<${Badge} kind="warn">${state}<//>`;
}

const Texts = ({ answer }) => html`
  ${answer.texts.map((text, at) => html`<div class="asked-answer wrap" key=${at}>${text}</div>`)}
  ${answer.others > 0 && html`<p class="soft">${t.otherParts(answer.others)}</p>`}
  ${answer.texts.length + answer.others === 0 && html`<p class="soft">${t.emptyAnswer}</p>`}
`;

function ToolAnswer({ answer }) {
  const { content, structured_content: structured } = answer;
  return html`
    ${content.map((part, at) => html`<${Part} key=${at} part=${part} />`)}
    ${content.length === 0 && structured === undefined && html`<p class="soft">${t.emptyAnswer}</p>`}
    ${structured !== undefined && html`
      <details open=${content.length === 0}>
        <summary>${t.structured}</summary>
        <pre class="code agents-schema" tabindex="0">${JSON.stringify(structured, null, 2)}</pre>
      </details>
    `}
  `;
}

function Part({ part }) {
  const { type, text, data, mime_type: mime = "", uri, name } = part;
  if (text !== undefined) return html`<div class="asked-answer wrap">${text}</div>`;
  if (type === "image" && data && IMAGES.test(mime)) return html`<img class="agents-image" src=${`data:${mime};base64,${data}`} alt=${t.image} />`;
  return html`<p class="soft wrap">${[t.parts[type], name, uri, mime].filter(Boolean).join(" · ")}</p>`;
}
