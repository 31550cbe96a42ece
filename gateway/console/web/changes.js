// What has changed, told by one stream for all views of this tab; each view reads its list again.
import { events } from "./api.js";
import { effect, signal } from "./lib.js";
import { isSignedIn, over } from "./session.js";
import { texts } from "./texts.js";

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
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      for await (const event of events("/api/changes", { signal })) {
        if (isAway.value || failures) note(versions.keys()); // what was missed meanwhile
        isAway.value = false;
        failures = 0;
        if (event.error) over(event.error.message ?? texts.signIn.ended);
        note(event.changed ?? []);
      }
    } catch (error) {
      if (signal.aborted) return;
      isAway.value = error.status === 0 || error.status >= 500;
    }
    await new Promise((done) => setTimeout(done, AGAIN[Math.min(failures, AGAIN.length - 1)]));
  }
}
