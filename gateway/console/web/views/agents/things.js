// All that can be asked or called: agents, tools of MCP servers and A2A agents, each in one form.
import { get } from "../../api.js";
import { href } from "../../router.js";
import { parametersOf } from "../../ui/schema.js";

const MOST = { limit: 1000 };
// What of /api/changes says that one of them is another one now.
export const KINDS = ["agents", "servers"];

// {id, kind, name, alias, description, isActive, since, created, parameters, schema, owner, token, server}
export async function loadThings(signal) {
  const of = (path, shared) => get(path, { ...MOST, ...(shared ? { shared } : {}) }, { signal });
  const both = async (path, make) => (await Promise.all([of(path), of(path, true)])).flat().flatMap(make);
  const [agents, tools, cards] = await Promise.all([
    both("/api/agents", fromAgent), both("/api/mcp/servers", fromServer), both("/api/a2a/agents", fromCard),
  ]);
  return [...agents, ...tools, ...cards];
}

// One of them, or null.
export async function loadThing(kind, id, signal) {
  if (kind === "a2a") return fromCard(await get(`/api/a2a/agents/${encodeURIComponent(id)}`, {}, { signal }));
  if (kind !== "mcp") return fromAgent(await get(`/api/agents/${encodeURIComponent(id)}`, {}, { signal }));
  const servers = await Promise.all([get("/api/mcp/servers", MOST, { signal }), get("/api/mcp/servers", { ...MOST, shared: true }, { signal })]);
  return servers.flat().flatMap(fromServer).find((each) => each.id === id) ?? null;
}

export const linkTo = ({ id, kind }, query = {}) => href("agents", id, { ...(kind === "genai" ? {} : { kind }), ...query });

function fromAgent(agent) {
  return {
    id: agent.agent_id,
    kind: "genai",
    name: agent.agent_name,
    alias: agent.agent_alias,
    description: agent.agent_description,
    isActive: agent.is_active,
    since: agent.updated_at,
    created: agent.created_at,
    schema: agent.agent_schema,
    parameters: parametersOf(agent.agent_schema),
    owner: agent.owner,
  };
}

function fromServer(server) {
  return server.mcp_tools.map((tool) => ({
    id: tool.id,
    kind: "mcp",
    name: tool.name,
    alias: tool.alias,
    description: tool.description ?? "",
    isActive: server.is_active,
    since: server.updated_at,
    created: tool.created_at,
    schema: tool.inputSchema,
    parameters: parametersOf(tool.inputSchema),
    owner: server.owner,
    url: server.server_url,
    serverId: server.id,
    source: server.server_info?.name ?? server.name ?? server.server_url,
    said: tool.annotations,
  }));
}

function fromCard(card) {
  return {
    id: card.id,
    kind: "a2a",
    name: card.name,
    alias: card.alias,
    description: card.description ?? "",
    isActive: card.is_active,
    since: card.updated_at,
    created: card.created_at,
    schema: card.card_content,
    parameters: null,
    owner: card.owner,
    url: card.server_url,
    serverId: card.id,
    source: card.server_url,
    skills: Array.isArray(card.card_content?.skills) ? card.card_content.skills : [],
  };
}
