// An agent that is asked itself.
import { call, post } from "../../api.js";
import { html, useRef, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { Field } from "../../ui/basics.js";
import { Asked } from "../../ui/asked.js";
import { SchemaForm } from "../../ui/schema-form.js";

const t = texts.agents;

// `asking` outlives the tab: what was asked goes on.
export function Ask({ thing, asking }) {
  const files = useRef([]);
  const [isSending, setSending] = useState(false);
  const send = async (args) => {
    setSending(true);
    try {
      const ids = await Promise.all(files.current.map(upload));
      await asking.ask(() => post(`/api/agents/${thing.id}/invoke?wait=0`, { arguments: args, files: ids }));
    } finally {
      setSending(false);
    }
  };
  return html`
    <div class="agents-ask">
      <section class="card stack">
        ${!thing.isActive && html`<p class="agents-guess">${t.away}</p>`}
        <${SchemaForm} schema=${thing.parameters} send=${send} label=${t.ask} isBusy=${isSending || asking.isRunning}>
          <${Field} label=${t.files} hint=${t.filesHint} type="file" multiple
            onChange=${(event) => { files.current = [...event.currentTarget.files]; }} />
        <//>
      </section>
      ${asking.asked || asking.isRunning ? html`<${Asked} asking=${asking} />` : html`<p class="soft agents-hint">${t.askHint}</p>`}
    </div>
  `;
}

async function upload(file) {
  const form = new FormData();
  form.append("file", file);
  return (await call("POST", "/files", { body: form })).id;
}
