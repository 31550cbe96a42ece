// What was done for an answer: its steps one below the other as long as they took, and what agents logged.
import { get } from "../../api.js";
import { html, signal, useEffect, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { Badge, Button, clock, duration, parseTime } from "../../ui/basics.js";
import { attempt } from "../../ui/toast.js";

const SHOWN_LOGS = 100; // of an agent, until earlier ones are asked for
const SHOWN_TEXT = 2000; // characters of an entry, of what a step was given or gave
const DEPTH = 6; // of steps in steps
const LEVELS = { error: "bad", critical: "bad", warning: "warn", warn: "warn" };

// What stays unfolded while it is out of sight.
const unfolded = new Set();

function useUnfolded(key, isOpen = false) {
  const [is, set] = useState(unfolded.has(key) || isOpen);
  return [is, (event) => {
    const { open } = event.currentTarget;
    if (open) unfolded.add(key);
    else unfolded.delete(key);
    set(open);
  }];
}

export function Work({ turn, talk, trace = [], isOpen }) {
  const steps = flat(trace);
  return html`
    ${steps.length > 0 && html`<${Steps} name=${`${turn.key}:steps`} steps=${steps} />`}
    ${(!isOpen || turn.logs.length > 0 || turn.said) && turn.requestId && html`<${Log} turn=${turn} talk=${talk} isOpen=${isOpen} />`}
  `;
}

// Steps and those within them, with their depth. What an agent calls a step may be anything.
function flat(trace, depth = 0) {
  if (!Array.isArray(trace) || depth > DEPTH) return [];
  return trace.filter((step) => step && typeof step === "object").flatMap((step) => [
    { step, depth },
    ...flat([step.agents_trace, step.trace, step.steps, step.flow].find(Array.isArray)?.filter((each) => typeof each === "object"), depth + 1),
  ]);
}

function Steps({ name, steps }) {
  const [is, toggle] = useUnfolded(name);
  const bars = is ? spans(steps) : null;
  const total = steps.reduce((sum, { step, depth }) => sum + (depth ? 0 : seconds(step) ?? 0), 0);
  return html`
    <details class="chat-work" open=${is} onToggle=${toggle}>
      <summary><span>${texts.chat.steps(steps.length)}</span>${total > 0 && html`<span class="soft small">${duration(total)}</span>`}</summary>
      ${bars && html`<ol class="chat-steps">${steps.map(({ step, depth }, at) => html`
        <${Step} key=${at} name=${`${name}:${at}`} step=${step} depth=${depth} bar=${bars[at]} />`)}</ol>`}
    </details>
  `;
}

const seconds = (step) => (Number.isFinite(step.execution_time) && step.execution_time >= 0 ? step.execution_time : null);

// Where each step's bar begins and how long it is, in percent: by its times, or one after the other; null where none is known.
function spans(steps) {
  let now = 0;
  const parents = [];
  const known = steps.map(({ step, depth }) => {
    const length = seconds(step);
    const told = [step.started_at, step.start_time, step.created_at].find((each) => each !== undefined && each !== null);
    const time = typeof told === "number" ? told * 1000 : told ? parseTime(String(told)).getTime() : NaN;
    parents.length = depth;
    const begin = depth ? parents[depth - 1] ?? 0 : now;
    parents[depth] = begin;
    if (depth) parents[depth - 1] = begin + (length ?? 0);
    else now += length ?? 0;
    return { begin, length, time: time / 1000 };
  });
  const timed = known.every(({ time, length }) => Number.isFinite(time) && length !== null);
  const first = timed ? Math.min(...known.map(({ time }) => time)) : 0;
  if (timed) for (const each of known) each.begin = each.time - first;
  const end = Math.max(...known.map(({ begin, length }) => begin + (length ?? 0)));
  if (!(end > 0)) return known.map(() => null);
  return known.map(({ begin, length }) => (length === null ? null : { left: `${(begin / end) * 100}%`, width: `${(length / end) * 100}%` }));
}

function Step({ name, step, depth, bar }) {
  const [is, toggle] = useUnfolded(name);
  const isBad = step.is_success === false;
  return html`
    <li style=${{ paddingLeft: `${depth}rem` }}>
      <details open=${is} onToggle=${toggle}>
        <summary class="chat-step">
          <span class="chat-step-name clip">${String(step.name ?? step.id ?? "–")}</span>
          ${step.type && html`<span class="soft small clip">${texts.agents.kinds[step.type] ?? String(step.type)}</span>`}
          ${isBad && html`<${Badge} kind="bad">${texts.chat.failed}<//>`}
          <span class="chat-bar">${bar && html`<span class=${isBad ? "is-bad" : ""} style=${bar}></span>`}</span>
          <span class="chat-step-time soft small">${seconds(step) === null ? "" : duration(seconds(step))}</span>
        </summary>
        ${is && html`<dl class="chat-step-more">
          ${[["input", texts.chat.input], ["output", texts.chat.output]].map(([key, label]) => step[key] !== undefined && html`
            <dt class="soft small">${label}</dt><dd><${Long} text=${asText(step[key])} /></dd>`)}
        </dl>`}
      </details>
    </li>
  `;
}

const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

// A text as it is, of which the rest is shown when that is asked for.
function Long({ text }) {
  const [isWhole, setWhole] = useState(false);
  const isCut = text.length > SHOWN_TEXT && !isWhole;
  return html`<pre class="chat-long" tabindex="0">${isCut ? `${text.slice(0, SHOWN_TEXT)} …` : text}</pre>
    ${isCut && html`<${Button} small kind="plain" onClick=${() => setWhole(true)}>${texts.chat.showAll(text.length.toLocaleString("en"))}<//>`}`;
}

function Log({ turn, talk, isOpen }) {
  const [is, toggle] = useUnfolded(`${turn.key}:log`);
  const [isRead, setRead] = useState(Boolean(isOpen));
  useEffect(() => {
    if (!is) return;
    readNames();
    if (!isRead) attempt(() => talk.readLog(turn)).then(setRead);
  }, [is]);
  const agents = is ? byAgent(turn) : [];
  return html`
    <details class="chat-work" open=${is} onToggle=${toggle}>
      <summary><span>${texts.chat.log}</span>${turn.logs.length > 0 && html`<span class="soft small">${texts.chat.entries(turn.logs.length)}</span>`}</summary>
      ${is && isRead && !agents.length && html`<p class="soft small">${texts.chat.noLog}</p>`}
      <ul class="chat-agents">${agents.map(([agent, { entries, said }]) => html`
        <${Agent} key=${agent} name=${`${turn.key}:log:${agent}`} agent=${agent} entries=${entries} said=${said} />`)}</ul>
    </details>
  `;
}

function byAgent({ logs, said }) {
  const agents = new Map();
  const of = (agent) => {
    if (!agents.has(agent)) agents.set(agent, { entries: [], said: "" });
    return agents.get(agent);
  };
  for (const entry of logs) of(entry.agent_id ?? "").entries.push(entry);
  for (const [agent, text] of Object.entries(said ?? {})) of(agent).said = text;
  return [...agents];
}

function Agent({ name, agent, entries, said }) {
  const [is, toggle] = useUnfolded(name, true);
  const [most, setMost] = useState(SHOWN_LOGS);
  const hidden = Math.max(0, entries.length - most);
  return html`
    <li><details open=${is} onToggle=${toggle}>
      <summary>${names.value[agent] ?? (agent && /^[\da-f-]{36}$/.test(agent) ? agent : texts.chat.masterAgent)}
        <span class="soft small">${texts.chat.entries(entries.length)}</span></summary>
      ${hidden > 0 && html`<${Button} small kind="plain" onClick=${() => setMost(most * 10)}>${texts.chat.showLogs(Math.min(hidden, most * 9))}<//>`}
      <ol class="chat-log">${is && entries.slice(hidden).map((entry) => html`
        <li key=${entry.created_at}>
          <time class="soft small">${clock(parseTime(entry.created_at))}</time>
          <${Badge} kind=${LEVELS[entry.log_level?.toLowerCase()]}>${entry.log_level}<//>
          <${Long} text=${entry.message} />
        </li>`)}</ol>
      ${said && html`<pre class="chat-long" tabindex="0">${said.slice(-SHOWN_TEXT)}</pre>`}
    </details></li>
  `;
}

// What agents are called, by their ids; read when it is first wanted.
const names = signal({});
let reading = null;
function readNames() {
  reading ??= get("/api/agents", { limit: 1000 })
    .then((agents) => { names.value = Object.fromEntries(agents.map(({ agent_id: id, agent_name: name }) => [id, name])); })
    .catch(() => { reading = null; }); // ids are shown, until it is tried again
}
