// Short news at the edge: what was done, or has failed.
import { html, signal } from "../lib.js";
import { texts } from "../texts.js";
import { Button } from "./basics.js";

const SHOWN_MS = 6000;
const toasts = signal([]);
let next = 0;

export function toast(text, { bad = false } = {}) {
  const id = next++;
  toasts.value = [...toasts.value.slice(-3), { id, text, bad }];
  setTimeout(() => drop(id), SHOWN_MS);
}

// Does something, and says so where it fails; whether it went well.
export async function attempt(work) {
  try {
    await work();
    return true;
  } catch (error) {
    toast(error.message, { bad: true });
    return false;
  }
}

const drop = (id) => { toasts.value = toasts.value.filter((each) => each.id !== id); };

export const Toasts = () => html`
  <div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map(({ id, text, bad }) => html`
      <div key=${id} class=${`toast ${bad ? "is-bad" : ""}`}>
        <span>${text}</span>
        <${Button} small kind="plain" icon="close" label=${texts.actions.close} onClick=${() => drop(id)} />
      </div>
    `)}
  </div>
`;
