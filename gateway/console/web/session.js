// Who has signed in, in all tabs of this browser, and the tokens by which that is shown.
import { signal } from "./lib.js";
import { texts } from "./texts.js";

const KEY = "genai.sign-in";
const AHEAD = 30_000; // ms before its end in which a token is renewed
const ROOT = new URL("../", import.meta.url).href.replace(/\/$/, "");

// {access, refresh, until} or null; `until` in ms since 1970, as this machine's clock has it.
const tokens = signal(stored());
// {id, username, role} once it is known, else null.
export const me = signal(null);
// Why one is signed out, where that was not asked for.
export const reason = signal("");
export const isSignedIn = () => tokens.value !== null;

addEventListener("storage", ({ key }) => {
  if (key !== KEY && key !== null) return;
  const before = tokens.value;
  tokens.value = stored();
  if (before && !tokens.value) me.value = null;
});

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY));
  } catch {
    return null;
  }
}

function keep(value) {
  if (value) localStorage.setItem(KEY, JSON.stringify(value));
  else localStorage.removeItem(KEY);
  tokens.value = value;
}

// Takes what a login answers.
export function take({ access_token, refresh_token, expires_in }) {
  reason.value = "";
  keep({ access: access_token, refresh: refresh_token ?? null, until: Date.now() + (expires_in ?? 6 * 3600) * 1000 });
}

// Ends it here: in this browser nothing is left of it.
export function over(why = "") {
  if (!tokens.value) return;
  reason.value = why;
  me.value = null;
  keep(null);
}

// A token that is good for a while; "" where nobody has signed in.
export async function currentToken() {
  if (tokens.value && tokens.value.refresh && tokens.value.until - AHEAD < Date.now()) await renewed();
  return tokens.value?.access ?? "";
}

let renewing = null;

// Whether there is a newer token now. A refresh token is good once: one asks, of all tabs.
export function renewed() {
  renewing ??= alone(renew).finally(() => { renewing = null; });
  return renewing;
}

// Web locks are there over https and on this machine; elsewhere tabs may meet.
const alone = (work) => (navigator.locks ? navigator.locks.request(KEY, work) : work());

async function renew() {
  const before = tokens.value;
  const other = stored();
  if (other?.access && other.access !== before?.access) {
    tokens.value = other;
    return true;
  }
  if (!before?.refresh) return false;
  const response = await fetch(`${ROOT}/api/login/access-token`, {
    method: "POST",
    credentials: "omit",
    body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: before.refresh }),
  });
  if (response.ok) {
    take(await response.json());
    return true;
  }
  if (response.status === 400 || response.status === 401) over(texts.signIn.ended);
  return false;
}
