// All of a chat as a file.
import { get } from "../../api.js";
import { html, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { Button } from "../../ui/basics.js";
import { Dialog } from "../../ui/dialog.js";
import { attempt } from "../../ui/toast.js";
import { save } from "./files.js";
import { answerOf } from "./turns.js";

const PAGE = 1000; // messages

export function Export({ id, title, close }) {
  const [isBusy, setBusy] = useState(false);
  const write = async (suffix, type, form) => {
    setBusy(true);
    const isDone = await attempt(async () => {
      const text = form(title, await readAll(id));
      save(new Blob([text], { type }), `${title.replace(/[^\p{L}\p{N} _-]/gu, "_").trim() || "chat"}.${suffix}`);
    });
    setBusy(false);
    if (isDone) close();
  };
  return html`
    <${Dialog} title=${texts.chat.exportIt} close=${close}>
      <div class="stack">
        <p>${texts.chat.exportText}</p>
        <div class="form-actions">
          <${Button} busy=${isBusy} onClick=${() => write("json", "application/json", asJson)}>JSON<//>
          <${Button} kind="primary" busy=${isBusy} onClick=${() => write("md", "text/markdown", asMarkdown)}>Markdown<//>
        </div>
      </div>
    <//>
  `;
}

// Its messages, oldest first.
async function readAll(id) {
  const items = [];
  for (let total = 1; items.length < total;) {
    const page = await get("/api/chat", { session_id: id, per_page: PAGE, offset: items.length });
    if (!page.items.length) break;
    items.push(...page.items);
    total = page.total_count;
  }
  return items.reverse();
}

const told = ({ sender_type: sender, content }) => (sender === "user" ? content : answerOf({ answer: content }).response);

const asJson = (title, items) => JSON.stringify({
  title,
  messages: items.map((item) => ({ from: item.sender_type, text: told(item), created_at: `${item.created_at}Z` })),
}, null, 2);

const asMarkdown = (title, items) => [
  `# ${title}`,
  ...items.map((item) => `## ${item.sender_type === "user" ? texts.chat.you : texts.chat.assistant}, ${item.created_at.slice(0, 16).replace("T", " ")} UTC\n\n${told(item)}`),
].join("\n\n");
