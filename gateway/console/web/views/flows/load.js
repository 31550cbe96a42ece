// Flows, and who is in them.
import { get } from "../../api.js";
import { loadThings } from "../agents/things.js";

export const KINDS = ["flows", "agents", "servers"];

// {flows, things}: one's own flows and those that others share, and all that can be a member.
export async function loadFlows(signal) {
  const of = (query) => get("/api/agentflows", { limit: 1000, ...query }, { signal });
  const [own, shared, things] = await Promise.all([of({}), of({ shared: true }), loadThings(signal)]);
  return { flows: [...own, ...shared], things };
}

// The members of a flow as what they are; of one that is gone, or another user's, no more is known than this.
export function membersOf(flow, things, isActive = false) {
  const known = new Map(things.map((each) => [`${each.kind} ${each.id}`, each]));
  return flow.map(({ id, type }) => known.get(`${type} ${id}`) ?? { id, kind: type, name: "", alias: "", isActive });
}
