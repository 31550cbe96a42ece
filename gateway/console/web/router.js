// Where one is: `#/agents/<id>?tab=log` is {path: ["agents", "<id>"], query: {tab: "log"}}.
import { computed, signal } from "./lib.js";

const hash = signal(location.hash);
addEventListener("hashchange", () => { hash.value = location.hash; });

export const route = computed(() => {
  const [path, query = ""] = hash.value.replace(/^#\/?/, "").split("?");
  return {
    path: path.split("/").filter(Boolean).map(decoded),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
});

// The link to a view: `href("agents", id, { tab: "log" })`; what is null or undefined is left out.
export function href(...parts) {
  const query = typeof parts.at(-1) === "object" ? parts.pop() : {};
  const given = Object.entries(query).filter(([, value]) => value != null && value !== "");
  const search = new URLSearchParams(given).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${search ? `?${search}` : ""}`;
}

export function go(...parts) {
  location.hash = href(...parts);
}

// The same without a step to go back to.
export function replace(...parts) {
  history.replaceState(null, "", href(...parts));
  hash.value = location.hash;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
