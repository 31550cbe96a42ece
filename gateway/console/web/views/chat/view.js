// Chats: all of them at the left, and the one that is talked in.
import { get } from "../../api.js";
import { html, useEffect, useMemo, useRef, useState } from "../../lib.js";
import { replace } from "../../router.js";
import { texts } from "../../texts.js";
import { Button } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Conversation } from "./conversation.js";
import { Sessions, useChats } from "./sessions.js";
import { openTalk } from "./talk.js";
import { uuid } from "../../uuid.js";

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

export default function Chat({ path, query }) {
  const [isOpen, setOpen] = useState(false);
  const given = UUID.test(path[0] ?? "") ? path[0].toLowerCase() : null;
  const talk = useTalk(given);
  const chats = useChats();
  const models = useData(readModels);
  useEffect(() => setOpen(false), [given, query.message]);
  useEffect(() => {
    if (!isOpen) return undefined;
    const close = (event) => { if (event.key === "Escape") setOpen(false); };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, [isOpen]);
  const send = (...message) => {
    talk.send(...message);
    if (!given) replace("chat", talk.id);
  };
  return html`
    <div class="chat">
      <aside class=${`chat-side ${isOpen ? "is-open" : ""}`} id="chat-side" aria-label=${texts.chat.chats}>
        <${Sessions} chats=${chats} chosen=${given} />
      </aside>
      ${isOpen && html`<div class="chat-veil" onClick=${() => setOpen(false)}></div>`}
      <${Conversation} key=${talk.id} talk=${talk} chats=${chats.data} isNew=${!given} wanted=${query.message} models=${models} send=${send}
        drawer=${html`<${Button} class="chat-drawer" kind="plain" icon="chat" label=${texts.chat.sessions}
          aria-expanded=${String(isOpen)} aria-controls="chat-side" onClick=${() => setOpen(!isOpen)} />`} />
    </div>
  `;
}

// The talk of a session; of a new one until it has a name in the address, and then the same.
function useTalk(given) {
  const fresh = useRef(null);
  const talk = useMemo(() => {
    if (given && fresh.current?.id === given) return fresh.current;
    if (given) return openTalk(given, false);
    fresh.current = openTalk(uuid(), true);
    return fresh.current;
  }, [given]);
  const last = useRef(talk);
  useEffect(() => {
    if (last.current !== talk) last.current.close();
    last.current = talk;
  }, [talk]);
  useEffect(() => () => last.current.close(), []);
  return talk;
}

// The user's configs and those that others share with him: [{name, model, provider}].
async function readModels(signal) {
  const lists = await Promise.all([false, true].map((shared) => get("/api/llm/model/configs", { limit: 1000, shared }, { signal })));
  return lists.flat().flatMap(({ provider, configs }) => configs.map(({ name, model }) => ({ name, model, provider })));
}

