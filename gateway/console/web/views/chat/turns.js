// The turns of a session: a question and its answer each, as history and frames tell of them.
import { parseTime } from "../../ui/basics.js";

export const isOpen = (turn) => ["unsent", "waiting", "running"].includes(turn.state);

// A turn is {key, requestId, messageId, at, text, isStored, answer, state, error, partial, said, logs, …}: `at`, in ms, is null
// until the service has told it; `state` is "unsent", "waiting" or "running", "refused", or "" for one that has ended;
// `answer` is what the master agent said: as JSON text, or as {agents_trace, response, is_success}.
export class Turns {
  constructor() {
    this.list = [];
    this.byRequest = new Map();
  }

  ofMessage(messageId) {
    return messageId ? this.list.findLast((turn) => turn.messageId === messageId) : undefined;
  }

  // The turn that a frame is about, if it is known.
  of({ request_id: requestId, message_id: messageId }) {
    return this.byRequest.get(requestId) ?? this.ofMessage(messageId);
  }

  add(turn) {
    const whole = {
      requestId: null, messageId: null, at: null, text: null, isStored: false, answer: null, state: "", error: "",
      partial: "", said: null, logs: [], logTimes: new Set(), files: [], config: "", ...turn,
    };
    this.list.push(whole);
    if (whole.requestId) this.byRequest.set(whole.requestId, whole);
    return whole;
  }

  // Each change makes another object of it: what is drawn is compared by that.
  change(turn, changes) {
    const at = this.list.lastIndexOf(turn);
    if (at < 0) return turn;
    const changed = { ...turn, ...changes };
    this.list[at] = changed;
    if (changed.requestId) this.byRequest.set(changed.requestId, changed);
    return changed;
  }

  drop(turn) {
    this.list = this.list.filter((each) => each !== turn);
    if (this.byRequest.get(turn.requestId) === turn) this.byRequest.delete(turn.requestId);
  }

  // A message of this tab has got its request, which the history may have told of before.
  accept(turn, requestId) {
    const other = this.byRequest.get(requestId);
    if (other === turn) return turn;
    if (other) this.drop(other);
    const isNext = this.list.some((each) => each !== turn && isOpen(each) && each.requestId);
    const state = other?.answer ? "" : isNext ? "waiting" : "running";
    return this.change(turn, { requestId, state, ...(other && { at: other.at, isStored: true, answer: other.answer, logs: other.logs, logTimes: other.logTimes }) });
  }

  // A log entry as it came, or was read; whether it is a new one.
  log(turn, entry) {
    if (turn.logTimes.has(entry.created_at)) return false;
    turn.logTimes.add(entry.created_at);
    turn.logs.push(entry);
    return true;
  }

  // Messages of the history, in any order; whether one of them was known.
  merge(items) {
    let wasKnown = false;
    for (const { sender_type: sender, content, request_id: requestId, created_at: createdAt } of items) {
      const isUser = sender === "user";
      const key = requestId ?? `${createdAt}:${sender}:${content.length}`;
      let turn = requestId ? this.byRequest.get(requestId) : this.list.find((each) => each.key === key);
      wasKnown ||= Boolean(turn && (isUser ? turn.isStored : turn.answer));
      turn ??= this.add({ key, requestId });
      const at = parseTime(createdAt).getTime();
      if (isUser) this.change(turn, { text: content, isStored: true, at });
      else this.change(turn, { answer: turn.answer ?? content, at: turn.isStored ? turn.at : at, state: "", partial: "" });
    }
    // Those that the service has not told of yet are the newest.
    this.list.sort((one, other) => (one.at ?? Infinity) - (other.at ?? Infinity) || 0);
    return wasKnown;
  }

  // How many messages of the history are known, from its newest on.
  get stored() {
    let count = 0;
    for (const turn of this.list) count += (turn.isStored ? 1 : 0) + (turn.answer && turn.state !== "refused" ? 1 : 0);
    return count;
  }
}

const parsed = new WeakMap();

// What a turn's answer says, as an object; null where there is none yet.
export function answerOf(turn) {
  if (turn.answer === null || typeof turn.answer === "object") return turn.answer;
  if (!parsed.has(turn)) parsed.set(turn, read(turn.answer));
  return parsed.get(turn);
}

function read(text) {
  try {
    const told = JSON.parse(text);
    if (typeof told?.response === "string") return told;
  } catch {
    // Older installations stored texts that are none.
  }
  return { response: text, agents_trace: [], is_success: true };
}
