// What has changed, told by one stream for all views of this tab; each view reads its list again.
import { events } from "./api.js";
import { effect, signal } from "./lib.js";
import { isSignedIn } from "./session.js";

const AGAIN = [500, 1000, 2000, 5000]; // ms after which it is asked again

// A number for each kind ("agents", "chats", "requests", …), another one after each change.
const versions = new Map();
// Whether the gateway can't be reached at the moment.
export const isAway = signal(false);

export function version(kind) {
  if (!versions.has(kind)) versions.set(kind, signal(0));
  return versions.get(kind);
}

function note(kinds) {
  for (const kind of kinds) version(kind).value += 1;
}

effect(() => {
  if (!isSignedIn()) return undefined;
  const ended = new AbortController();
  follow(ended.signal);
  return () => ended.abort();
});

async function follow(signal) {
  let last = null; // the id of what was told last: what has changed since is told next
  let failures = 0; // one after the other
  while (!signal.aborted) {
    const begun = Date.now();
    let isTold = false;
    const headers = last ? { "Last-Event-ID": last } : {};
    try {
      for await (const event of events("/api/changes", { signal, headers, onId: (id) => { last = id; } })) {
        if (isAway.value) note(versions.keys()); // not all of what was missed is told here
        isAway.value = false;
        isTold = true;
        note(event.changed ?? []);
      }
    } catch (error) {
      if (signal.aborted) return;
      isAway.value = error.status === 0 || error.status >= 500;
    }
    // It ends with its token too: whether there is another one is asked at once.
    failures = isTold && Date.now() - begun > AGAIN[1] ? 0 : failures + 1;
    if (failures) await new Promise((done) => setTimeout(done, AGAIN[Math.min(failures, AGAIN.length) - 1]));
  }
}
