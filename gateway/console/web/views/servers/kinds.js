// The two kinds of servers: where they stand in the API, and what is told of each in common words.
import { texts } from "../../texts.js";

const t = texts.servers;

export const KINDS = {
  mcp: {
    path: "/api/mcp/servers",
    share: "mcp_server",
    title: t.mcp,
    nameOf: ({ server_info: said, name, server_url }) => said?.title || said?.name || name || hostOf(server_url),
    aboutOf: ({ server_info: said, description }) => said?.description || description,
    leftOut: ({ left_out }) => (left_out ? { count: left_out.count, parts: left_out.tools } : null),
  },
  a2a: {
    path: "/api/a2a/agents",
    share: "a2a_agent",
    title: t.a2a,
    nameOf: ({ name, server_url }) => name || hostOf(server_url),
    aboutOf: ({ description }) => description,
    leftOut: ({ left_out }) => (left_out ? { count: left_out.count, parts: left_out.parts } : null),
  },
};

// [kind of badge, what it says], for each thing that is to be known of a server at once.
export function statesOf(server) {
  if (server.authorization === "wanted") return [["warn", t.wanted]];
  const states = [server.is_active ? ["good", t.active] : ["bad", t.inactive]];
  if (server.lacking) states.push(["warn", t.lacks]);
  if (server.left_out) states.push(["warn", t.leftOutCount(server.left_out.count)]);
  return states;
}

export function hostOf(url) {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

// A link of somebody else's: nothing but http(s).
export const isLink = (url) => typeof url === "string" && /^https?:\/\//i.test(url);
