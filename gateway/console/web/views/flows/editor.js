// One flow: who is in it, in which order, and how it runs.
import { ApiError, patch, post, remove } from "../../api.js";
import { html, useRef, useState } from "../../lib.js";
import { go, href } from "../../router.js";
import { texts } from "../../texts.js";
import { Badge, Button, Empty, Failed, Field, Loading, Page } from "../../ui/basics.js";
import { useAsking } from "../../ui/asking.js";
import { useData } from "../../ui/data.js";
import { confirm } from "../../ui/dialog.js";
import { Form } from "../../ui/form.js";
import { Share } from "../../ui/share.js";
import { attempt, toast } from "../../ui/toast.js";
import { Publish } from "../agents/publish.js";
import { useDragging } from "./dragging.js";
import { KINDS, loadFlows, membersOf } from "./load.js";
import { Palette } from "./palette.js";
import { Ghost, Picture } from "./picture.js";
import { progressOf } from "./progress.js";
import { Run } from "./run.js";

const t = texts.flows;
const NEW = { id: null, name: "", description: "", flow: [] };

export function Editor({ id }) {
  const { data, error, reload } = useData(loadFlows, [], KINDS);
  if (!data) return html`<${Page} title=${texts.nav.flows} back="flows">${error ? html`<${Failed} error=${error} again=${reload} />` : html`<${Loading} />`}<//>`;
  const flow = id ? data.flows.find((each) => each.id === id) : NEW;
  if (!flow) {
    return html`<${Page} title=${texts.nav.flows} back="flows">
      <${Empty} icon="flows" title=${t.gone} action=${html`<${Button} href=${href("flows")}>${texts.actions.back}<//>`} />
    <//>`;
  }
  return html`<${Flow} flow=${flow} things=${data.things} reload=${reload} />`;
}

let next = 0;
const keyed = (member) => ({ ...member, key: next++ });

function Flow({ flow, things, reload }) {
  const canvas = useRef(null);
  // What is changed here, {key, id, kind} each; null while it is as it is stored.
  const [draft, setDraft] = useState(null);
  const [stored] = useState(() => new Map());
  const [dialog, open] = useState(null);
  const asking = useAsking();
  const listed = draft ?? keptKeys(flow, stored);
  const whole = membersOf(listed.map(({ id, kind }) => ({ id, type: kind })), things, Boolean(flow.owner) && flow.is_active);
  const members = listed.map(({ key }, at) => ({ key, thing: whole[at] }));
  const change = (changed) => setDraft(changed.map(({ key, thing }) => ({ key, id: thing.id, kind: thing.kind })));
  const insert = (thing, at) => change(members.toSpliced(at, 0, keyed({ thing })));
  const { drag, start } = useDragging(canvas, ({ from, thing, over }) => {
    if (from === undefined) insert(thing, over);
    else change(members.toSpliced(from, 1).toSpliced(over > from ? over - 1 : over, 0, members[from]));
  });
  const isMine = !flow.owner;
  const away = members.filter(({ thing }) => !thing.isActive);
  const progress = asking.asked ? progressOf(members.map(({ thing }) => thing), asking) : null;

  const send = async ({ name, description }) => {
    if (members.length < 2) throw new ApiError(0, t.two);
    const body = { name, description, flow: members.map(({ thing }) => ({ id: thing.id, type: thing.kind })) };
    return flow.id ? patch(`/api/agentflows/${flow.id}`, body) : post("/api/agentflows/register", body);
  };
  const done = async (answer) => {
    toast(t.saved);
    if (!flow.id) return go("flows", answer.id);
    await reload();
    return setDraft(null);
  };
  const close = () => open(null);
  const actions = html`
    <div class="row">
      ${flow.id && isMine && html`
        <${Button} icon="link" onClick=${() => open("publish")}>${texts.agents.publish}<//>
        <${Button} icon="users" onClick=${() => open("share")}>${texts.agents.share}<//>
        <${Button} kind="danger" icon="trash" onClick=${() => drop(flow)}>${texts.actions.delete}<//>
      `}
    </div>
  `;
  return html`
    <${Page} title=${flow.name || t.new} actions=${actions} back="flows">
      ${flow.id && html`<div class="row page-about">
        <${Badge} kind=${flow.is_active ? "good" : "warn"}>${flow.is_active ? texts.agents.active : texts.agents.inactive}<//>
        ${away.length > 0 && isMine && html`<span class="soft small wrap">${t.away(away.map(({ thing }) => thing.name || t.unknown))}</span>`}
        ${flow.owner && html`<span class="soft small">${texts.agents.sharedBy(flow.owner)}</span>`}
      </div>`}
      <div class=${isMine ? "flows-editor" : "stack"}>
        <div class="stack">
          <${Picture} canvas=${canvas} members=${members} progress=${progress} drag=${drag} start=${start} change=${isMine ? change : undefined} />
          ${isMine && html`
            <section class="card">
              <${Form} send=${send} done=${done} label=${flow.id ? texts.actions.save : t.create}>
                ${(errors) => html`
                  <${Field} label=${texts.agents.name} name="name" defaultValue=${flow.name} maxlength="55" autocomplete="off" error=${errors.name} />
                  <${Field} as="textarea" label=${texts.agents.description} hint=${t.descriptionHint} name="description" defaultValue=${flow.description} error=${errors.description} />
                  ${draft && flow.id && html`<p class="soft small" role="status">${t.unsaved}</p>`}
                `}
              <//>
            </section>
          `}
        </div>
        ${isMine && html`<${Palette} things=${things} start=${start} add=${(thing) => insert(thing, members.length)} />`}
      </div>
      ${flow.id && html`<${Run} flow=${flow} members=${members} asking=${asking} isChanged=${draft !== null} />`}
      <${Ghost} drag=${drag} />
      ${dialog === "publish" && html`<${Publish} thing=${{ id: flow.id, kind: "flow", alias: "" }} close=${close} />`}
      ${dialog === "share" && html`<${Share} kind="flow" id=${flow.id} name=${flow.name} close=${close} />`}
    <//>
  `;
}

// The stored members, under the same keys whenever they are read again.
function keptKeys(flow, stored) {
  const text = JSON.stringify(flow.flow);
  if (!stored.has(text)) stored.set(text, flow.flow.map(({ id, type }) => keyed({ id, kind: type })));
  return stored.get(text);
}

async function drop(flow) {
  if (!(await confirm(texts.agents.deleteTitle(flow.name), { text: t.deleteText }))) return;
  if (await attempt(() => remove(`/api/agentflows/${flow.id}`))) {
    toast(t.deleted);
    go("flows");
  }
}
