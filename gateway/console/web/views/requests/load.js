// What the API says of requests.
import { get } from "../../api.js";

export const STATES = ["open", "queued", "running", "answered", "failed", "timed_out", "cancelled", "interrupted"];

export const isOpen = ({ status }) => status === "queued" || status === "running";

// Names by ids: of chats, and of whom can be asked.
export async function loadNames(signal) {
  const of = (path, query) => get(path, { limit: 1000, ...query }, { signal });
  const [{ chats }, ...rest] = await Promise.all([
    of("/api/chats", { include_unlisted: true }),
    of("/api/agents"), of("/api/agents", { shared: true }), of("/api/agentflows"), of("/api/agentflows", { shared: true }),
  ]);
  const asked = rest.flat().map((each) => [each.agent_id ?? each.id, each.agent_name ?? each.name]);
  return { chats: new Map(chats.map(({ session_id, title }) => [session_id, title])), asked: new Map(asked), flows: new Set(rest.slice(2).flat().map(({ id }) => id)) };
}

export const loadRequests = (query, signal) => get("/api/requests", query, { signal });
