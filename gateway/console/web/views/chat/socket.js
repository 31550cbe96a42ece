// One session's socket, which is opened again whenever it ends.
import { get } from "../../api.js";
import { ROOT } from "../../root.js";
import { currentToken, over, renewed } from "../../session.js";
import { texts } from "../../texts.js";

const AGAIN = [300, 1000, 2000, 5000, 10_000]; // ms after which it is opened again
const STEADY_MS = 5000; // a connection that was good for so long has not failed
const FOREIGN = 1008;
const TOO_LARGE = 1009;
const LATER = 1013;
const TOKEN_OVER = 3000;

// `after()` is the seq of the last frame that came, or null; `opened`, `frame`, `state` and `ended` are told
// what happens: `state("open" | "connecting" | "away")`, `ended(text)` where it is not opened again,
// `tooLarge()` where what was sent can't be taken. The result is {send(frame), close()}.
export function openSocket({ sessionId, after, opened, frame, state, ended, tooLarge }) {
  let socket = null;
  let timer = null;
  let failures = 0;
  let isClosed = false;

  async function connect() {
    clearTimeout(timer);
    timer = null;
    const token = await currentToken().catch(() => ""); // asking for one may fail: as without one
    if (isClosed) return;
    const query = new URLSearchParams({ token, session_id: sessionId, protocol: "2" });
    if (after() !== null) query.set("after", after());
    const own = new WebSocket(`${ROOT.replace(/^http/, "ws")}/frontend/ws?${query}`);
    let since = null;
    socket = own;
    own.onopen = () => {
      if (isClosed) {
        own.close();
        return;
      }
      since = Date.now();
      state("open");
      opened();
    };
    own.onmessage = ({ data }) => {
      failures = 0; // one that is open may be closed at once
      const told = isClosed ? null : parse(data);
      if (told) frame(told);
    };
    own.onclose = ({ code, reason }) => {
      if (isClosed || own !== socket) return;
      socket = null;
      if (since !== null && Date.now() - since > STEADY_MS) failures = 0;
      lost(code, reason, since !== null);
    };
  }

  async function lost(code, reason, wasOpen) {
    state("connecting");
    if (code === FOREIGN) return ended(reason || texts.chat.closed);
    if (code === TOO_LARGE) tooLarge();
    if (code === TOKEN_OVER && !(await renewed().catch(() => true))) return over(texts.signIn.ended);
    // A refused handshake says no more than that it failed: a call tells whether the token is over.
    if (!wasOpen) await get("/api/me").catch(() => null);
    if (!isClosed) again(code === LATER ? 2 : 0);
    return undefined;
  }

  function again(least) {
    const wait = AGAIN[Math.min(Math.max(failures, least), AGAIN.length - 1)];
    failures += 1;
    if (failures > 2) state("away");
    timer = setTimeout(connect, wait * (0.75 + Math.random() / 2));
  }

  const hurry = () => { if (timer && !document.hidden) connect(); };
  const drop = () => socket?.close();
  addEventListener("online", hurry);
  addEventListener("offline", drop);
  document.addEventListener("visibilitychange", hurry);
  state("connecting");
  connect();
  return {
    send(told) {
      const isOpen = socket?.readyState === WebSocket.OPEN;
      if (isOpen) socket.send(JSON.stringify(told));
      return isOpen;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      removeEventListener("online", hurry);
      removeEventListener("offline", drop);
      document.removeEventListener("visibilitychange", hurry);
      if (socket?.readyState === WebSocket.OPEN) socket.close(); // one that is not yet closes itself then
    },
  };
}

function parse(data) {
  try {
    return JSON.parse(data);
  } catch {
    return null; // no frame of the second protocol
  }
}
