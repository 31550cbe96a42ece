// A question and its answer.
import { html, signal, useEffect, useRef, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { Badge, Button, Copy, Spinner, duration, moment } from "../../ui/basics.js";
import { attempt } from "../../ui/toast.js";
import { Files } from "./files.js";
import { toHtml } from "./markdown.js";
import { answerOf, isOpen } from "./turns.js";
import { Work } from "./work.js";

const SHOWN = 20_000; // characters of a text, until all of it is asked for
const PACE_MS = 80; // between two drawings of a text that grows

export function Turn({ turn, talk, isFound }) {
  const files = talk.files.value[turn.requestId] ?? turn.files;
  return html`
    <div class=${`chat-turn ${isFound ? "is-found" : ""}`}>
      ${turn.text !== null && html`<article class="chat-question" aria-label=${texts.chat.you}>
        <div class="chat-bubble"><${Text} text=${turn.text} /></div>
        <${Files} files=${files.filter((file) => !file.from_agent)} isAgents=${false} />
        ${turn.at !== null && html`<${At} at=${turn.at} />`}
      </article>`}
      <article class="chat-answer" aria-label=${texts.chat.assistant} aria-busy=${String(isOpen(turn))}>
        ${isOpen(turn) ? html`<${Open} turn=${turn} talk=${talk} />` : html`<${Ended} turn=${turn} talk=${talk} files=${files} />`}
      </article>
    </div>
  `;
}

const hours = { hour: "2-digit", minute: "2-digit" };

function At({ at }) {
  const time = new Date(at);
  const isToday = time.toDateString() === new Date().toDateString();
  const shown = time.toLocaleString("en-GB", isToday ? hours : { day: "numeric", month: "short", year: "numeric", ...hours });
  return html`<time class="chat-at" datetime=${time.toISOString()} title=${moment(time)}>${shown}</time>`;
}

function Open({ turn, talk }) {
  return html`
    ${turn.partial && html`<${Text} text=${turn.partial} grows />`}
    <div class="row chat-state">
      <${Spinner} /><span class="soft">${texts.chat[turn.state]}</span>
      <${Button} small kind="plain" icon="stop" onClick=${() => attempt(() => talk.cancel(turn))}>${texts.chat.cancel}<//>
    </div>
    <${Work} turn=${turn} talk=${talk} isOpen />
  `;
}

function Ended({ turn, talk, files }) {
  const answer = answerOf(turn);
  const isGood = answer?.is_success && !turn.error;
  const again = turn.text !== null && !isGood && html`
    <${Button} small kind="plain" icon="again" onClick=${() => attempt(() => talk.again(turn))}>${texts.chat.sendAgain}<//>`;
  if (!answer) {
    if (turn.text === null) return null;
    return html`<div class="row chat-state"><${Badge} kind="warn">${turn.state === "refused" ? texts.chat.refused : texts.chat.noAnswer}<//>
      ${turn.error && html`<span class="wrap">${turn.error}</span>`}${again}</div>`;
  }
  return html`
    ${!isGood && html`<div class="row"><${Badge} kind="bad">${texts.chat.failed}<//></div>`}
    <${Text} text=${answer.response} />
    <${Files} files=${files.filter((file) => file.from_agent !== false)} isAgents=${true} />
    <div class="row chat-state">
      <${Copy} text=${answer.response} label=${texts.chat.copyAnswer} />
      ${again}
      ${turn.seconds > 0 && html`<span class="soft small">${duration(turn.seconds)}</span>`}
    </div>
    <${Work} turn=${turn} talk=${talk} trace=${answer.agents_trace} />
  `;
}

// Texts that were asked for as a whole stay so when they are seen again.
const unfolded = signal(new Set());

export function Text({ text, grows }) {
  const isCut = text.length > SHOWN && !unfolded.value.has(text);
  const shown = usePaced(isCut ? (grows ? text.slice(-SHOWN) : text.slice(0, SHOWN)) : text, grows);
  return html`
    <div class="chat-text" onClick=${onCopy} dangerouslySetInnerHTML=${{ __html: toHtml(shown) }}></div>
    ${isCut && !grows && html`<${Button} small onClick=${() => { unfolded.value = new Set([...unfolded.value, text]); }}>
      ${texts.chat.showAll(text.length.toLocaleString("en"))}<//>`}
  `;
}

// A text that grows is drawn a few times a second, however often it does.
function usePaced(text, isPaced) {
  const [shown, show] = useState(text);
  const latest = useRef(text);
  const timer = useRef(null);
  latest.current = text;
  useEffect(() => {
    if (!isPaced || timer.current || shown === text) return;
    timer.current = setTimeout(() => {
      timer.current = null;
      show(latest.current);
    }, PACE_MS + latest.current.length / 100);
  }, [text, shown]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return isPaced ? shown : text;
}

// The buttons of blocks of code stand in what was made of Markdown.
async function onCopy({ target }) {
  const button = target.closest?.(".chat-copy");
  if (!button) return;
  await attempt(() => navigator.clipboard.writeText(button.closest(".chat-code").querySelector("code").textContent));
  button.textContent = texts.actions.copied;
  setTimeout(() => { button.textContent = texts.actions.copy; }, 2000);
}
