// One session as it is talked in: what is sent and comes, what was said before, and what is sent again.
import { get, post } from "../../api.js";
import { version } from "../../changes.js";
import { signal } from "../../lib.js";
import { texts } from "../../texts.js";
import { toast } from "../../ui/toast.js";
import { describe } from "./files.js";
import { openSocket } from "./socket.js";
import { Turns, isOpen } from "./turns.js";
import { keepUnsent, readUnsent } from "./unsent.js";
import { uuid } from "../../uuid.js";

const PAGE = 60; // messages, of what is newest
const OLDER_PAGE = 400;
const SEEK_PAGE = 1000;
const RETRY_MS = 2000;
const RETRIED = ["database_away", "internal"];

export function openTalk(id, isNew) {
  const turns = new Turns();
  const shown = signal([]);
  const link = signal("idle");
  const error = signal(null); // of the history
  const closed = signal(""); // why nothing can be sent here
  const isLoading = signal(!isNew);
  const hasOlder = signal(false);
  const files = signal({}); // {request id: [{id, …}]}
  let socket = null;
  let lastSeq = null;
  let isOver = false;
  let reading = null;
  let isGoingBack = false;

  const show = () => { shown.value = [...turns.list]; };
  const keep = () => keepUnsent(id, turns.list.filter((turn) => turn.messageId && isOpen(turn)));

  function update(turn, changes) {
    const changed = turns.change(turn, changes);
    show();
    return changed;
  }

  // What was said before, newest first; one page after the other.
  async function page(offset, size) {
    const told = await get("/api/chat", { session_id: id, per_page: size, offset });
    const wasKnown = turns.merge(told.items);
    hasOlder.value = told.items.length > 0 && turns.stored < told.total_count;
    return { count: told.items.length, wasKnown };
  }

  // Reads what is newest, as far back as it is not known: after another tab has asked, or after a time away.
  function refresh() {
    reading ??= (async () => {
      try {
        const isFirst = !turns.list.some((turn) => turn.isStored || turn.answer);
        for (let offset = 0; !isOver;) {
          const { count, wasKnown } = await page(offset, PAGE);
          offset += count;
          if (isFirst || wasKnown || !count) break;
        }
        error.value = null;
        show();
        keep();
        await Promise.all([readOpen(), isFirst && readFiles()]);
      } catch (problem) {
        error.value = problem;
      } finally {
        reading = null;
        isLoading.value = false;
      }
    })();
    return reading;
  }

  // One page further back, once what is being read is there.
  async function older(size = OLDER_PAGE) {
    if (isGoingBack || !hasOlder.value) return;
    isGoingBack = true;
    while (reading) await reading.catch(() => null);
    const before = turns.stored;
    try {
      reading = page(Math.max(0, before - 2), size).finally(() => { reading = null; });
      await reading;
      if (turns.stored === before) hasOlder.value = false;
    } catch (problem) {
      hasOlder.value = false;
      toast(problem.message, { bad: true });
    }
    isGoingBack = false;
    show(); // last: whoever still sees the beginning asks for more
  }

  // The turn of a request, however far back it is; undefined where it is not in this chat.
  async function seek(requestId) {
    await (reading ?? refresh()).catch(() => null);
    while (!turns.byRequest.has(requestId) && hasOlder.value && !isOver) await (reading?.catch(() => null) ?? older(SEEK_PAGE));
    return turns.byRequest.get(requestId);
  }

  // Of questions without an answer: whether they are worked on, and what was logged so far.
  async function readOpen() {
    const open = turns.list.slice(-20).filter((turn) => turn.requestId && !turn.answer && !turn.state);
    if (!open.length) return;
    const requests = await get("/api/requests", { session_id: id, limit: 50 });
    for (const { request_id: requestId, message_id: messageId, status } of requests) {
      const turn = turns.byRequest.get(requestId);
      if (!turn || turn.answer || !["queued", "running"].includes(status)) continue;
      turns.change(turn, { messageId, state: status === "queued" ? "waiting" : "running" });
      await readLog(turns.byRequest.get(requestId));
    }
    show();
  }

  async function readLog(turn) {
    const entries = await get("/api/logs/list", { request_id: turn.requestId });
    const now = turns.byRequest.get(turn.requestId) ?? turn;
    for (const entry of entries) turns.log(now, entry);
    now.logs.sort((one, other) => (one.created_at < other.created_at ? -1 : 1));
    update(now, {});
  }

  async function readFiles() {
    const told = await get("/files", { session_id: id, limit: 1000 });
    const found = {};
    for (const { file_id: fileId, request_id: requestId } of told) (found[requestId] ??= []).push({ id: fileId });
    files.value = { ...found, ...files.value };
  }

  function connect() {
    socket ??= openSocket({
      sessionId: id,
      after: () => lastSeq,
      state: (now) => { link.value = now; },
      opened,
      frame: (told) => frames[told.type]?.(told),
      ended: (why) => { closed.value = why; },
      tooLarge: () => { for (const turn of turns.list.filter((each) => each.state === "unsent")) refuse(turn, texts.chat.tooLarge); },
    });
  }

  function opened() {
    for (const turn of turns.list) if (turn.messageId && turn.text !== null && isOpen(turn)) transmit(turn);
    Promise.resolve(reading).catch(() => null).then(refresh); // what came between the last reading and this moment
  }

  const transmit = ({ messageId, text, files: given, config }) => socket?.send({
    message: text, message_id: messageId, files: given.map((file) => file.id), ...(config && { llm_name: config }),
  });

  function refuse(turn, why) {
    update(turn, { state: "refused", error: why });
    keep();
  }

  const note = ({ seq }) => { if (seq != null) lastSeq = Math.max(lastSeq ?? 0, seq); };

  const frames = {
    accepted(told) {
      lastSeq ??= told.seq;
      const turn = turns.ofMessage(told.message_id);
      if (!turn) return;
      const isFirst = turns.list.length === 1;
      const accepted = turns.accept(turn, told.request_id);
      update(accepted, { isStored: true });
      if (accepted.files.length) files.value = { ...files.value, [told.request_id]: accepted.files };
      keep();
      if (isFirst) version("chats").value += 1;
    },
    agent_log(told) {
      note(told);
      const turn = turns.of({ ...told.log, message_id: told.message_id });
      if (!turn) refresh();
      else if (turns.log(turn, told.log)) update(turn, turn.answer ? {} : { state: "running" });
    },
    delta({ text, index, agent_id: agent, ...told }) {
      const turn = turns.of(told);
      if (!turn) refresh();
      else if (turn.answer) return;
      else if (!agent) update(turn, { state: "running", partial: index ? turn.partial + text : text });
      else update(turn, { state: "running", said: { ...turn.said, [agent]: (index ? turn.said?.[agent] ?? "" : "") + text } });
    },
    agent_response(told) {
      note(told);
      const { response, error: why = "" } = told;
      const turn = turns.of({ request_id: response.request_id, message_id: told.message_id });
      if (response.files.length) files.value = { ...files.value, [response.request_id]: response.files };
      if (!turn) { refresh(); return; }
      update(turn, { requestId: response.request_id, answer: response.response, seconds: response.execution_time, error: why, state: "", partial: "", said: null });
      keep();
    },
    error({ message_id: messageId, code, error: why }) {
      const turn = turns.ofMessage(messageId);
      if (!turn) toast(why, { bad: true });
      else if (RETRIED.includes(code)) setTimeout(() => { if (!isOver) transmit(turn); }, RETRY_MS);
      else refuse(turn, why);
    },
  };

  function send(text, given = [], config = "") {
    const messageId = uuid();
    const turn = turns.add({ key: messageId, messageId, text, files: given, config, state: "unsent" });
    show();
    keep();
    connect();
    transmit(turn);
  }

  async function cancel(turn) {
    if (turn.requestId) return post(`/api/requests/${turn.requestId}/cancel`, {});
    turns.drop(turn); // it may be on its way: then it is told of like that of another tab
    show();
    return keep();
  }

  // The same once more, as another message; one that was not accepted goes in its place.
  async function again(turn) {
    const given = turn.files.length ? turn.files : await Promise.all((files.value[turn.requestId] ?? []).map(describe));
    if (turn.state === "refused") turns.drop(turn);
    send(turn.text, given.filter((file) => !file.from_agent), turn.config);
  }

  // Something is new in some chat: another tab may have asked here, and nothing is told of that yet.
  function look() {
    const isBusy = turns.list.some(isOpen);
    if (socket && !isBusy && !document.hidden) refresh();
  }

  for (const unsent of readUnsent(id)) turns.add({ ...unsent, key: unsent.messageId, state: "unsent" });
  show();
  if (!isNew || turns.list.length) {
    refresh();
    connect();
  }
  return {
    id, shown, link, error, closed, isLoading, hasOlder, files,
    send, cancel, again, older, seek, refresh, look, readLog,
    close() {
      isOver = true;
      socket?.close();
    },
  };
}
