// Signing in at a provider of OpenID Connect: a browser goes there, and comes back with a code behind `#`.
import { ROOT } from "./root.js";
import { replace, route } from "./router.js";
import { texts } from "./texts.js";

const KEY = "genai.at-provider";
const PAGE = `${ROOT}/console`;

// Goes to the provider. `purpose` says for what, and what comes back is told that; `more` is asked of it besides.
export async function goTo(provider, purpose, more = {}) {
  if (!crypto.subtle) throw new Error(texts.signIn.insecure);
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const state = base64url(crypto.getRandomValues(new Uint8Array(16)));
  const { path, query } = route.value;
  sessionStorage.setItem(KEY, JSON.stringify({ verifier, state, purpose, title: provider.title, path, query }));
  location.assign(`${provider.url}?${new URLSearchParams({
    redirect_uri: PAGE,
    code_challenge: base64url(new Uint8Array(hash)),
    state,
    scope: "offline_access",
    ...more,
  })}`);
}

let back = readReturn();

// With what one has come back: {title, code, verifier}, or {title, error}; null but once, and for that purpose.
export function cameBack(purpose) {
  if (back?.purpose !== purpose) return null;
  const told = back;
  back = null;
  return told;
}

function readReturn() {
  const told = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  if (!told.code && !told.error) return null;
  const begun = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  sessionStorage.removeItem(KEY);
  replace(...(begun?.path ?? []), begun?.query ?? {}); // no code stays in the address
  if (!begun || begun.state !== told.state) return null; // what was not begun here is not finished here
  const { purpose, title, verifier } = begun;
  if (told.code) return { purpose, title, verifier, code: told.code };
  const why = told.error === "access_denied" ? texts.signIn.denied : told.error_description || told.error;
  return { purpose, title, error: why };
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
