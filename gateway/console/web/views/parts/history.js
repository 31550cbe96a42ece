// What `/api/parts` has answered this page, for an hour: asked while the page is seen, in its memory only.
import { get } from "../../api.js";
import { batch, effect, signal } from "../../lib.js";
import { isSignedIn } from "../../session.js";
import { LONG, NAMES, pointOf, timeOf } from "./points.js";

const KEPT = 3600; // seconds
const OPEN = 2000; // ms between two questions while the view is open
const ELSEWHERE = 10_000; // and while another one is

export const latest = signal(null);
export const failure = signal(null);
export const isPaused = signal(document.hidden);
// Columns by name, all of one length, and `at` in seconds since 1970: others after each answer.
export const columns = signal(empty());

let answers = [];
let isOpen = false;
let timer = null; // null: nobody has opened the view yet, or all is over
let asking = null;

function empty() {
  return Object.fromEntries(["at", ...NAMES].map((name) => [name, []]));
}

// To be called while the view is shown; what it returns says that it is no more.
export function watch() {
  isOpen = true;
  ask();
  return () => { isOpen = false; };
}

export async function ask() {
  clearTimeout(timer);
  timer = 0;
  if (asking || document.hidden) return;
  asking = new AbortController();
  try {
    take(await get("/api/parts", {}, { signal: asking.signal }));
  } catch (error) {
    if (error.name !== "AbortError") {
      failure.value = error;
      interrupt();
      if (error.status === 403) timer = null; // no administrator any more
    }
  } finally {
    asking = null;
  }
  if (timer !== null && !document.hidden) timer = setTimeout(ask, isOpen ? OPEN : ELSEWHERE);
}

function take(answer) {
  answers = [...answers.filter((each) => timeOf(answer) - timeOf(each) <= LONG + 1), answer];
  batch(() => {
    latest.value = answer;
    failure.value = null;
    add(pointOf(answers));
  });
}

function add(point) {
  const before = columns.value;
  const from = before.at.findIndex((at) => at > point.at - KEPT);
  const kept = (name) => (from < 0 ? [] : before[name].slice(from));
  columns.value = Object.fromEntries(["at", ...NAMES].map((name) => [name, [...kept(name), point[name]]]));
}

// A gap: what comes next is not joined to what was.
function interrupt() {
  const { at } = columns.value;
  if (!answers.length) return;
  answers = [];
  add({ at: at.at(-1) + 1, ...Object.fromEntries(NAMES.map((name) => [name, null])) });
}

document.addEventListener("visibilitychange", () => {
  isPaused.value = document.hidden;
  if (timer === null) return;
  interrupt(); // an answer may have come after it was hidden
  if (!document.hidden) ask();
});

// Nothing of it stays for who signs in next.
effect(() => {
  if (isSignedIn()) return;
  clearTimeout(timer);
  timer = null;
  asking?.abort();
  answers = [];
  batch(() => {
    latest.value = failure.value = null;
    columns.value = empty();
  });
});
