// Who has signed in, in all tabs of this browser, and the tokens by which that is shown.
import { computed, effect, signal } from "./lib.js";
import { ROOT } from "./root.js";
import { clear, shelve, shelved } from "./shelf.js";
import { texts } from "./texts.js";
import { uuid } from "./uuid.js";

const KEY = "genai.sign-in";
const OF = "genai.of"; // the sign-in of which is what else this tab keeps
const AHEAD = 30_000; // ms before its end in which a token is renewed, or a quarter of its life
const LOOK = 5000; // ms after which it is looked for that

// {access, refresh, until, id} or null: it is to be renewed at `until`, in ms since 1970 as this machine's
// clock has it, and `id` is another one for each sign-in.
const tokens = signal(stored().tokens);
// {id, username, role} once it is known, else null.
export const me = signal(null);
// Why one is signed out, where that was not asked for here.
export const reason = signal(stored().reason);
// What is of one sign-in is drawn anew for another one.
export const signInId = computed(() => (tokens.value ? tokens.value.id ?? "" : null));
export const isSignedIn = () => signInId.value !== null;

// What one has written and not sent is no concern of who signs in next, in the same tab.
effect(() => {
  const id = signInId.value ?? "";
  const of = sessionStorage.getItem(OF);
  if (of !== null && of !== id) {
    for (const key of Object.keys(sessionStorage).filter((each) => each.startsWith("genai."))) sessionStorage.removeItem(key);
  }
  sessionStorage.setItem(OF, id);
});

// What other tabs have done.
addEventListener("storage", ({ key }) => {
  if (key !== KEY && key !== null) return;
  const now = stored();
  if (tokens.value && !now.tokens) reason.value = now.reason || texts.signIn.elsewhere;
  if (now.tokens?.id !== tokens.value?.id) me.value = null;
  tokens.value = now.tokens;
});

function stored() {
  try {
    const { why = "", ...value } = JSON.parse(localStorage.getItem(KEY)) ?? {};
    return { tokens: value.access ? value : null, reason: why };
  } catch {
    return { tokens: null, reason: "" };
  }
}

// Takes what a login answers.
export function take({ access_token, refresh_token, expires_in }, id = uuid()) {
  const life = (expires_in ?? 6 * 3600) * 1000;
  const until = Date.now() + life - Math.min(AHEAD, life / 4);
  const value = { access: access_token, refresh: refresh_token ?? null, until, id };
  localStorage.setItem(KEY, JSON.stringify(value));
  reason.value = "";
  tokens.value = value;
  return value;
}

// Ends it here: in this browser nothing is left of it but why.
export function over(why = "") {
  if (!tokens.value) return;
  if (why) localStorage.setItem(KEY, JSON.stringify({ why }));
  else localStorage.removeItem(KEY);
  clear();
  reason.value = why;
  me.value = null;
  tokens.value = null;
}

// Signs out everywhere in this browser, and has the gateway end it.
export async function signOut() {
  const token = await currentToken().catch(() => "");
  over();
  const headers = { Authorization: `Bearer ${token}` };
  try {
    const response = await fetch(`${ROOT}/api/logout`, { method: "POST", credentials: "omit", headers });
    if (response.status >= 500) reason.value = texts.signIn.notTold;
  } catch {
    reason.value = texts.signIn.notTold;
  }
}

// A token that is good for a while; "" where nobody has signed in. Throws where the gateway is away.
export async function currentToken() {
  if (tokens.value?.refresh && tokens.value.until < Date.now()) await renewed();
  return tokens.value?.access ?? "";
}

// Streams live as long as their tokens, so one that nobody asks for is renewed too.
setInterval(() => currentToken().catch(() => {}), LOOK); // the next time, where the gateway is away

let renewing = null;

// Whether there is a newer token now. A refresh token is good once: one asks, of all tabs.
export function renewed() {
  const before = tokens.value;
  renewing ??= alone(() => renew(before)).finally(() => { renewing = null; });
  return renewing;
}

// Web locks are there over https and on this machine; elsewhere tabs may meet.
const alone = (work) => (navigator.locks ? navigator.locks.request(KEY, work) : work());

async function renew(before) {
  if (!before) return false;
  const latest = await shelved();
  const other = latest?.id === before.id ? latest : stored().tokens;
  if (other && other.access !== before.access) {
    tokens.value = other;
    return true;
  }
  if (!before.refresh) return false;
  const response = await fetch(`${ROOT}/api/login/access-token`, {
    method: "POST",
    credentials: "omit",
    body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: before.refresh }),
  });
  if (response.ok) {
    const given = await response.json();
    if (tokens.value?.id !== before.id) return false; // meanwhile it was signed out
    await shelve(take(given, before.id));
    return true;
  }
  if (response.status !== 400 && response.status !== 401) throw new Error(`renewal: ${response.status}`);
  over(texts.signIn.ended);
  return false;
}
