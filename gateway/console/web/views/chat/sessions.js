// The list of all chats, and what a search finds in them.
import { get } from "../../api.js";
import { html, useEffect, useRef, useState } from "../../lib.js";
import { href } from "../../router.js";
import { texts } from "../../texts.js";
import { Button, Failed, Loading, Time, moment, parseTime } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Icon } from "../../ui/icons.js";
import { Virtual } from "../../ui/virtual.js";

const PART = 1000; // chats that are read at once
const HITS = 50;
const PAUSE_MS = 250; // after the last key, until it is looked for

export function Sessions({ chats, chosen }) {
  const [typed, setTyped] = useState("");
  const query = useLater(typed.trim());
  return html`
    <div class="chat-side-head">
      <${Button} class="chat-new" kind="primary" icon="plus" href=${href("chat")}>${texts.chat.newChat}<//>
      <div class="chat-search" role="search">
        <${Icon} name="search" />
        <input class="input" type="search" maxlength="200" aria-label=${texts.chat.search} placeholder=${texts.chat.search}
          value=${typed} onInput=${(event) => setTyped(event.target.value)} />
      </div>
    </div>
    ${typed.trim() && query ? html`<${Hits} query=${query} />` : html`<${List} chats=${chats} chosen=${chosen} />`}
  `;
}

function useLater(value) {
  const [late, setLate] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setLate(value), value ? PAUSE_MS : 0);
    return () => clearTimeout(timer);
  }, [value]);
  return late;
}

// All chats of the user, those that were written in last before the others; `more` reads further ones.
export function useChats() {
  const parts = useRef(1);
  const { data, error, reload } = useData((signal) => readChats(parts.current, signal), [], ["chats"]);
  const more = () => {
    if (!data || data.length < parts.current * PART) return;
    parts.current += 1;
    reload();
  };
  return { data, error, reload, more };
}

function List({ chats: { data, error, reload, more }, chosen }) {
  if (error && !data) return html`<${Failed} error=${error} again=${reload} />`;
  if (!data) return html`<${Loading} />`;
  if (!data.length) return html`<p class="chat-none soft">${texts.chat.noChats}</p>`;
  return html`<${Virtual} class="chat-list" role="navigation" aria-label=${texts.chat.chats} items=${data} keyOf=${idOf} estimate=${40}
    draw=${chosen === null ? drawOther : drawFor(chosen)} atEnd=${more} />`;
}

const idOf = (chat) => chat.session_id;

const draw = (chat, isChosen) => html`
  <a class="chat-link clip" href=${href("chat", chat.session_id)} aria-current=${isChosen ? "page" : undefined}
    title=${moment(parseTime(chat.updated_at))}>${chat.title.trim() || texts.chat.untitled}</a>
`;
const drawOther = (chat) => draw(chat, false);
// The same function for the same chat: a list draws anew what another one draws.
let last = [null, null];
function drawFor(chosen) {
  if (last[0] !== chosen) last = [chosen, (chat) => draw(chat, chat.session_id === chosen)];
  return last[1];
}

// So many parts of the list; those that were written in last come first.
async function readChats(parts, signal) {
  const read = (_, at) => get("/api/chats", { limit: PART, offset: at * PART }, { signal });
  const chats = (await Promise.all(Array.from({ length: parts }, read))).flatMap((part) => part.chats);
  const unique = [...new Map(chats.map((chat) => [chat.session_id, chat])).values()];
  return unique.sort((one, other) => (one.updated_at < other.updated_at ? 1 : -1));
}

function Hits({ query }) {
  const { data, error, reload } = useData((signal) => get("/api/chats/search", { query, limit: HITS }, { signal }), [query]);
  if (error) return html`<${Failed} error=${error} again=${reload} />`;
  if (!data) return html`<${Loading} />`;
  if (!data.length) return html`<p class="chat-none soft" role="status">${texts.chat.noHits}</p>`;
  return html`
    <ul class="chat-hits" aria-label=${texts.chat.hits}>
      ${data.map((hit) => html`
        <li key=${`${hit.session_id}:${hit.request_id}:${hit.created_at}`}>
          <a class="chat-hit" href=${href("chat", hit.session_id, { message: hit.request_id })}>
            <span class="chat-hit-title clip">${hit.title}</span>
            <span class="chat-hit-text">${hit.snippet.map(({ text, is_match: isMatch }) => (isMatch ? html`<mark>${text}</mark>` : text))}</span>
            <span class="soft small">${hit.sender_type === "user" ? texts.chat.you : texts.chat.assistant} · <${Time} at=${hit.created_at} /></span>
          </a>
        </li>
      `)}
    </ul>
  `;
}
