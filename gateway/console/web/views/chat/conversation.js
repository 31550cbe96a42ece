// One chat: its title and what can be done with it, its messages, and where one writes.
import { get, patch, remove } from "../../api.js";
import { isAway, version } from "../../changes.js";
import { html, useCallback, useEffect, useRef, useState } from "../../lib.js";
import { go, href } from "../../router.js";
import { texts } from "../../texts.js";
import { Button, Empty, Failed, Field, Loading } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Dialog, confirm } from "../../ui/dialog.js";
import { Form } from "../../ui/form.js";
import { attempt, toast } from "../../ui/toast.js";
import { Virtual } from "../../ui/virtual.js";
import { Composer } from "./composer.js";
import { Export } from "./export.js";
import { Turn } from "./message.js";

const TITLE_LIMIT = 20;
const keyOf = (turn) => turn.key;

export function Conversation({ talk, chats, isNew, wanted, models, send, drawer }) {
  const list = useRef(null);
  const isSent = talk.shown.value.length > 0;
  const changes = version("chats").value;
  const known = useRef(changes);
  useEffect(() => { if (known.current !== changes) talk.look(); }, [changes]);
  const sendNow = (...message) => {
    send(...message);
    list.current?.toEnd();
  };
  return html`
    <section class="chat-talk">
      <${Head} talk=${talk} chats=${chats} isNew=${isNew && !isSent} drawer=${drawer} />
      <${Messages} talk=${talk} list=${list} wanted=${wanted} isEmpty=${isNew && !isSent} models=${models} />
      <${Foot} talk=${talk} isNew=${isNew} models=${models} send=${sendNow} />
    </section>
  `;
}

function Head({ talk, chats, isNew, drawer }) {
  const [asked, ask] = useState("");
  const title = useTitle(talk.id, chats, isNew);
  const close = () => ask("");
  const rename = ({ title: given }) => patch(address(talk.id), { title: given });
  const renamed = () => {
    close();
    version("chats").value += 1;
  };
  return html`
    <header class="chat-head">
      ${drawer}
      <h1 class="clip">${title}</h1>
      ${!isNew && html`<div class="row chat-head-actions">
        <${Button} kind="plain" icon="edit" label=${texts.chat.rename} onClick=${() => ask("rename")} />
        <${Button} kind="plain" icon="download" label=${texts.chat.exportIt} onClick=${() => ask("export")} />
        <${Button} kind="plain" icon="trash" label=${texts.actions.delete} onClick=${() => deleteIt(talk, title)} />
      </div>`}
    </header>
    ${asked === "rename" && html`<${Dialog} title=${texts.chat.rename} close=${close}>
      <${Form} send=${rename} done=${renamed} cancel=${close}>
        ${(errors) => html`<${Field} label=${texts.chat.titleOf} name="title" defaultValue=${title} maxlength=${TITLE_LIMIT} error=${errors.title} autofocus required />`}
      <//>
    <//>`}
    ${asked === "export" && html`<${Export} id=${talk.id} title=${title} close=${close} />`}
  `;
}

const address = (id) => `/api/chat?session_id=${id}`;

// No route tells of one chat: one that is not in the list is looked for further back.
function useTitle(id, chats, isNew) {
  const listed = chats?.find((chat) => chat.session_id === id);
  const isMissing = Boolean(chats) && !listed && !isNew;
  const { data } = useData((signal) => (isMissing ? readTitle(id, signal) : null), [id, isMissing]);
  return (listed?.title ?? data ?? "").trim() || texts.chat.untitled;
}

async function readTitle(id, signal) {
  for (let offset = 0; ; offset += 1000) {
    const { chats } = await get("/api/chats", { limit: 1000, offset, include_unlisted: true }, { signal });
    const found = chats.find((chat) => chat.session_id === id);
    if (found || chats.length < 1000) return found?.title ?? "";
  }
}

async function deleteIt(talk, title) {
  if (!(await confirm(texts.chat.deleteIt(title), { text: texts.chat.deleteText }))) return;
  await attempt(async () => {
    await remove("/api/chat", { session_id: talk.id });
    version("chats").value += 1;
    toast(texts.chat.deleted);
    go("chat");
  });
}

function Messages({ talk, list, wanted, isEmpty, models }) {
  const [isAtEnd, setAtEnd] = useState(true);
  const [found, setFound] = useState(null);
  const draw = useCallback((turn) => html`<${Turn} turn=${turn} talk=${talk} isFound=${turn.key === found} />`, [talk, found]);
  useEffect(() => {
    if (!wanted) return;
    talk.seek(wanted).then((turn) => setFound(turn?.key ?? null));
  }, [talk, wanted]);
  useEffect(() => { if (found) list.current?.show(found); }, [found]);
  const turns = talk.shown.value;
  if (talk.error.value && !turns.length) return html`<div class="chat-body"><${Failed} error=${talk.error.value} again=${talk.refresh} /></div>`;
  if (isEmpty || (!turns.length && !talk.isLoading.value)) {
    const none = models.data && !models.data.length;
    return html`<div class="chat-body chat-welcome">
      ${none
        ? html`<${Empty} icon="models" title=${texts.chat.noModels}
            action=${html`<${Button} kind="primary" href=${href("models")}>${texts.chat.toModels}<//>`}>${texts.chat.noModelsText}<//>`
        : html`<${Empty} icon="chat" title=${texts.chat.welcome}>${texts.chat.welcomeText}<//>`}
    </div>`;
  }
  if (!turns.length) return html`<div class="chat-body"><${Loading} /></div>`;
  return html`
    <div class="chat-body">
      <${Virtual} class="chat-messages" role="log" aria-label=${texts.chat.messages} aria-live="off" items=${turns} keyOf=${keyOf} draw=${draw}
        estimate=${180} sticky control=${list} atStart=${() => talk.older()} onPlace=${setAtEnd} />
      ${!isAtEnd && html`<${Button} class="chat-to-end" icon="down" label=${texts.chat.toEnd} onClick=${() => list.current.toEnd()} />`}
      <p class="unseen" role="status">${said(turns.at(-1))}</p>
    </div>
  `;
}

// What who can't see the messages is told of the newest one.
const said = (turn) => (turn?.state === "running" ? texts.chat.running : turn?.answer?.response ?? "").slice(0, 1000);

function Foot({ talk, isNew, models, send }) {
  if (talk.closed.value) return html`<div class="chat-foot"><p class="form-error" role="alert">${talk.closed.value}</p></div>`;
  return html`
    <div class="chat-foot">
      ${talk.link.value === "away" && !isAway.value && html`<p class="chat-away" role="status">${texts.chat.isAway}</p>`}
      <${Composer} key=${talk.id} id=${isNew ? "new" : talk.id} isNew=${isNew} models=${models.data} isOff=${models.data?.length === 0} send=${send} />
    </div>
  `;
}

