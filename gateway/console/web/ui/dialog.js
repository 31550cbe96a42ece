// Dialogs: the browser's own, so that focus and Escape are its business.
import { html, signal, useEffect, useId, useRef } from "../lib.js";
import { texts } from "../texts.js";
import { Button } from "./basics.js";

export function Dialog({ title, close, wide, children }) {
  const dialog = useRef(null);
  const id = useId();
  useEffect(() => { dialog.current.showModal(); }, []);
  return html`
    <dialog ref=${dialog} class=${`dialog ${wide ? "is-wide" : ""}`} aria-labelledby=${id} onClose=${close}>
      <div class="dialog-head">
        <h2 id=${id}>${title}</h2>
        <${Button} small kind="plain" icon="close" label=${texts.actions.close} onClick=${() => dialog.current.close()} />
      </div>
      ${children}
    </dialog>
  `;
}

const asked = signal(null);

// Whether the user says yes: `await confirm("Delete it?", { label: "Delete" })`.
export function confirm(title, { text, label = texts.actions.delete } = {}) {
  return new Promise((answer) => { asked.value = { title, text, label, answer }; });
}

export function Confirmations() {
  if (!asked.value) return null;
  const { title, text, label, answer } = asked.value;
  const say = (isYes) => { asked.value = null; answer(isYes); };
  return html`
    <${Dialog} title=${title} close=${() => say(false)}>
      <div class="stack">
        <p>${text ?? texts.sure}</p>
        <div class="form-actions">
          <${Button} onClick=${() => say(false)}>${texts.actions.cancel}<//>
          <${Button} kind="danger" onClick=${() => say(true)}>${label}<//>
        </div>
      </div>
    <//>
  `;
}
