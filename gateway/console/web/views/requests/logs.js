// What was logged for a request.
import { get } from "../../api.js";
import { html, useEffect, useRef } from "../../lib.js";
import { href } from "../../router.js";
import { texts } from "../../texts.js";
import { Failed, Loading, Time } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Logs } from "../../ui/logs.js";
import { Status } from "./entries.js";
import { isOpen } from "./load.js";

const t = texts.requests;

// As `useData` gives them: all, or those of one agent; again when the request has more of them.
export function useLogs(request, agentId) {
  const logs = useData(
    (signal) => get("/api/logs/list", { request_id: request.request_id, agent_id: agentId }, { signal }),
    [request.request_id, agentId],
  );
  const wasRead = useRef(false);
  useEffect(() => {
    if (wasRead.current) logs.reload();
    wasRead.current = true;
  }, [request.log_entries, isOpen(request)]);
  return logs;
}

// The entries of one agent for a request, below what became of that.
export function RequestLogs({ request, agentId }) {
  const { data: logs, error, reload } = useLogs(request, agentId);
  return html`
    <section class="card stack">
      <a class="row requests-of" href=${href("requests", request.request_id)}>
        <${Status} status=${request.status} /><span class="soft small"><${Time} at=${request.created_at} /></span>
      </a>
      ${!logs ? (error ? html`<${Failed} error=${error} again=${reload} />` : html`<${Loading} />`)
        : logs.length ? html`<${Logs} logs=${logs} />` : html`<p class="soft small">${t.noLogs}</p>`}
    </section>
  `;
}
