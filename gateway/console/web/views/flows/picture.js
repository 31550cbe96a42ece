// A flow as boxes and arrows, which are dragged into their order.
import { html } from "../../lib.js";
import { texts } from "../../texts.js";
import { Badge, Button, Spinner } from "../../ui/basics.js";
import { Icon } from "../../ui/icons.js";

const t = texts.flows;
const PROGRESS = { done: ["check", t.done], failed: ["warn", t.failed] };

// `members` are {key, thing}; `progress` says of each where it is, if the flow runs. Without `change` it is only shown.
export function Picture({ canvas, members, progress, drag, start, change }) {
  const move = (at, step) => {
    const moved = members.toSpliced(at, 1).toSpliced(at + step, 0, members[at]);
    change(moved);
    // The button that was pressed goes along with its box.
    requestAnimationFrame(() => canvas.current?.querySelector(`[data-member="${members[at].key}"] [data-step="${step}"]`)?.focus());
  };
  const over = drag?.over ?? null;
  return html`
    <ol class=${`flows-picture ${over === null ? "" : "is-over"}`} ref=${canvas} aria-label=${t.members}>
      ${members.length === 0 && html`<li class="flows-none soft">${t.none}</li>`}
      ${members.map(({ key, thing }, at) => html`
        <li key=${key} class=${`flows-place ${over === at ? "is-before" : ""} ${over === members.length && at === members.length - 1 ? "is-after" : ""}`}>
          ${at > 0 && html`<span class="flows-arrow" aria-hidden="true"><${Icon} name="right" /></span>`}
          <div data-member=${key} class=${`flows-box ${thing.isActive ? "" : "is-inactive"} ${drag?.from === at ? "is-dragged" : ""} is-${progress?.[at] ?? "idle"}`}
            onPointerDown=${change && ((event) => !event.target.closest("button") && start(event, { from: at, thing }))}>
            <span class=${`row flows-box-head ${change ? "is-movable" : ""}`}>
              ${change && html`<${Icon} name="grip" />`}<span class="soft small">${at + 1} · ${texts.agents.kinds[thing.kind]}</span>
            </span>
            <strong class="wrap">${thing.name || t.unknown}</strong>
            <span class="soft small flows-said wrap">${thing.description}</span>
            <div class="row row-between flows-box-foot">
              <${Step} state=${progress?.[at]} thing=${thing} />
              ${change && html`
                <div class="row flows-box-actions">
                  <${Button} small kind="plain" icon="left" label=${t.earlier(thing.name, at + 1)} data-step="-1" disabled=${at === 0} onClick=${() => move(at, -1)} />
                  <${Button} small kind="plain" icon="right" label=${t.later(thing.name, at + 1)} data-step="1" disabled=${at === members.length - 1} onClick=${() => move(at, 1)} />
                  <${Button} small kind="plain" icon="trash" label=${t.remove(thing.name, at + 1)} onClick=${() => change(members.toSpliced(at, 1))} />
                </div>
              `}
            </div>
          </div>
        </li>
      `)}
    </ol>
  `;
}

function Step({ state, thing }) {
  if (state === "working") return html`<span class="row small"><${Spinner} />${t.working}</span>`;
  if (state in PROGRESS) return html`<span class="row small flows-progress"><${Icon} name=${PROGRESS[state][0]} />${PROGRESS[state][1]}</span>`;
  return thing.isActive ? html`<span></span>` : html`<${Badge} kind="warn">${texts.agents.inactive}<//>`;
}

export const Ghost = ({ drag }) => drag && html`
  <div class="flows-ghost" aria-hidden="true" style=${{ transform: `translate(${drag.x}px, ${drag.y}px)` }}>${drag.thing.name || t.unknown}</div>
`;
